"""A language model of two small layers with a byte tokenizer, and the real tokenizer if there is
one."""

from pathlib import Path

import pytest
import torch

from ace_core.lm.language_model import LanguageModel
from ace_core.lm.vocabulary import AUDIO_TOKENS, Vocabulary
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.tokens import load_tokenizer
from tools.hosts.checkout import find_checkout
from tools.miniature.tokenizer import write_tokenizer

QWEN = (find_checkout() or Path("no ComfyUI")) / "comfy" / "text_encoders" / "qwen25_tokenizer"
QWEN_ROWS = 217_204


@pytest.fixture(scope="session")
def byte_tokenizer(tmp_path_factory):
    """261 tokens; the model's audio codes follow them by arithmetic."""
    return load_tokenizer(write_tokenizer(tmp_path_factory.mktemp("byte_tokenizer")).parent)


@pytest.fixture(scope="session")
def vocabulary(byte_tokenizer):
    return Vocabulary(byte_tokenizer, byte_tokenizer.size + AUDIO_TOKENS)


@pytest.fixture(scope="session")
def lm(byte_tokenizer):
    config = Qwen3Config(
        vocab_size=byte_tokenizer.size + AUDIO_TOKENS,
        hidden_size=16,
        intermediate_size=24,
        layers=2,
        heads=4,
        kv_heads=2,
        head_dim=8,
    )
    torch.manual_seed(3)
    model = Qwen3(config).eval()
    for name, value in model.named_parameters():
        # small embeddings and large layers: a token depends on all before it, not on the last
        value.data.mul_({"embed_tokens.weight": 0.2, "norm.weight": 6.0}.get(name, 3.0))
    for text in ("\n", "<|im_end|>"):  # so that captions and replies come to an end
        model.embed_tokens.weight.data[byte_tokenizer.encode(text)] *= 2.5
    return LanguageModel(model, byte_tokenizer)


@pytest.fixture(scope="session")
def qwen():
    """The published vocabulary, as ComfyUI carries it."""
    if not QWEN.is_dir():
        pytest.skip(f"NOT CHECKED: no real Qwen tokenizer at {QWEN}; set COMFYUI_PATH")
    return Vocabulary(load_tokenizer(QWEN), QWEN_ROWS)

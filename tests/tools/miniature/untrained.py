"""A family in the official layouts whose weights were not trained, for tests of what is done with
one: the shapes, names and dtypes are those of the trained family."""

import json
import math
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from ace_core.models.acestep import AceStepModel
from ace_core.models.qwen3 import Qwen3
from tools.miniature import configs
from tools.miniature.diffusion.clock import silence
from tools.miniature.sizes import DIT, FSQ_LEVELS
from tools.miniature.text.train import CONFIG
from tools.miniature.tokenizer import build_tokenizer
from tools.miniature.trained import TRAINED

LEVELS = FSQ_LEVELS
CODES = math.prod(LEVELS)


def write_untrained(folder: Path, *parts: str) -> Path:
    """The named parts, or all of them, in `folder`; the VAE is the trained family's."""
    wanted = parts or ("vae", "text_encoder", "turbo", "base", "language_model")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    if "vae" in wanted:
        (folder / "vae").symlink_to(TRAINED / "vae")
    for name in ("turbo", "base"):
        if name in wanted:
            _write(folder / name, AceStepModel(DIT), configs.official_dit(DIT, name))
            torch.save(
                silence().half().transpose(1, 2).contiguous(), folder / name / "silence_latent.pt"
            )
    for name, codes in (("text_encoder", 0), ("language_model", CODES)):
        if name in wanted:
            tokenizer = build_tokenizer(codes)
            config = replace(CONFIG, vocab_size=tokenizer.get_vocab_size())
            _write(folder / name, Qwen3(config), configs.qwen3(config))
            tokenizer.save(str(folder / name / "tokenizer.json"), pretty=False)
            _write_json(folder / name / "tokenizer_config.json", configs.tokenizer())
    return folder


def _write(folder: Path, model: torch.nn.Module, config: configs.Config) -> None:
    folder.mkdir()
    _write_json(folder / "config.json", config)
    weights = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _write_json(path: Path, content: configs.Config) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

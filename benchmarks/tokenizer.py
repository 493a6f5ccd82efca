"""How long the tokenizer of a published language model takes to be read, beside transformers.

Its file is made of the vocabulary that a ComfyUI has, Qwen's, and the 65,535 audio codes.
"""

import tempfile
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from ace_core.tokens import load_tokenizer
from tools.miniature.tokenizer import AUDIO_CODES

from .measure import Seconds, interleaved

VOCABULARY = Path("comfy/text_encoders/qwen25_tokenizer")  # below a checkout


def measure(checkout: Path, rounds: int = 3) -> dict[str, Seconds]:
    """Medians of reading the file, by ours and by transformers."""
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        file = write_published(checkout, Path(folder))

        def theirs() -> object:
            return transformers.PreTrainedTokenizerFast(tokenizer_file=str(file))

        return interleaved({"ours": lambda: load_tokenizer(file), "transformers": theirs}, rounds)


def write_published(checkout: Path, folder: Path) -> Path:
    """`tokenizer.json` in `folder`, as large as the published one."""
    backend: Any = load_tokenizer(checkout / VOCABULARY)._backend
    names = (f"<|audio_code_{code}|>" for code in range(AUDIO_CODES))
    backend.add_tokens([AddedToken(name, normalized=False) for name in names])
    file = folder / "tokenizer.json"
    backend.save(str(file))
    return file

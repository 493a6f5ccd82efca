"""The tokenizer of a checkpoint, or the one that every ComfyUI carries."""

from pathlib import Path

import comfy.ops

from ...ace_core.tokens import Tokenizer, load_tokenizer
from ...ace_core.weights.checkpoint import Checkpoint, Kind
from ...ace_core.weights.shards import tokenizer_file


def tokenizer_of(checkpoint: Checkpoint, kind: Kind) -> Tokenizer:
    """
    Raises:
        CheckpointError: the checkpoint holds no such model, or its tokenizer is broken.
    """
    file = tokenizer_file(checkpoint, kind)
    if file is not None:
        return load_tokenizer(file)
    return host_tokenizer()


def host_tokenizer() -> Tokenizer:
    """Qwen's, as every ComfyUI carries it."""
    return load_tokenizer(Path(comfy.ops.__file__).parent / "text_encoders" / "qwen25_tokenizer")

"""Weights from disk, memory-mapped: a page is read when it is first used, and never copied.

It gives tensors in the file's own dtype under official names; it builds no model.
"""

from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from .checkpoint import Checkpoint, Kind
from .header import PICKLED, pickled_tensors
from .oobleck import from_stable_audio


def read(checkpoint: Checkpoint, kind: Kind) -> dict[str, Tensor]:
    """The weights of one model of a checkpoint, and no others, by official name.

    A VAE's come with its weight norm folded under diffusers' names, which makes new tensors.

    Raises:
        CheckpointError: the checkpoint holds no such model.
    """
    part = checkpoint.part(kind)
    weights: dict[str, Tensor] = {}
    for file in part.files:
        keys = {name: entry.key for name, entry in part.entries.items() if entry.file == file}
        weights.update(read_tensors(file, keys))
    return from_stable_audio(weights) if kind is Kind.VAE else weights


def read_tensors(file: Path, keys: dict[str, str]) -> dict[str, Tensor]:
    """Views into a mapped file: for each name the tensor under its key."""
    if file.suffix in PICKLED:
        mapped = pickled_tensors(file)
        return {name: mapped[key] for name, key in keys.items()}
    with safe_open(file, framework="pt") as opened:
        return {name: opened.get_tensor(key) for name, key in keys.items()}

"""Weights from disk, memory-mapped and never copied; every page is read once, to check its values.

It gives tensors in the file's own dtype under official names; it builds no model.
"""

from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from .checkpoint import Checkpoint, Kind
from .finite import check_finite
from .header import PICKLED, pickled_tensors
from .oobleck import from_stable_audio


def read(checkpoint: Checkpoint, kind: Kind) -> dict[str, Tensor]:
    """The weights of one model of a checkpoint, and no others, by official name.

    A VAE's come with its weight norm folded under diffusers' names, which makes new tensors.

    Raises:
        CheckpointError: the checkpoint holds no such model, or its values are not finite.
    """
    part = checkpoint.part(kind)
    weights: dict[str, Tensor] = {}
    for file in part.files:
        keys = {name: entry.key for name, entry in part.entries.items() if entry.file == file}
        weights.update(read_tensors(file, keys))
    return from_stable_audio(weights) if kind is Kind.VAE else weights


def read_tensors(file: Path, keys: dict[str, str]) -> dict[str, Tensor]:
    """Views into a mapped file: for each name the tensor under its key.

    Raises:
        CheckpointError: a value is NaN or infinite.
    """
    if file.suffix in PICKLED:
        mapped = pickled_tensors(file)
        tensors = {name: mapped[key] for name, key in keys.items()}
    else:
        with safe_open(file, framework="pt") as opened:
            tensors = {name: opened.get_tensor(key) for name, key in keys.items()}
    check_finite(file, {key: tensors[name] for name, key in keys.items()})
    return tensors

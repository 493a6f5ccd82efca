"""Adapters (LoRA, LoKr, LoHa, DoRA) of a diffusion model, read from a file or a PEFT folder.

What their keys mean is `adapter_keys`, how strong they are `adapter_scale`, and what they add to a
weight `change`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor

from ..errors import CheckpointError
from .adapter_keys import AdapterTensors, sorted_by_weight
from .adapter_scale import AdapterConfig, adapter_config, scale_in_words, scale_of
from .header import read_header, read_notes
from .read import read_tensors
from .weight_delta import WeightDelta, shape_of

WEIGHTS: Final = ("adapter_model.safetensors", "lokr_weights.safetensors")
SAVED_BY_DIFFUSERS: Final = "pytorch_lora_weights.safetensors"

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Changes by the layer of the decoder whose weight they change, `layers.0.self_attn.q_proj`."""

    changes: dict[str, WeightDelta]
    strange: tuple[str, ...]  # keys of the file that fit nothing in the model
    scale: str  # where the true strength came from, in words


def read_adapter(path: Path, shapes: Shapes) -> Adapter:
    """The adapter in a safetensors file or a PEFT folder, for a decoder of these weight `shapes`.

    Raises:
        CheckpointError: there is none, it is broken, or it was made for another model.
    """
    file = _weight_file(path)
    keys = {key: key for key in read_header(file)}
    notes = read_notes(file)
    found, strange = sorted_by_weight(read_tensors(file, keys), shapes)
    if not found:
        raise CheckpointError(
            f"{file.name} has no weights for an ACE-Step 1.5 decoder; its first key is "
            f"{next(iter(keys), 'missing')!r}. Choose a LoRA or LoKr that was trained on it."
        )
    for name, each in found.items():
        _check_width(name, each.parts, shapes[f"{name}.weight"], file)
    bare = any("alpha" not in each.parts for each in found.values())
    known = adapter_config(file.parent, notes) if bare else AdapterConfig()
    scales = {name: scale_of(each, known, notes) for name, each in found.items()}
    changes = {name: _change(each, scales[name]) for name, each in found.items()}
    words = scale_in_words(known, guessed=None in scales.values())
    return Adapter(changes, tuple(strange), words)


def _weight_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    names = (*WEIGHTS, SAVED_BY_DIFFUSERS)
    for name in names:
        if (path / name).is_file():
            return path / name
    raise CheckpointError(
        f"{path} holds none of {', '.join(names)}. Choose the folder that the training wrote."
    )


def _check_width(name: str, parts: Mapping[str, Tensor], shape: Sequence[int], file: Path) -> None:
    made_for = shape_of(parts)
    if made_for is None:
        raise CheckpointError(
            f"{file.name} has only {', '.join(parts)} for {name}; a part is missing. Download or "
            "save it again."
        )
    rows, columns = shape[0], math.prod(shape[1:])
    if made_for != (rows, columns):
        raise CheckpointError(
            f"{file.name} was made for another model: its change of {name} is {list(made_for)}, "
            f"the model's weight is {[rows, columns]}. Adapters of the 2B models (width 2048) and "
            "of XL (width 2560) do not fit each other; choose one that was trained on this model."
        )
    if "dora_scale" in parts and parts["dora_scale"].numel() not in (rows, shape[1]):
        raise CheckpointError(
            f"{file.name} has {parts['dora_scale'].numel()} DoRA magnitudes for {name}, whose "
            f"weight is {[rows, columns]}. Download or save it again."
        )


def _change(found: AdapterTensors, scale: float | None) -> WeightDelta:
    parts = {part: tensor for part, tensor in found.parts.items() if part != "alpha"}
    return WeightDelta(parts, 1.0 if scale is None else scale)

"""Adapters (LoRA, LoKr, LoHa, DoRA) of a diffusion model, read from a file or a PEFT folder.

`adapter_keys.py` groups the keys by the layer that they change. The scale of a layer follows from
alpha and rank, which PEFT stores in `adapter_config.json`, diffusers in the file's header, LyCORIS
and kohya beside each weight. `weight_delta.py` computes what is added.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..parsing import quoted
from .adapter_config import CONFIG, AdapterConfig, adapter_config, lycoris_rank, value_for
from .adapter_keys import BIAS, WEIGHT, AdapterTensors, Shapes, group_by_layer
from .tensor_files import read_header, read_metadata, read_tensors
from .weight_delta import WeightDelta, shape_of

WEIGHTS: Final = ("adapter_model.safetensors", "lokr_weights.safetensors")
SAVED_BY_DIFFUSERS: Final = "pytorch_lora_weights.safetensors"

_OFFICIAL_RATIO: Final = 2  # default alpha / rank of the official training
_LARGEST_SCALE: Final = torch.finfo(torch.float32).max
_LISTED_KEYS: Final = 5  # of those that fit nothing, in messages


def scale_of(
    found: AdapterTensors, config: AdapterConfig, metadata: Mapping[str, str]
) -> float | None:
    """The factor of the product of one layer's parts; `None`: it is not stored anywhere."""
    if not _is_scaled(found.parts):
        return 1.0
    rank = WeightDelta(found.parts).rank
    if "alpha" in found.parts:
        trained = lycoris_rank(metadata) if rank is None else rank
        return found.parts["alpha"].item() / trained if trained else 1.0
    if config.alpha is None:
        return 1.0 if rank is None else None
    alpha = value_for(found.path, config.alphas, config.alpha)
    if rank is None or "lora_up" not in found.parts:
        rank = int(value_for(found.path, config.ranks, config.rank or rank or 1)) or 1
    return alpha / math.sqrt(rank) if config.stabilised else alpha / rank


def _check_scales(scales: Mapping[str, float | None], file: Path) -> None:
    """
    Raises:
        CheckpointError: a scale beyond what float32 holds.
    """
    for name, scale in scales.items():
        if scale is not None and not abs(scale) <= _LARGEST_SCALE:
            raise CheckpointError(
                f"{file.name}: the scale of {name}, its alpha by its rank, is {scale:g}, beyond "
                "what float32 holds. Download or save it again."
            )


def _is_scaled(parts: Mapping[str, Tensor]) -> bool:
    """Whether alpha scales a layer's parts: a difference that is stored whole has no alpha."""
    return "diff" not in parts and bool(parts.keys() - {"diff_b", "alpha"})


def scale_source(config: AdapterConfig, scaled: bool, guessed: bool) -> str:
    """Where the scale was found, as a sentence for the user."""
    if not scaled:
        return "the differences as they are stored"
    if guessed:
        return (
            f"no alpha in the file and no {CONFIG} beside it: taken as alpha = rank. If it sounds "
            f"too weak, try strength {_OFFICIAL_RATIO}, which is what the official training uses"
        )
    return f"alpha from {config.source or 'the file'}"


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """What an adapter adds to the weight of each layer (`layers.0.self_attn.q_proj`), by the names
    of `adapter_targets`, and to its bias."""

    deltas: dict[str, WeightDelta]
    unmatched: tuple[str, ...]  # keys of the file that name no layer of the model
    scale_source: str  # where the scale was found, as a sentence for the user
    biases: dict[str, WeightDelta] = field(default_factory=dict)
    keys: int = 0  # of the file

    @property
    def warnings(self) -> list[str]:
        """That a part of the file is not used, with the first keys of it."""
        if not self.unmatched:
            return []
        return [
            f"{len(self.unmatched)} of the adapter's {self.keys} keys fit nothing in this model "
            f"and are not used: {_listed(self.unmatched)}"
        ]


def read_adapter(path: Path, shapes: Shapes) -> Adapter:
    """The adapter in a safetensors file or a PEFT folder, for weights and biases of these `shapes`,
    under the names of `adapter_targets`.

    Raises:
        CheckpointError: there is none, it is broken, holds several, or was made for another model:
            most of its keys fit nothing, or a shape differs.
    """
    file = _weight_file(path)
    keys = {key: key for key in read_header(file)}
    metadata = read_metadata(file)
    found, unmatched = group_by_layer(read_tensors(file, keys), shapes)
    if not found:
        raise CheckpointError(
            f"{file.name} has no weights for an ACE-Step 1.5 decoder; its first key is "
            f"{quoted(next(iter(keys), 'missing'))}. Choose a LoRA or LoKr that was trained on it."
        )
    _refuse_foreign(len(keys), unmatched, file)
    for name, each in found.items():
        _check_layer(name, each.parts, shapes, file)
    scaled = [each for each in found.values() if _is_scaled(each.parts)]
    bare = any("alpha" not in each.parts for each in scaled)
    config = adapter_config(file.parent, metadata) if bare else AdapterConfig()
    scales = {name: scale_of(each, config, metadata) for name, each in found.items()}
    _check_scales(scales, file)
    return Adapter(
        deltas={
            name: _delta(each, scales[name])
            for name, each in found.items()
            if _of_weight(each.parts)
        },
        unmatched=tuple(unmatched),
        scale_source=scale_source(config, bool(scaled), guessed=None in scales.values()),
        biases={
            name: WeightDelta({"diff": each.parts["diff_b"]})
            for name, each in found.items()
            if "diff_b" in each.parts
        },
        keys=len(keys),
    )


def _refuse_foreign(count: int, unmatched: Sequence[str], file: Path) -> None:
    """Refuse a file of which less than half fits."""
    if 2 * len(unmatched) > count:
        raise CheckpointError(
            f"{file.name} was made for another model: only {count - len(unmatched)} of its {count} "
            f"keys fit this one. These do not: {_listed(unmatched)}. Choose an adapter that was "
            "trained on this model."
        )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(map(quoted, keys[:_LISTED_KEYS])) + (
        ", ..." if len(keys) > _LISTED_KEYS else ""
    )


def _of_weight(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parts that change the weight; empty where only the bias is changed."""
    of_weight = {part: tensor for part, tensor in parts.items() if part != "diff_b"}
    return {} if "diff_b" in parts and not of_weight.keys() - {"alpha"} else of_weight


def _check_layer(name: str, parts: Mapping[str, Tensor], shapes: Shapes, file: Path) -> None:
    _check_factors(name, parts, file)
    if "diff_b" in parts:
        stored, shape = list(parts["diff_b"].shape), list(shapes[name + BIAS])
        if stored != shape:
            raise CheckpointError(
                f"{file.name} was made for another model: its change of the bias of {name} is "
                f"{stored}, the model's bias is {shape}. Choose an adapter that was trained on "
                "this model."
            )
    of_weight = _of_weight(parts)
    if of_weight:
        _check_shape(name, of_weight, shapes[name + WEIGHT], file)


def _weight_file(path: Path) -> Path:
    if not os.path.isdir(path):
        return path
    names = (*WEIGHTS, SAVED_BY_DIFFUSERS)
    for name in names:
        if os.path.isfile(path / name):
            return path / name
    raise CheckpointError(
        f"{path} holds none of {', '.join(names)}. Choose the folder that the training wrote."
    )


def _check_shape(name: str, parts: Mapping[str, Tensor], shape: Sequence[int], file: Path) -> None:
    made_for = shape_of(parts)
    factors = parts.keys() - {"diff", "alpha", "dora_scale"}
    if "diff" in parts and factors:
        raise CheckpointError(
            f"{file.name} has both the whole difference (diff) and factors "
            f"({', '.join(sorted(factors))}) for {name}, so it is not clear which is meant. Save "
            "the adapter with one of them."
        )
    if made_for is None:
        raise CheckpointError(
            f"{file.name} has only {', '.join(parts)} for {name}; a part is missing. Download or "
            "save it again."
        )
    rows, columns = shape[0], math.prod(shape[1:])
    if made_for != (rows, columns):
        raise CheckpointError(
            f"{file.name} was made for another model: its delta of {name} is {list(made_for)}, "
            f"the model's weight is {[rows, columns]}. Adapters of the 2B models (width 2048) and "
            "of XL (width 2560) do not fit each other; choose one that was trained on this model."
        )
    if "dora_scale" in parts and parts["dora_scale"].numel() not in (rows, *shape[1:2]):
        raise CheckpointError(
            f"{file.name} has {parts['dora_scale'].numel()} DoRA magnitudes for {name}, whose "
            f"weight is {[rows, columns]}. Download or save it again."
        )
    _check_product(name, parts, shape, file)


def _check_factors(name: str, parts: Mapping[str, Tensor], file: Path) -> None:
    """Refuse parts that are no numbers, no matrices, empty, or no single alpha."""
    for part, tensor in parts.items():
        single = part == "alpha"
        fits = tensor.numel() == 1 if single else tensor.numel() > 0
        if not fits or not (tensor.is_floating_point() or (single and not tensor.is_complex())):
            raise CheckpointError(
                f"{file.name}: {part} of {name} is {list(tensor.shape)} in {tensor.dtype}, which "
                "cannot be a part of an adapter. Download or save it again."
            )
        vector = part in ("diff", "diff_b")  # of a norm or a bias
        if part not in ("alpha", "dora_scale") and tensor.dim() < (1 if vector else 2):
            raise CheckpointError(
                f"{file.name}: {part} of {name} has the shape {list(tensor.shape)}, but it must "
                f"be a {'vector or ' if vector else ''}matrix. Download or save it again."
            )


def _check_product(
    name: str, parts: Mapping[str, Tensor], shape: Sequence[int], file: Path
) -> None:
    """Compute the delta of one layer without numbers, so that parts that do not fit each other
    (ranks, cores, magnitudes) are found while the file is read."""
    bare = {part: tensor.to("meta") for part, tensor in parts.items() if part != "alpha"}
    try:
        WeightDelta(bare).added(torch.empty(tuple(shape), device="meta"), 1.0)
    except (RuntimeError, IndexError, KeyError, ValueError) as error:
        shapes = ", ".join(f"{part} {list(tensor.shape)}" for part, tensor in parts.items())
        raise CheckpointError(
            f"{file.name}: the parts of {name} do not fit each other ({shapes[:300]}). Download "
            "or save it again."
        ) from error


def _delta(found: AdapterTensors, scale: float | None) -> WeightDelta:
    parts = {
        part: tensor for part, tensor in found.parts.items() if part not in ("alpha", "diff_b")
    }
    return WeightDelta(parts, 1.0 if scale is None else scale)

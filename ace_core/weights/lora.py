"""Adapters (LoRA, LoKr, LoHa, DoRA) of a diffusion model, read from a file or a PEFT folder.

The keys of PEFT, LyCORIS, kohya and diffusers are grouped by the layer that they change. The scale
of a layer follows from alpha and rank, which PEFT stores in `adapter_config.json`, diffusers in the
file's header, LyCORIS and kohya beside each weight. `weight_delta.py` computes what is added.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ..errors import CheckpointError
from .adapter_config import CONFIG, AdapterConfig, adapter_config, lycoris_rank, value_for
from .layouts import DIFFUSERS_DIT
from .tensor_files import read_header, read_metadata, read_tensors
from .weight_delta import WeightDelta, shape_of

WEIGHTS: Final = ("adapter_model.safetensors", "lokr_weights.safetensors")
SAVED_BY_DIFFUSERS: Final = "pytorch_lora_weights.safetensors"

Shapes = Mapping[str, Sequence[int]]
_OFFICIAL_RATIO: Final = 2  # default alpha / rank of the official training

_PREFIXES: Final = (  # removed in this order
    "base_model.model.",
    "model.",
    "diffusion_model.",
    "transformer.",
    "decoder.",
)
_UNDERSCORED: Final = ("lycoris_", "lora_unet_", "lora_transformer_")  # dots become underscores
_PARTS: Final = {  # endings of keys, and the part of an adapter that they name
    "lora_A.default.weight": "lora_down",
    "lora_A.weight": "lora_down",
    "lora_down.weight": "lora_down",
    "lora.down.weight": "lora_down",
    "lora_B.default.weight": "lora_up",
    "lora_B.weight": "lora_up",
    "lora_up.weight": "lora_up",
    "lora.up.weight": "lora_up",
    "lora_mid.weight": "lora_mid",
    "lora_magnitude_vector.default.weight": "dora_scale",
    "lora_magnitude_vector": "dora_scale",
    "dora_scale": "dora_scale",
    "alpha": "alpha",
    **{name: name for name in ("lokr_w1", "lokr_w1_a", "lokr_w1_b")},
    **{name: name for name in ("lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")},
    **{name: name for name in ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")},
    **{name: name for name in ("hada_t1", "hada_t2")},
}
_ENDINGS: Final = sorted(_PARTS, key=len, reverse=True)
_DIFFUSERS_KEYS: Final = DIFFUSERS_DIT["transformer"]


@dataclass(slots=True)
class AdapterTensors:
    """The tensors of one layer by part; `path` is the layer's name as the file spells it."""

    path: str
    parts: dict[str, Tensor] = field(default_factory=dict)


def group_by_layer(
    tensors: Mapping[str, Tensor], shapes: Iterable[str]
) -> tuple[dict[str, AdapterTensors], list[str]]:
    """The tensors by the layer that they change (`layers.0.self_attn.q_proj`), and unmatched keys.

    `shapes` names the weights of the decoder.
    """
    dotted, underscored = _spellings(shapes)
    found: dict[str, AdapterTensors] = {}
    unmatched = []
    for key, tensor in tensors.items():
        path, part = _split(key)
        name = dotted.get(path) or _by_underscores(path, underscored)
        if part is None or name is None:
            unmatched.append(key)
        else:
            found.setdefault(name, AdapterTensors(path)).parts[part] = tensor
    return found, unmatched


def _spellings(shapes: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Spellings of a layer, official and diffusers', to the layer: with dots, with underscores."""
    dotted = {}
    for weight in shapes:
        layer = weight.removesuffix(".weight")
        theirs = _DIFFUSERS_KEYS.to_key(f"decoder.{weight}") or weight
        dotted[layer] = dotted[theirs.removesuffix(".weight")] = layer
    return dotted, {path.replace(".", "_"): layer for path, layer in dotted.items()}


def _by_underscores(path: str, underscored: Mapping[str, str]) -> str | None:
    for prefix in _UNDERSCORED:
        if path.startswith(prefix):
            bare = path.removeprefix(prefix).removeprefix("decoder_")
            return underscored.get(bare)
    return None


def _split(key: str) -> tuple[str, str | None]:
    """`diffusion_model.decoder.layers.0.x.lora_A.weight` as (`layers.0.x`, `lora_down`)."""
    for ending in _ENDINGS:
        if key.endswith(f".{ending}"):
            path = key.removesuffix(f".{ending}")
            for prefix in _PREFIXES:
                path = path.removeprefix(prefix)
            return path, _PARTS[ending]
    return key, None


def scale_of(
    found: AdapterTensors, config: AdapterConfig, metadata: Mapping[str, str]
) -> float | None:
    """The factor of the product of one layer's parts; `None`: it is not stored anywhere."""
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


def scale_source(config: AdapterConfig, guessed: bool) -> str:
    """Where the scale was found, as a sentence for the user."""
    if guessed:
        return (
            f"no alpha in the file and no {CONFIG} beside it: taken as alpha = rank. If it sounds "
            f"too weak, try strength {_OFFICIAL_RATIO}, which is what the official training uses"
        )
    return f"alpha from {config.source or 'the file'}"


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """What an adapter adds to each layer of the decoder (`layers.0.self_attn.q_proj`)."""

    deltas: dict[str, WeightDelta]
    unmatched: tuple[str, ...]  # keys of the file that name no layer of the model
    scale_source: str  # where the scale was found, as a sentence for the user


def read_adapter(path: Path, shapes: Shapes) -> Adapter:
    """The adapter in a safetensors file or a PEFT folder, for a decoder of these weight `shapes`.

    Raises:
        CheckpointError: there is none, it is broken, or it was made for another model.
    """
    file = _weight_file(path)
    keys = {key: key for key in read_header(file)}
    metadata = read_metadata(file)
    found, unmatched = group_by_layer(read_tensors(file, keys), shapes)
    if not found:
        raise CheckpointError(
            f"{file.name} has no weights for an ACE-Step 1.5 decoder; its first key is "
            f"{next(iter(keys), 'missing')!r}. Choose a LoRA or LoKr that was trained on it."
        )
    for name, each in found.items():
        _check_shape(name, each.parts, shapes[f"{name}.weight"], file)
    bare = any("alpha" not in each.parts for each in found.values())
    config = adapter_config(file.parent, metadata) if bare else AdapterConfig()
    scales = {name: scale_of(each, config, metadata) for name, each in found.items()}
    deltas = {name: _delta(each, scales[name]) for name, each in found.items()}
    source = scale_source(config, guessed=None in scales.values())
    return Adapter(deltas, tuple(unmatched), source)


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


def _check_shape(name: str, parts: Mapping[str, Tensor], shape: Sequence[int], file: Path) -> None:
    _check_factors(name, parts, file)
    made_for = shape_of(parts)
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
    if "dora_scale" in parts and parts["dora_scale"].numel() not in (rows, shape[1]):
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
        if part not in ("alpha", "dora_scale") and tensor.dim() < 2:
            raise CheckpointError(
                f"{file.name}: {part} of {name} has the shape {list(tensor.shape)}, but it must "
                "be a matrix. Download or save it again."
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
    parts = {part: tensor for part, tensor in found.parts.items() if part != "alpha"}
    return WeightDelta(parts, 1.0 if scale is None else scale)

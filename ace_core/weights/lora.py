"""Adapters (LoRA, LoKr) of a diffusion model: their keys, and their true strength.

The file of a PEFT adapter holds no alpha: that lies in `adapter_config.json` beside it, and a
loader that does not look there plays the adapter too weakly or too strongly. It applies nothing.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ..errors import CheckpointError
from .header import read_header
from .read import read_tensors

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = ("adapter_model.safetensors", "lokr_weights.safetensors")
_PREFIXES: Final = ("base_model.model.", "diffusion_model.", "model.", "decoder.")
_LYCORIS: Final = "lycoris_"  # dots of the path become underscores
_PARTS: Final = {  # how the parts of one weight's adapter are spelled, and what they are
    "lora_A.default.weight": "lora_down.weight",
    "lora_A.weight": "lora_down.weight",
    "lora_down.weight": "lora_down.weight",
    "lora_B.default.weight": "lora_up.weight",
    "lora_B.weight": "lora_up.weight",
    "lora_up.weight": "lora_up.weight",
    "lora_magnitude_vector": "dora_scale",
    "dora_scale": "dora_scale",
    "alpha": "alpha",
    **{name: name for name in ("lokr_w1", "lokr_w1_a", "lokr_w1_b")},
    **{name: name for name in ("lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")},
}
_DOWN, _UP, _ALPHA = "lora_down.weight", "lora_up.weight", "alpha"

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Weights by path in the decoder (`layers.0.self_attn.q_proj`) and part (`lora_up.weight`)."""

    weights: dict[str, dict[str, Tensor]]
    strange: tuple[str, ...]  # keys of the file that fit nothing in the model
    scale: str  # where the true strength came from, in words


def read_adapter(path: Path, shapes: Shapes) -> Adapter:
    """The adapter in a safetensors file or a PEFT folder, for a decoder of these weight `shapes`.

    Raises:
        CheckpointError: there is none, it is broken, or it was made for another model.
    """
    file = _weight_file(path)
    keys = {key: key for key in read_header(file)}
    found, strange = _sorted_by_weight(read_tensors(file, keys), shapes)
    if not found:
        raise CheckpointError(
            f"{file.name} has no weights for an ACE-Step 1.5 decoder; its first key is "
            f"{next(iter(keys), 'missing')!r}. Choose a LoRA or LoKr that was trained on it."
        )
    for name, parts in found.items():
        _check_width(name, parts, shapes[f"{name}.weight"], file)
    scale = _set_alpha(found, file.parent / CONFIG)
    return Adapter(found, tuple(strange), scale)


def _weight_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in WEIGHTS:
        if (path / name).is_file():
            return path / name
    raise CheckpointError(
        f"{path} holds none of {', '.join(WEIGHTS)}. Choose the folder that the training wrote."
    )


def _sorted_by_weight(
    tensors: Mapping[str, Tensor], shapes: Shapes
) -> tuple[dict[str, dict[str, Tensor]], list[str]]:
    """The tensors by the weight that they change, and the keys that change none."""
    underscored = {
        name.removesuffix(".weight").replace(".", "_"): name.removesuffix(".weight")
        for name in shapes
    }
    found: dict[str, dict[str, Tensor]] = {}
    strange = []
    for key, tensor in tensors.items():
        path, part = _split(key)
        if path.startswith(_LYCORIS):
            path = underscored.get(path.removeprefix(_LYCORIS), "")
        if part is None or f"{path}.weight" not in shapes:
            strange.append(key)
        else:
            found.setdefault(path, {})[part] = tensor
    return found, strange


def _split(key: str) -> tuple[str, str | None]:
    """`diffusion_model.decoder.layers.0.x.lora_A.weight` as (`layers.0.x`, `lora_down.weight`)."""
    for ending in sorted(_PARTS, key=len, reverse=True):
        if key.endswith(f".{ending}"):
            path = key.removesuffix(f".{ending}")
            for prefix in _PREFIXES:
                path = path.removeprefix(prefix)
            return path, _PARTS[ending]
    return key, None


def _check_width(name: str, parts: Mapping[str, Tensor], shape: Sequence[int], file: Path) -> None:
    made_for = _made_for(parts)
    if made_for is None:
        raise CheckpointError(
            f"{file.name} has only {', '.join(parts)} for {name}; a part is missing. Download or "
            "save it again."
        )
    if made_for != tuple(shape):
        raise CheckpointError(
            f"{file.name} was made for another model: its change of {name} is {list(made_for)}, "
            f"the model's weight is {list(shape)}. Adapters of the 2B models (width 2048) and of "
            "XL (width 2560) do not fit each other; choose one that was trained on this model."
        )


def _made_for(parts: Mapping[str, Tensor]) -> tuple[int, int] | None:
    """The shape of the weight that an adapter changes."""
    if _UP in parts and _DOWN in parts:
        return parts[_UP].shape[0], parts[_DOWN].shape[1]
    one, two = _factor(parts, "lokr_w1"), _factor(parts, "lokr_w2")
    if one is None or two is None:
        return None
    return one[0] * two[0], one[1] * two[1]


def _factor(parts: Mapping[str, Tensor], name: str) -> tuple[int, int] | None:
    if name in parts:
        return parts[name].shape[0], parts[name].shape[1]
    if f"{name}_a" in parts and f"{name}_b" in parts:
        return parts[f"{name}_a"].shape[0], parts[f"{name}_b"].shape[1]
    return None


def _set_alpha(found: dict[str, dict[str, Tensor]], config: Path) -> str:
    """Give every LoRA pair without an alpha the one of its training; says where it came from."""
    bare = [name for name, parts in found.items() if _UP in parts and _ALPHA not in parts]
    if not bare:
        return "alpha from the file"
    if not config.is_file():
        return (
            f"no alpha in the file and no {CONFIG} beside it: taken as alpha = rank. If it sounds "
            "too weak, try strength 2, which is what the official training uses"
        )
    told = _parsed(config)
    for name in bare:
        rank = found[name][_UP].shape[1]
        found[name][_ALPHA] = torch.tensor(_alpha_of(name, rank, told))
    return f"alpha from {CONFIG}"


def _parsed(config: Path) -> dict[str, Any]:
    try:
        told = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{config} cannot be read: {error}. Download it again, or remove it to use the weights "
            "as they are."
        ) from error
    if not isinstance(told, dict) or not isinstance(told.get("lora_alpha"), int | float):
        raise CheckpointError(
            f"{config} names no lora_alpha. Download it again, or remove it to use the weights as "
            "they are."
        )
    return told


def _alpha_of(name: str, rank: int, told: Mapping[str, Any]) -> float:
    """Alpha such that alpha / rank is the strength of the training."""
    alpha = float(told["lora_alpha"])
    for pattern, own in (told.get("alpha_pattern") or {}).items():
        if re.fullmatch(rf"(.*\.)?{pattern}", name):
            alpha = float(own)
            break
    return alpha * math.sqrt(rank) if told.get("use_rslora") else alpha

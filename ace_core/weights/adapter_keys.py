"""The keys of adapters: the layer that each changes, and which part of the adapter it is.

PEFT, LyCORIS, kohya, diffusers and ComfyUI's extraction each spell the names of layers and parts in
their own way; here they become the official name of the layer and one name per part.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor

from ..errors import CheckpointError
from ..parsing import quoted
from .layouts import DIFFUSERS_DIT

Shapes = Mapping[str, Sequence[int]]
WEIGHT: Final = ".weight"
BIAS: Final = ".bias"

_PREFIXES: Final = (  # removed in this order
    "base_model.model.",
    "model.",
    "diffusion_model.",
    "transformer.",
    "decoder.",
)
_UNDERSCORED: Final = ("lycoris_", "lora_unet_", "lora_transformer_")  # dots become underscores
_PARTS: Final = {  # endings of keys, and the part of an adapter that they name
    "lora_down.weight": "lora_down",
    "lora.down.weight": "lora_down",
    "lora_up.weight": "lora_up",
    "lora.up.weight": "lora_up",
    "lora_mid.weight": "lora_mid",
    "dora_scale": "dora_scale",
    "alpha": "alpha",
    **{name: name for name in ("lokr_w1", "lokr_w1_a", "lokr_w1_b")},
    **{name: name for name in ("lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")},
    **{name: name for name in ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")},
    **{name: name for name in ("hada_t1", "hada_t2")},
    "diff": "diff",  # the whole difference, as ComfyUI extracts it and LyCORIS trains it
    "w_norm": "diff",
    "diff_b": "diff_b",  # of the bias
    "b_norm": "diff_b",
}
_PEFT: Final = re.compile(  # `lora_A.weight`, `lora_A.my_style.weight`, `lora_magnitude_vector.x`
    r"\.(lora_[AB](?=.*\.weight$)|lora_magnitude_vector)(?:\.(?!weight$)([^.]+))?(?:\.weight)?$"
)
_PEFT_PARTS: Final = {
    "lora_A": "lora_down",
    "lora_B": "lora_up",
    "lora_magnitude_vector": "dora_scale",
}
_ENDINGS: Final = sorted(_PARTS, key=len, reverse=True)
_DIFFUSERS_KEYS: Final = DIFFUSERS_DIT["transformer"]


@dataclass(slots=True)
class AdapterTensors:
    """The tensors of one layer by part; `path` is the layer's name as the file spells it."""

    path: str
    parts: dict[str, Tensor] = field(default_factory=dict)


def adapter_targets(names: Iterable[str]) -> dict[str, str]:
    """What an adapter may change, by the name that adapters give it: the official names of weights
    and biases of an `AceStepModel`, those of its decoder without `decoder.`."""
    return {name.removeprefix("decoder."): name for name in names if name.endswith((WEIGHT, BIAS))}


def group_by_layer(
    tensors: Mapping[str, Tensor], shapes: Shapes
) -> tuple[dict[str, AdapterTensors], list[str]]:
    """The tensors by the layer that they change (`layers.0.self_attn.q_proj`), and unmatched keys.

    `shapes` has the names of `adapter_targets`.

    Raises:
        CheckpointError: there are several adapters, so that two tensors may be the same part.
    """
    places = _places(tensors, shapes)
    _refuse_several(places)
    found: dict[str, AdapterTensors] = {}
    for key, (name, path, part) in places.items():
        parts = found.setdefault(name, AdapterTensors(path)).parts
        if part in parts:
            raise CheckpointError(
                f"The file holds more than one adapter: {quoted(key)} is a second {part} of "
                f"{name}. Save each in a file of its own."
            )
        parts[part] = tensors[key]
    return found, [key for key in tensors if key not in places]


def _places(keys: Iterable[str], shapes: Shapes) -> dict[str, tuple[str, str, str]]:
    """Layer, the file's name of it, and part of each key that fits the model."""
    dotted, underscored = _spellings(shapes)
    places = {}
    for key in keys:
        path, part = _split(key)
        name = dotted.get(path) or _by_underscores(path, underscored)
        if part is None or name is None or (part == "diff_b" and name + BIAS not in shapes):
            continue
        places[key] = name, path, part
    return places


def _refuse_several(keys: Iterable[str]) -> None:
    """Refuse adapters that PEFT saved under several names; those of other models do not count."""
    names = sorted({match[2] or "" for match in map(_PEFT.search, keys) if match is not None})
    if len(names) > 1:
        listed = ", ".join(quoted(name) if name else "one without a name" for name in names)
        raise CheckpointError(
            f"The file holds {len(names)} adapters: {listed[:300]}. Save each in a file of its own."
        )


def _spellings(shapes: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Spellings of a layer, official and diffusers', to the layer: with dots, with underscores."""
    dotted = {}
    for weight in shapes:
        if not weight.endswith(WEIGHT):
            continue
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
    peft = _PEFT.search(key)
    if peft is not None:
        return _bare(key[: peft.start()]), _PEFT_PARTS[peft[1]]
    for ending in _ENDINGS:
        if key.endswith(f".{ending}"):
            return _bare(key.removesuffix(f".{ending}")), _PARTS[ending]
    return key, None


def _bare(path: str) -> str:
    for prefix in _PREFIXES:
        path = path.removeprefix(prefix)
    return path

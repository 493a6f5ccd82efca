"""How adapters spell the weights that they change: PEFT, LyCORIS, kohya and diffusers, one meaning.

It sorts names and reads no tensor's value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor

from .layouts import DIFFUSERS_DIT

_PREFIXES: Final = (  # one inside the other, outermost first
    "base_model.model.",
    "model.",
    "diffusion_model.",
    "transformer.",
    "decoder.",
)
_UNDERSCORED: Final = ("lycoris_", "lora_unet_", "lora_transformer_")  # dots become underscores
_PARTS: Final = {  # how the parts of one weight's adapter are spelled, and what they are
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
_DIFFUSERS: Final = DIFFUSERS_DIT["transformer"]


@dataclass(slots=True)
class AdapterTensors:
    """What a file holds for one weight; `path` is the weight's name as the file spells it."""

    path: str
    parts: dict[str, Tensor] = field(default_factory=dict)


def sorted_by_weight(
    tensors: Mapping[str, Tensor], shapes: Iterable[str]
) -> tuple[dict[str, AdapterTensors], list[str]]:
    """The tensors by the layer that they change (`layers.0.self_attn.q_proj`), and other keys.

    `shapes` names the decoder's weights.
    """
    dotted, underscored = _spellings(shapes)
    found: dict[str, AdapterTensors] = {}
    strange = []
    for key, tensor in tensors.items():
        path, part = _split(key)
        name = dotted.get(path) or _by_underscores(path, underscored)
        if part is None or name is None:
            strange.append(key)
        else:
            found.setdefault(name, AdapterTensors(path)).parts[part] = tensor
    return found, strange


def _spellings(shapes: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The layer behind each spelling of it, official or diffusers', with dots and without."""
    dotted = {}
    for weight in shapes:
        layer = weight.removesuffix(".weight")
        theirs = _DIFFUSERS.spelled(f"decoder.{weight}") or weight
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

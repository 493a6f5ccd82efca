"""The VAE's other spelling: stable-audio-tools' numbered layers, as ComfyUI reads and saves them.

Pure renaming (and the shape of Snake's two vectors); it opens no files. Two things differ from
diffusers' names: layers are counted instead of named, and `alpha` and `beta` are [W] instead of
[1, W, 1].
"""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from .fold import fold_weight_norm, folded_shapes, unfold_weight_norm

BLOCK = {
    "encoder": ("res_unit1", "res_unit2", "res_unit3", "snake1", "conv1"),
    "decoder": ("snake1", "conv_t1", "res_unit1", "res_unit2", "res_unit3"),
}
UNIT = ("snake1", "conv1", "snake2", "conv2")
CURVES = ("alpha", "beta")
NUMBERED = re.compile(
    r"(encoder|decoder)\.layers\.(\d+)\.(?:layers\.(\d+)\.)?(?:layers\.(\d+)\.)?(.+)"
)
NAMED = re.compile(r"(encoder|decoder)\.(?:block\.(\d+)\.)?(\w+)\.(?:(\w+)\.)?(\w+)")
BLOCK_NUMBER = re.compile(r"encoder\.block\.(\d+)\.")


def diffusers_name(name: str) -> str:
    """`encoder.layers.1.layers.0.layers.1.weight_v` -> `encoder.block.0.res_unit1.conv1.weight_v`.

    A name of neither half comes back as it is.
    """
    match = NUMBERED.fullmatch(name)
    if match is None:
        return name
    half, layer, member, inner, rest = match.groups()
    if member is None:  # not in a block: first convolution, last activation, last convolution
        last = "snake1" if rest in CURVES else "conv2"
        return f"{half}.{'conv1' if layer == '0' else last}.{rest}"
    names = [half, "block", str(int(layer) - 1), BLOCK[half][int(member)]]
    names += [] if inner is None else [UNIT[int(inner)]]
    return ".".join([*names, rest])


def stable_audio_name(name: str, blocks: int) -> str:
    """The inverse of `diffusers_name`, for a half with that many blocks."""
    match = NAMED.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not a parameter of the Oobleck VAE")
    half, block, module, inner, rest = match.groups()
    if block is None:
        place = {"conv1": 0, "snake1": blocks + 1, "conv2": blocks + 2}[module]
        return f"{half}.layers.{place}.{rest}"
    numbers = [int(block) + 1, BLOCK[half].index(module)]
    numbers += [] if inner is None else [UNIT.index(inner)]
    return ".".join([half, *(f"layers.{number}" for number in numbers), rest])


def from_stable_audio(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights for `models.vae.Oobleck`: diffusers' names, weight norm folded. No tensor is written
    to; either spelling is accepted."""
    renamed = {
        diffusers_name(name): tensor.reshape(1, -1, 1) if _is_curve(name) else tensor
        for name, tensor in state.items()
    }
    return fold_weight_norm(renamed)


def shapes_from_stable_audio(
    shapes: Mapping[str, Sequence[int]],
) -> dict[str, tuple[int, ...]]:
    """The shapes that `from_stable_audio` would return, from a header alone."""
    renamed = {
        diffusers_name(name): (1, max(shape), 1) if _is_curve(name) else tuple(shape)
        for name, shape in shapes.items()
    }
    return folded_shapes(renamed)


def to_stable_audio(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Folded weights as ComfyUI's own VAE class names them, with `weight_g` and `weight_v`."""
    blocks = 1 + max(int(match[1]) for match in map(BLOCK_NUMBER.match, state) if match)
    return {
        stable_audio_name(name, blocks): tensor.flatten() if _is_curve(name) else tensor
        for name, tensor in unfold_weight_norm(state).items()
    }


def _is_curve(name: str) -> bool:
    return name.rpartition(".")[2] in CURVES

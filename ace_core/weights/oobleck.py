"""Weights of the VAE: the numbered names of stable-audio-tools, and folding of weight norm.

ComfyUI reads and saves the numbered names. They differ from diffusers' in two ways: layers are
counted instead of named, and `alpha` and `beta` of Snake are [C] instead of [1, C, 1]. Weight norm
stores a direction `v` and a magnitude `g` per slice of the first dimension (for a transposed
convolution that is the *input* channel): w = g * v / ||v||. It opens no files.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..parsing import quoted
from ..precision import at_least_float32

BLOCK = {
    "encoder": ("res_unit1", "res_unit2", "res_unit3", "snake1", "conv1"),
    "decoder": ("snake1", "conv_t1", "res_unit1", "res_unit2", "res_unit3"),
}
UNIT = ("snake1", "conv1", "snake2", "conv2")
SNAKE = ("alpha", "beta")
NUMBERED = re.compile(
    r"(encoder|decoder)\.layers\.(\d{1,3})\.(?:layers\.([0-4])\.)?(?:layers\.([0-3])\.)?(.+)"
)
NAMED = re.compile(r"(encoder|decoder)\.(?:block\.(\d+)\.)?(\w+)\.(?:(\w+)\.)?(\w+)")
BLOCK_NUMBER = re.compile(r"encoder\.block\.(\d+)\.")


def diffusers_name(name: str) -> str:
    """`encoder.layers.1.layers.0.layers.1.weight_v` -> `encoder.block.0.res_unit1.conv1.weight_v`.

    Other names are returned unchanged.
    """
    match = NUMBERED.fullmatch(name)
    if match is None:
        return name
    half, layer, member, inner, rest = match.groups()
    if member is None:  # not in a block: first convolution, last activation, last convolution
        last = "snake1" if rest in SNAKE else "conv2"
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
        index = {"conv1": 0, "snake1": blocks + 1, "conv2": blocks + 2}[module]
        return f"{half}.layers.{index}.{rest}"
    numbers = [int(block) + 1, BLOCK[half].index(module)]
    numbers += [] if inner is None else [UNIT.index(inner)]
    return ".".join([half, *(f"layers.{number}" for number in numbers), rest])


def from_stable_audio(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights for `models.vae.Oobleck`: diffusers' names, weight norm folded. No tensor is written
    to; either spelling is accepted."""
    renamed = {
        diffusers_name(name): tensor.reshape(1, -1, 1) if _is_snake(name) else tensor
        for name, tensor in state.items()
    }
    return fold_weight_norm(renamed)


def shapes_from_stable_audio(
    shapes: Mapping[str, Sequence[int]],
) -> dict[str, tuple[int, ...]]:
    """The shapes that `from_stable_audio` would return, from a header alone."""
    renamed = {
        diffusers_name(name): (1, math.prod(shape), 1) if _is_snake(name) else tuple(shape)
        for name, shape in shapes.items()
    }
    return folded_shapes(renamed)


def to_stable_audio(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Folded weights as ComfyUI's own VAE class names them, with `weight_g` and `weight_v`."""
    blocks = 1 + max(int(match[1]) for match in map(BLOCK_NUMBER.match, state) if match)
    return {
        stable_audio_name(name, blocks): tensor.flatten() if _is_snake(name) else tensor
        for name, tensor in unfold_weight_norm(state).items()
    }


def _is_snake(name: str) -> bool:
    return name.rpartition(".")[2] in SNAKE


MAGNITUDES: tuple[str, ...] = (".weight_g", ".parametrizations.weight.original0")
DIRECTIONS: tuple[str, ...] = (".weight_v", ".parametrizations.weight.original1")


def fold_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` with each (g, v) pair replaced by its `.weight`, computed in float32 or better.

    Accepts both spellings of the pair; other entries pass through. The result's tensors are new
    where anything was computed, so a memory-mapped file is never written to.

    Raises:
        CheckpointError: a half of a pair is missing, does not fit the other, is no float,
            or they make no finite weight.
    """
    _check_pairs({name: tuple(tensor.shape) for name, tensor in state.items()})
    folded: dict[str, Tensor] = {}
    for name, tensor in state.items():
        layer, part = _split(name)
        if part == "direction":
            magnitude = state[_magnitude_name(name)]
            folded[f"{layer}.weight"] = _fold(magnitude, tensor, layer)
        elif part is None:
            folded[name] = tensor
    return folded


def folded_shapes(shapes: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """What the shapes of `fold_weight_norm`'s result would be: for reading a header only.

    Raises:
        CheckpointError: a half of a pair is missing or does not fit the other.
    """
    _check_pairs(shapes)
    kept: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        layer, part = _split(name)
        if part != "magnitude":
            kept[name if part is None else f"{layer}.weight"] = tuple(shape)
    return kept


def unfold_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` with each convolution's weight as `weight_v` and its norms as `weight_g`."""
    return dict(_unfold(state))


def _unfold(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        if name.endswith(".weight") and tensor.dim() == 3:  # [*, *, kernel]: a convolution
            yield f"{name}_g", _norms(_precise(tensor)).to(tensor.dtype)
            yield f"{name}_v", tensor
        else:
            yield name, tensor


def _check_pairs(shapes: Mapping[str, Sequence[int]]) -> None:
    """Refuse halves that do not belong together: torch's kernel reads as many magnitudes as there
    are slices, whatever it was given, and ends the process where there are fewer."""
    partners = dict(zip(DIRECTIONS + MAGNITUDES, MAGNITUDES + DIRECTIONS, strict=True))
    for name, shape in shapes.items():
        layer, part = _split(name)
        if part is None:
            continue
        ending = name.removeprefix(layer)
        other = shapes.get(layer + partners[ending])
        if other is None:
            raise CheckpointError(
                f"{quoted(name)} has no {partners[ending]} beside it. Download the file again."
            )
        if part == "direction" and (
            len(shape) < 2 or 0 in shape or tuple(other) != (shape[0], *[1] * (len(shape) - 1))
        ):
            raise CheckpointError(
                f"{quoted(name)} is {list(shape)} and its magnitudes are {list(other)}, but there "
                "must be one for each of its first dimension. Download the file again."
            )
        if f"{layer}.weight" in shapes:
            raise CheckpointError(
                f"{quoted(layer)} has a weight and a {ending}. Download the file again."
            )


def _fold(magnitude: Tensor, direction: Tensor, layer: str) -> Tensor:
    if not (magnitude.is_floating_point() and direction.is_floating_point()):
        raise CheckpointError(
            f"The weight of {quoted(layer)} is in {direction.dtype}, its magnitudes in "
            f"{magnitude.dtype}, but a VAE has floats. Choose the file in bf16 or fp32."
        )
    exact = _precise(direction).contiguous()
    # torch's own kernel, so that the result equals that of a model with weight norm bit for bit;
    # it checks nothing itself (`_check_pairs` did)
    folded = torch.ops.aten._weight_norm(exact, magnitude.to(exact.dtype).contiguous(), 0)
    if not folded.isfinite().all():
        raise CheckpointError(
            f"The weight of {quoted(layer)} is not finite: the norm of a direction is 0, or too "
            "small or large for its magnitude. Download the file again."
        )
    return folded.to(direction.dtype)


def _precise(tensor: Tensor) -> Tensor:
    dtype = torch.float32 if tensor.element_size() == 1 else at_least_float32(tensor.dtype)
    return tensor.to(dtype)


def _norms(v: Tensor) -> Tensor:
    """Norm of each slice of the first dimension, [first, 1, 1]."""
    return torch.linalg.vector_norm(v, dim=tuple(range(1, v.dim())), keepdim=True)


def _split(name: str) -> tuple[str, str | None]:
    """The layer's name and which half of a pair this is: "magnitude", "direction" or None."""
    for part, endings in (("magnitude", MAGNITUDES), ("direction", DIRECTIONS)):
        for ending in endings:
            if name.endswith(ending):
                return name.removesuffix(ending), part
    return name, None


def _magnitude_name(direction: str) -> str:
    for ending, partner in zip(DIRECTIONS, MAGNITUDES, strict=True):
        if direction.endswith(ending):
            return direction.removesuffix(ending) + partner
    raise ValueError(f"{direction!r} is not the direction of a normed weight")

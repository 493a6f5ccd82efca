"""Weight norm, folded into plain weights and taken apart again. It knows names, not files.

A normed weight is stored as a direction `v` and a length `g` per slice of its first dimension
(for a transposed convolution that is the *input* channel): w = g * v / ||v||.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ..precision import at_least_float32

LENGTHS = (".weight_g", ".parametrizations.weight.original0")
DIRECTIONS = (".weight_v", ".parametrizations.weight.original1")


def fold_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` with each (g, v) pair replaced by its `.weight`, computed in float32 or better.

    Accepts both spellings of the pair; other entries pass through. The result's tensors are new
    where anything was computed, so a memory-mapped file is never written to.
    """
    folded: dict[str, Tensor] = {}
    for name, tensor in state.items():
        layer, part = _split(name)
        if part == "direction":
            length = state[_length_name(name)]
            folded[f"{layer}.weight"] = _fold(length, tensor)
        elif part is None:
            folded[name] = tensor
    return folded


def folded_shapes(shapes: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """What the shapes of `fold_weight_norm`'s result would be: for reading a header only."""
    kept: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        layer, part = _split(name)
        if part != "length":
            kept[name if part is None else f"{layer}.weight"] = tuple(shape)
    return kept


def unfold_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` with each convolution's weight as `weight_g` (its norms) and `weight_v` (itself)."""
    return dict(_unfold(state))


def _unfold(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        if name.endswith(".weight") and tensor.dim() == 3:  # [*, *, kernel]: a convolution
            yield f"{name}_g", _norms(_wide(tensor)).to(tensor.dtype)
            yield f"{name}_v", tensor
        else:
            yield name, tensor


def _fold(length: Tensor, direction: Tensor) -> Tensor:
    # torch's own kernel, so that the result has the bits of a model that norms as it runs
    return torch.ops.aten._weight_norm(_wide(direction), _wide(length), 0).to(direction.dtype)


def _wide(tensor: Tensor) -> Tensor:
    return tensor.to(at_least_float32(tensor.dtype))


def _norms(v: Tensor) -> Tensor:
    """Length of each slice of the first dimension, [first, 1, 1]."""
    return torch.linalg.vector_norm(v, dim=tuple(range(1, v.dim())), keepdim=True)


def _split(name: str) -> tuple[str, str | None]:
    """The layer's name and which half of a pair this is: "length", "direction" or None."""
    for part, endings in (("length", LENGTHS), ("direction", DIRECTIONS)):
        for ending in endings:
            if name.endswith(ending):
                return name.removesuffix(ending), part
    return name, None


def _length_name(direction: str) -> str:
    for ending, partner in zip(DIRECTIONS, LENGTHS, strict=True):
        if direction.endswith(ending):
            return direction.removesuffix(ending) + partner
    raise ValueError(f"{direction!r} is not the direction of a normed weight")

"""Float16 for models trained in bfloat16: its largest value, 65,504, is too small for some of them.

Trained models reach about 505,000 in the lyric encoder's residual stream and 1.4 million in the XL
decoder's. In float16 three things are therefore kept in float32: the residual streams with their
norms and gates, the product inside an MLP, and what the last matrix of a branch adds to the stream.
That matrix is multiplied in float16 all the same: its input is scaled row by row, and so is the
result. In any other dtype every function here does what a plain call does, bit for bit.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.func import functional_call

_PEAK: Final = 16.0  # of a scaled row: a sum overflows only where a row of weights sums to 4,094
_SMALLEST: Final = 2.0**-14  # the smallest peak that is scaled up, float16's smallest normal number


def residual_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype of a residual stream whose branches compute in `dtype`."""
    return torch.float32 if dtype is torch.float16 else dtype


def normed(layer: nn.Module, x: Tensor, dtype: torch.dtype) -> Tensor:
    """A norm of the residual stream `x`, in the dtype of `x`; `dtype` is that of the branches."""
    return layer(x) if x.dtype is dtype else in_float32(layer, x)


def to_residual(layer: nn.Module, x: Tensor, dtype: torch.dtype) -> Tensor:
    """`x` [..., K] through the last matrix of a branch, a linear layer without bias, to
    `residual_dtype(dtype)`; `dtype` is that of the branches.

    For float16, `x` may be in float32. Each row is divided by a power of two that brings its peak
    to at most 16, which changes no digit of it, and the sums are multiplied by it in float32.
    """
    if dtype is not torch.float16:
        return layer(x)
    exact = x.float()
    peak = exact.abs().amax(dim=-1, keepdim=True).clamp(min=_SMALLEST)
    scale = (peak / _PEAK).log2().ceil().exp2()
    return layer((exact / scale).to(dtype)).float() * scale


def in_float32(layer: nn.Module, x: Tensor) -> Tensor:
    """`layer(x)` in float32, or in float64 if its weights are. Half-precision weights are upcast
    for the call if they are on the device of `x`. Else the layer is a host's own, which moves them
    there in the dtype of its input, and there may be room for them only as they are stored."""
    half, weights = (torch.float16, torch.bfloat16), dict(layer.named_parameters())
    x = x.to(dtype_in_float32(layer))
    if any(weight.device != x.device for weight in weights.values()):
        return layer(x)
    upcast = {name: weight.float() for name, weight in weights.items() if weight.dtype in half}
    return functional_call(layer, upcast, (x,))


def dtype_in_float32(layer: nn.Module) -> torch.dtype:
    """What `in_float32` computes in: float64 if the weights are in it."""
    double = any(weight.dtype == torch.float64 for weight in layer.parameters())
    return torch.float64 if double else torch.float32

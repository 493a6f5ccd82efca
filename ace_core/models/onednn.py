"""oneDNN's linear layer on a CPU, which torch registers for its compiler: no packed copy of the
weights, an activation inside the product.

In float32 torch's own layers use MKL, whose products on AMD's processors take 1.1 to 1.7 of the
time of oneDNN's (docs/performance.md); `Linear` takes the faster. Results differ by the order of
sums. With gradients, on other processors and devices, in other dtypes, for small weights and for a
compiler all is torch's own; with `ENABLED` = False everywhere.
"""

from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..precision import cpu_is_amd
from .row_blocks import is_plain_cpu

ENABLED = True
SMALLEST: Final = 2**20  # elements of a weight; below, the call costs what the product gains


class Linear(nn.Linear):
    """`nn.Linear` by `linear`."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x` [..., K] by `weight` [N, K] plus `bias` [N]: [..., N], as `F.linear`."""
    if _serves(x, weight):
        return product(x, weight, bias)
    return F.linear(x, weight, bias)


def product(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, activation: str = "none"
) -> Tensor:
    """`linear` on a CPU without gradients, with an activation of the sums before they are rounded
    to the dtype of `x`."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], None)


@cache
def has_product(dtype: torch.dtype) -> bool:
    """Whether this torch computes `product` in `dtype` on this processor; tried once."""
    one = torch.ones(1, 1, dtype=dtype)
    try:
        return product(one, one, one[0]).item() == 2
    except (AttributeError, NotImplementedError, RuntimeError):
        return False


def _serves(x: Tensor, weight: Tensor) -> bool:
    return (
        ENABLED
        and is_plain_cpu(x)  # first: a compiler would note what is asked of shapes before it
        and x.dtype is weight.dtype is torch.float32
        and weight.numel() >= SMALLEST
        and x.numel() > 0
        and weight.device == x.device
        and weight.is_contiguous()
        and not torch.is_autocast_enabled("cpu")
        and cpu_is_amd()
        and has_product(x.dtype)
    )

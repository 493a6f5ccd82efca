"""Weights of linear layers in oneDNN's own layout, for a model that computes one token at a time on
a CPU.

A token multiplies every weight by one or two rows. oneDNN's products of so few rows read weights as
they are stored at a third of the memory's rate. In its own layout its product of four rows, most of
them zeros, takes half of that time. To lay them out takes as long as some twenty tokens and as much
memory as the weights, so it is done for a run, if it is long enough, and undone after it. Results
differ by the order of sums. That is with one thread; with two a token takes an eighth less; with
more, which may reach the memory's rate as it is, it was not measured.

On AMD's processors, in float32 and, from Zen 4 on, in bfloat16 (docs/performance.md). Before Zen 4,
without AVX-512, zeros cost what they gain and a single row gains nothing: there two rows and more
are multiplied as they are. On other processors it was not measured, and all is as ever. With
`ENABLED` = False it is so everywhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..memory import available_ram
from ..precision import cpu_has_avx512, cpu_has_bf16_without_matrix_units, cpu_is_amd
from .onednn import SMALLEST, product

ENABLED = True
FEWEST_TOKENS: Final = 64  # of a run that wins the time back
ROWS: Final = 4  # for which oneDNN's product is fastest with AVX-512: fewer are filled with zeros
MOST_ROWS: Final = 16  # from 32 on the layout gains little
RAM_SHARE: Final = 0.5  # of the memory available that the copies may take


class PackedWeight:
    """The weight [N, K] and bias [N] of a linear layer, laid out when first used."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight, self.bias = weight.detach(), bias
        self.is_packed = False

    def __call__(self, input: Tensor) -> Tensor:
        """`input` [..., K] to [..., N], as `F.linear`."""
        if not self.is_packed:
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, ROWS)
            self.is_packed = True
        rows = input.numel() // input.shape[-1]
        if rows >= ROWS or not cpu_has_avx512():
            return product(input, self.weight, self.bias)
        filled = F.pad(input.reshape(rows, -1), (0, 0, 0, ROWS - rows))
        return product(filled, self.weight, self.bias)[:rows].unflatten(0, input.shape[:-1])


def pays(weights: Sequence[Tensor], tokens: int, rows: int) -> bool:
    """Whether laying out `weights` is won back by `tokens` steps of so many rows, and there is
    memory for it."""
    return (
        ENABLED
        and tokens >= FEWEST_TOKENS
        and (1 if cpu_has_avx512() else 2) <= rows <= MOST_ROWS
        and all(is_served(weight) for weight in weights)
        and sum(weight.nbytes for weight in weights) <= RAM_SHARE * available_ram()
    )


def is_served(weight: Tensor) -> bool:
    """Whether products with `weight` are faster in oneDNN's layout: on this processor, in this
    dtype and size."""
    faster = {torch.float32: cpu_is_amd, torch.bfloat16: cpu_has_bf16_without_matrix_units}
    return (
        weight.device.type == "cpu"
        and weight.dtype in faster
        and weight.numel() >= SMALLEST
        and weight.is_contiguous()
        and faster[weight.dtype]()
        and has_layout(weight.dtype)
    )


@cache
def has_layout(dtype: torch.dtype) -> bool:
    """Whether this torch has the layout and its product in `dtype`; tried once."""
    one = torch.ones(1, 1, dtype=dtype)
    try:
        return PackedWeight(one)(one).item() == 1
    except (AttributeError, NotImplementedError, RuntimeError):
        return False


@contextmanager
def packed_layers(layers: Sequence[nn.Linear]) -> Iterator[None]:
    """Within it the layers compute with packed weights, which are freed at its end."""
    try:
        for layer in layers:
            layer.forward = PackedWeight(layer.weight, layer.bias)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)  # the class's own again

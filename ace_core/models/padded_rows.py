"""Rows of linear layers for oneDNN, which multiplies them in blocks of equal size: the largest
divisor of their number up to 256. 376 rows are two blocks of 188, but 325 are five of 65, and each
block reads all weights again: 326 rows take 0.91 of the time, 1,326 take 0.86 of that of 1,325 (AMD
EPYC, one thread; more of it with two). A few rows of zeros are added where that makes fewer blocks.

Rows do not depend on each other. With gradients, on other devices and processors, in other dtypes
and for a compiler none is added; with `ENABLED` = False nowhere.
"""

from functools import cache
from itertools import count
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..precision import cpu_has_bf16_without_matrix_units, cpu_is_amd
from .row_blocks import is_plain_cpu

ENABLED = True
BLOCK: Final = 256  # rows that oneDNN multiplies at once, at most
MOST: Final = 7  # rows that are added


def padded(x: Tensor) -> Tensor:
    """`x` [B, T, E] with rows of zeros below it as [1, B * T + added, E], or `x` itself."""
    rows = x.shape[0] * x.shape[1]
    added = padded_length(rows) - rows if serves(x) else 0
    return F.pad(x.flatten(0, 1), (0, 0, 0, added))[None] if added else x


def unpadded(y: Tensor, x: Tensor) -> Tensor:
    """`y`, which layers made of `padded(x)`, without the added rows: [B, T, N] as `x` is."""
    batch, length, _ = x.shape
    if y.shape[:2] == x.shape[:2]:
        return y
    return y[0, : batch * length].unflatten(0, (batch, length))


def serves(x: Tensor) -> bool:
    """Whether rows of `x` may be added."""
    if not ENABLED or not is_plain_cpu(x):  # first: a compiler would note what is asked after it
        return False
    if x.dtype is torch.bfloat16:
        return cpu_has_bf16_without_matrix_units()
    return x.dtype is torch.float32 and cpu_is_amd()


@cache
def padded_length(rows: int) -> int:
    """The number from `rows` on, at most `MOST` more, that makes the fewest blocks."""
    return min(range(rows, rows + MOST + 1), key=_blocks)


def _blocks(rows: int) -> int:
    """How many equal ones of at most `BLOCK` rows."""
    return next(blocks for blocks in count(max(1, -(-rows // BLOCK))) if rows % blocks == 0)

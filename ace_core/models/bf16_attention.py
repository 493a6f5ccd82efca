"""Attention in bfloat16 on a CPU that has instructions for it but no matrix units (AMD from Zen 4
on). Torch's own kernel multiplies there at the rate of float32; oneDNN's matrix products run at
twice that, but their results are bfloat16, and a score of 20 rounded to it changes its weight by up
to 6 %.

So the exponential is taken before the rounding, inside the product: oneDNN can apply the logistic
function to the float32 sums of a linear layer, and with `OFFSET` subtracted from every score
logistic(s - OFFSET) is exp(s - OFFSET) to within a thousandth where s <= `REACH`, half of what
rounding to bfloat16 changes. The factor exp(-OFFSET) cancels when the weights are divided by their
sum. So it is the weights that are rounded, as in torch's kernel; queries are too once more, when
they are scaled. Rows with scores out of reach are computed by torch.

With gradients, on other devices and processors, in other dtypes and for a compiler torch's kernel
is used; with `ENABLED` = False everywhere.
"""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..precision import cpu_has_bf16_without_matrix_units
from .onednn import has_product, product
from .row_blocks import is_plain_cpu

ENABLED = True
SHORTEST: Final = 64  # queries and keys; below, the calls cost more than is gained
ROWS: Final = 512  # of a product, whose weights then stay in the cache
OFFSET: Final = 40.0  # exact in bfloat16
REACH: Final = 33.0  # of the scores' log-sum-exp: exp(-OFFSET - REACH) is still a normal number


def serves(q: Tensor, k: Tensor) -> bool:
    """Whether attention of q [B, H, T, D] to k [B, H_kv, L, D] is faster here."""
    return (
        ENABLED
        and is_plain_cpu(q)  # first: a compiler would note what is asked of shapes before it
        and q.dtype is torch.bfloat16
        and min(q.shape[2], k.shape[2]) >= SHORTEST
        and cpu_has_bf16_without_matrix_units()
        and has_product(q.dtype)
    )


def attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """q [B, H, T, D] to k and v [B, H_kv, L, D], `bias` [B or 1, 1, T, L] added to its scores:
    [B, H, T, D]."""
    groups, heads = q.shape[1] // k.shape[1], k.shape[1]
    scaled = torch.mul(q, q.shape[-1] ** -0.5, out=q.new_empty(q.shape))
    # the query heads of a key head one after the other: [B * H_kv, groups * T, D]
    queries = scaled.view(-1, groups * q.shape[2], q.shape[3])
    keys, values = (each.contiguous().flatten(0, 1) for each in (k, v))
    factors = _factors(bias, len(q), groups)
    out = torch.empty_like(queries)
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        factor = None if factors is None else factors[index // heads]
        for at in range(0, queries.shape[1], ROWS):
            rows = slice(at, at + ROWS)
            seen = None if factor is None else factor[rows]
            _attend(queries[index, rows], key, value, seen, out[index, rows])
    return out.view(q.shape)


def _attend(q: Tensor, k: Tensor, v: Tensor, factor: Tensor | None, out: Tensor) -> None:
    """Attention of scaled q [N, D] to k and v [L, D], its weights times `factor` [N, L], in
    `out` [N, D]."""
    offset = q.new_full((len(k),), -OFFSET)
    weights = product(q, k, offset, "sigmoid")
    if factor is not None:
        weights.mul_(factor)
    sums = weights.sum(dim=-1, keepdim=True, dtype=torch.float32)
    smallest, largest = (float(each) for each in sums.aminmax())
    if math.exp(-OFFSET - REACH) < smallest and largest < math.exp(-OFFSET + REACH):
        torch.div(weights @ v, sums, out=out)
        return
    bias = None if factor is None else factor.log()[None]
    out.copy_(
        F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=bias, scale=1.0)[0]
    )


def _factors(bias: Tensor | None, batch: int, groups: int) -> Tensor | None:
    """What a bias of the scores makes of the weights, for every query of a key head:
    [B, groups * T, L]."""
    if bias is None:
        return None
    factors = bias.exp().expand(batch, groups, -1, -1)
    return factors.flatten(1, 2)

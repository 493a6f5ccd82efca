"""Attention in which several query heads share a key head, on every torch that we support."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

SHARES_HEADS: Final = torch.__version__ >= "2.5"  # compared as versions, not as text


def grouped_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Attention of q [B, H, T, D] to k and v [B, H_kv, L, D], `bias` [..., T, L] added to its
    scores: [B, H, T, D].

    Keys and values are repeated, one copy a query head, only where torch cannot share them:
    before 2.5, and under a bias on CUDA, whose fused kernels share them without one only.
    """
    groups = q.shape[1] // k.shape[1]
    if groups == 1:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal)
    if SHARES_HEADS and (bias is None or not q.is_cuda):
        return F.scaled_dot_product_attention(
            q, k, v, attn_mask=bias, is_causal=causal, enable_gqa=True
        )
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal)

"""Grouped-query attention with normed queries and keys, as every ACE-Step 1.5 layer has it.

It knows no masks of padding in self-attention: items are encoded one by one, so nothing is padded.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..precision import at_least_float32
from .config import StackConfig
from .grouped import grouped_attention
from .ops import Ops
from .sliding import Window

Rope = tuple[Tensor, Tensor]  # cosines [T, 1, D], of both halves, and sines [T, 1, D/2]
KV = tuple[Tensor, Tensor]  # keys and values, each [B, H_kv, L, D]


def rope_table(length: int, size: StackConfig, like: Tensor) -> Rope:
    """Rotary angles of positions 0 to `length` - 1 in the dtype and on the device of `like`.

    Made in float32 or better, and in the forward pass, because a buffer would be one more thing for
    a host to move and to leave uninitialised.
    """
    place = {"device": like.device, "dtype": at_least_float32(like.dtype)}
    exponents = torch.arange(0, size.head_dim, 2, **place) / size.head_dim  # [D/2]
    angles = torch.outer(torch.arange(length, **place), 1.0 / size.rope_theta**exponents).unsqueeze(
        1
    )
    return angles.cos().to(like.dtype).repeat(1, 1, 2), angles.sin().to(like.dtype)


def rotate(x: Tensor, rope: Rope) -> Tensor:
    """`x` [B, T, H, D] turned by its positions; the halves of D are the two coordinates.

    Added in place: on a CPU a fresh tensor costs more than the arithmetic.
    """
    cos, sin = rope
    half = x.shape[-1] // 2
    turned = x * cos
    turned[..., :half].addcmul_(x[..., half:], sin, value=-1)
    turned[..., half:].addcmul_(x[..., :half], sin)
    return turned


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attention of q [B, H, T, D] to k and v [B, H_kv, L, D]; returns [B, T, H * D]."""
    return grouped_attention(q, k, v, bias).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Self-attention by `forward`; cross-attention by `project_kv` once and `read` at each step."""

    def __init__(self, size: StackConfig, ops: Ops) -> None:
        super().__init__()
        if size.heads % size.kv_heads:
            raise ValueError(
                f"heads ({size.heads}) must be a multiple of kv_heads ({size.kv_heads})"
            )
        self.head_dim = size.head_dim
        self.groups = size.heads // size.kv_heads
        inner = size.heads * size.head_dim
        self.q_proj = ops.linear(size.hidden_size, inner, bias=False)
        self.k_proj = ops.linear(size.hidden_size, size.kv_heads * size.head_dim, bias=False)
        self.v_proj = ops.linear(size.hidden_size, size.kv_heads * size.head_dim, bias=False)
        self.o_proj = ops.linear(inner, size.hidden_size, bias=False)
        self.q_norm = ops.norm(size.head_dim, size.norm_eps)
        self.k_norm = ops.norm(size.head_dim, size.norm_eps)

    def forward(self, x: Tensor, rope: Rope, window: Window | None = None) -> Tensor:
        """`x` [B, T, E] attends to itself, within `window` when there is one."""
        q = rotate(self.q_norm(self._split(self.q_proj(x))), rope).transpose(1, 2)  # [B, H, T, D]
        k = rotate(self.k_norm(self._split(self.k_proj(x))), rope).transpose(1, 2)
        v = self._split(self.v_proj(x)).transpose(1, 2)  # [B, H_kv, T, D]
        if window is None:
            return self.o_proj(attend(q, k, v))  # [B, T, E]
        return self.o_proj(window.join(attend(*window.split(q, k, v), window.bias)))

    def project_kv(self, encoded: Tensor) -> KV:
        """Keys and values of `encoded` [B, L, E]; they depend on nothing else."""
        k = self.k_norm(self._split(self.k_proj(encoded)))
        v = self._split(self.v_proj(encoded))
        return k.transpose(1, 2), v.transpose(1, 2)

    def read(self, x: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """`x` [B, T, E] attends to keys and values whose batch may be 1; returns [B, T, E]."""
        batch = x.shape[0]
        q = self.q_norm(self._split(self.q_proj(x))).transpose(1, 2)  # [B, H, T, D]
        k, v = k.expand(batch, -1, -1, -1), v.expand(batch, -1, -1, -1)
        return self.o_proj(attend(q, k, v))

    def shares(self, x: Tensor, k: Tensor, heads: Sequence[int]) -> Tensor:
        """How much of its attention each place of `x` [B, T, E] gives each key of `k`
        [B, H_kv, L, D], by some of the heads: [B, len(heads), T, L] in float32 or better."""
        q = self.q_norm(self._split(self.q_proj(x))).transpose(1, 2)[:, list(heads)]
        own = k.expand(len(x), -1, -1, -1)[:, [head // self.groups for head in heads]]
        scores = q @ own.transpose(-1, -2) * self.head_dim**-0.5
        return scores.to(at_least_float32(scores.dtype)).softmax(dim=-1)

    def read_only_place(self, v: Tensor) -> Tensor:
        """What `read` gives for the value of a single key [B, H_kv, 1, D], whatever the queries:
        [B, 1, E]."""
        return self.o_proj(v.repeat_interleave(self.groups, dim=1).transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim))  # [B, T, H, D]

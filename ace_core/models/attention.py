"""The attention of every ACE-Step 1.5 transformer, and the encoder layers made of it.

Grouped-query attention with normed queries and keys and rotary positions. Layers for which
`StackConfig.uses_sliding_window` attend within a window, at its cost instead of that of the whole
sequence. There are no padding masks: items are encoded one by one, so nothing is padded.
Source: transformers, models/qwen3/modeling_qwen3.py; ACE-Step-1.5 modeling_acestep_v15_*.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..precision import at_least_float32
from . import bf16_attention
from .config import LayerConfig, StackConfig
from .half import normed, residual_dtype, to_residual
from .ops import Ops
from .padded_rows import padded, unpadded
from .row_blocks import add_branch, in_row_blocks

Rope = tuple[Tensor, Tensor]  # cosines [..., L, 1, D], of both halves, and sines [..., L, 1, D/2]
KV = tuple[Tensor, Tensor]  # keys and values, each [B, H_kv, L, D]

HAS_ENABLE_GQA: Final = torch.__version__ >= "2.5"  # compared as versions, not as text
MAX_DENSE_BLOCKS: Final = 3  # up to this many blocks one dense mask is as fast


def rotary_embedding(positions: Tensor, size: LayerConfig, dtype: torch.dtype) -> Rope:
    """Cosines and sines in `dtype` for tokens at `positions` [..., L].

    Computed in float32 or better, and in the forward pass, because a buffer would be one more thing
    for a host to move and to leave uninitialised.
    """
    exact = at_least_float32(dtype)
    exponents = torch.arange(0, size.head_dim, 2, device=positions.device, dtype=exact)  # [D/2]
    frequencies = 1.0 / size.rope_theta ** (exponents / size.head_dim)
    angles = positions[..., None, None].to(exact) * frequencies  # [..., L, 1, D/2]
    cos, sin = angles.cos().to(dtype), angles.sin().to(dtype)
    return torch.cat((cos, cos), dim=-1), sin


def rotate(x: Tensor, rope: Rope) -> Tensor:
    """`x` [B, L, H, D] rotated by its positions; the halves of D are the two coordinates.

    Added in place: on a CPU a fresh tensor costs more than the arithmetic.
    """
    cos, sin = rope
    half = x.shape[-1] // 2
    rotated = x * cos
    rotated[..., :half].addcmul_(x[..., half:], sin, value=-1)
    rotated[..., half:].addcmul_(x[..., :half], sin)
    return rotated


def rotated_heads(norm: nn.Module, heads: Tensor, rope: Rope) -> Tensor:
    """Heads [B, L, H, D], which are not needed again, normed and rotated: [B, H, L, D]."""

    def rotated(part: Tensor, rows: slice) -> Tensor:
        cos, sin = (each[..., rows, :, :] for each in rope)
        return rotate(norm(part), (cos, sin))

    return in_row_blocks(rotated, heads, out=heads).transpose(1, 2)


def grouped_query_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Attention of q [B, H, T, D] to k and v [B, H_kv, L, D], `bias` [..., T, L] added to its
    scores: [B, H, T, D].

    Keys and values are repeated, one copy per query head, only where torch cannot share them:
    before 2.5, and under a bias on CUDA, whose fused kernels share them without one only.
    """
    if not causal and bf16_attention.serves(q, k):
        return bf16_attention.attention(q, k, v, bias)
    queries_per_kv = q.shape[1] // k.shape[1]
    if queries_per_kv == 1:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal)
    if HAS_ENABLE_GQA and (bias is None or not q.is_cuda):
        return F.scaled_dot_product_attention(
            q, k, v, attn_mask=bias, is_causal=causal, enable_gqa=True
        )
    k, v = k.repeat_interleave(queries_per_kv, dim=1), v.repeat_interleave(queries_per_kv, dim=1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=causal)


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Which keys each query of a sequence may see: |i - j| <= radius.

    A long sequence is cut into blocks of `radius` queries; each block gets the keys of its own span
    widened by `radius` on both sides, so the result is that of a dense mask and the work grows
    linearly with the length. Lengths are those of the tensors: a compiler makes another graph for
    each number that it finds here.
    """

    bias: Tensor  # dense: [1, 1, T, T]; in blocks: [blocks * B, 1, radius, 3 * radius]
    blocked: bool

    def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention of q [B, H, T, D] to k and v [B, H_kv, T, D]: [B, T, H * D], contiguous."""
        if not self.blocked:
            return merge_heads(grouped_query_attention(q, k, v, self.bias))
        length, radius = q.shape[2], self.bias.shape[2]
        padding = -length % radius
        q = F.pad(q, (0, 0, 0, padding)).unflatten(2, (-1, radius))  # [B, H, blocks, radius, D]
        blocks = q.shape[2]
        q = q.transpose(1, 2).flatten(0, 1)  # [B * blocks, H, radius, D]
        k, v = (self._spans(each, padding, radius) for each in (k, v))
        out = merge_heads(grouped_query_attention(q, k, v, self.bias))
        joined = out.unflatten(0, (-1, blocks)).flatten(1, 2)  # [B, T + padding, H * D]
        # a view whose strides a linear layer takes for contiguous: else it copies its weights
        return joined[:, :length].flatten(0, 1).unflatten(0, (-1, length))

    @staticmethod
    def _spans(x: Tensor, padding: int, radius: int) -> Tensor:
        """Keys or values of each block: [B * blocks, H_kv, 3 * radius, D]."""
        padded = F.pad(x, (0, 0, radius, radius + padding))
        spans = padded.unfold(2, 3 * radius, radius)  # [B, H_kv, blocks, D, 3 * radius]
        return spans.permute(0, 2, 1, 4, 3).flatten(0, 1)


def sliding_window(x: Tensor, radius: int) -> SlidingWindow | None:
    """The window for `x` [B, T, E]; None when it holds the whole sequence or there is none
    (`radius` 0)."""
    batch, length, _ = x.shape
    if not radius or length <= radius + 1:
        return None
    if length <= MAX_DENSE_BLOCKS * radius:
        return SlidingWindow(dense_bias(length, radius, x), blocked=False)
    bias = blocked_bias(length, radius, x).repeat(batch, 1, 1, 1)
    return SlidingWindow(bias, blocked=True)


def dense_bias(length: int, radius: int, like: Tensor) -> Tensor:
    """0 where a query may see a key, -inf elsewhere: [1, 1, T, T]."""
    position = torch.arange(length, device=like.device)
    allowed = (position.unsqueeze(1) - position).abs() <= radius
    return _bias(allowed, like)[None, None]


def blocked_bias(length: int, radius: int, like: Tensor) -> Tensor:
    """The same for blocks of `radius` queries: [blocks, 1, radius, 3 * radius].

    Padded keys are never allowed. A padded query may still see the last real key, because the
    padding is shorter than the window, so no row is all -inf.
    """
    blocks = -(-length // radius)
    query = torch.arange(radius, device=like.device).unsqueeze(1)  # position in the block
    span = torch.arange(3 * radius, device=like.device)  # position in the span
    start = torch.arange(blocks, device=like.device).mul(radius)[:, None, None]
    key = start - radius + span  # [blocks, 1, 3 * radius], position in the sequence
    allowed = ((span - radius - query).abs() <= radius) & (key >= 0) & (key < length)
    return _bias(allowed, like).unsqueeze(1)


def _bias(allowed: Tensor, like: Tensor) -> Tensor:
    zeros = torch.zeros(allowed.shape, device=like.device, dtype=like.dtype)
    return zeros.masked_fill(~allowed, float("-inf"))


def merge_heads(x: Tensor) -> Tensor:
    """[B, H, T, D] to [B, T, H * D]."""
    return x.transpose(1, 2).flatten(2)


class AttentionProjections(nn.Module):
    """The four linear layers and two norms of any attention, under their published names."""

    def __init__(self, size: LayerConfig, ops: Ops) -> None:
        super().__init__()
        if size.heads % size.kv_heads:
            raise ValueError(
                f"heads ({size.heads}) must be a multiple of kv_heads ({size.kv_heads})"
            )
        self.head_dim = size.head_dim
        self.queries_per_kv = size.heads // size.kv_heads
        self.q_proj = ops.linear(size.hidden_size, size.heads * size.head_dim, bias=False)
        self.k_proj = ops.linear(size.hidden_size, size.kv_heads * size.head_dim, bias=False)
        self.v_proj = ops.linear(size.hidden_size, size.kv_heads * size.head_dim, bias=False)
        self.o_proj = ops.linear(size.heads * size.head_dim, size.hidden_size, bias=False)
        self.q_norm = ops.norm(size.head_dim, size.norm_eps)
        self.k_norm = ops.norm(size.head_dim, size.norm_eps)

    def project_qkv(self, x: Tensor, rope: Rope) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, H, T, D], keys and values [B, H_kv, T, D] of `x` [B, T, E]."""
        rows = padded(x)
        q, k, v = (
            self._split_heads(unpadded(layer(rows), x))
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotated_heads(self.q_norm, q, rope), rotated_heads(self.k_norm, k, rope)
        return q, k, v.transpose(1, 2)

    def project_out(self, attended: Tensor) -> Tensor:
        """[B, T, H * D] to what the residual stream adds, [B, T, E], in its dtype."""
        return unpadded(to_residual(self.o_proj, padded(attended), attended.dtype), attended)

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim))  # [B, T, H, D]


class SelfAttention(AttentionProjections):
    """Every token to every other one, or to those of its window."""

    def forward(self, x: Tensor, rope: Rope, window: SlidingWindow | None = None) -> Tensor:
        """`x` [B, T, E] to [B, T, E]."""
        q, k, v = self.project_qkv(x, rope)
        if window is None:
            return self.project_out(merge_heads(grouped_query_attention(q, k, v)))
        return self.project_out(window.attention(q, k, v))

    def first_token(self, x: Tensor, rope: Rope) -> Tensor:
        """What the first token gets from all of `x` [B, T, E]: [B, 1, E]."""
        cos, sin = rope
        first = self._split_heads(self.q_proj(x[:, :1].contiguous()))
        q = rotated_heads(self.q_norm, first, (cos[..., :1, :, :], sin[..., :1, :, :]))
        k = rotated_heads(self.k_norm, self._split_heads(self.k_proj(x)), rope)
        v = self._split_heads(self.v_proj(x)).transpose(1, 2)
        return self.project_out(merge_heads(grouped_query_attention(q, k, v)))


class CrossAttention(AttentionProjections):
    """To the keys and values of another sequence, which are projected once by `project_kv`."""

    def project_kv(self, encoded: Tensor) -> KV:
        """Keys and values of `encoded` [B, L, E]; they have no positions."""
        k = self.k_norm(self._split_heads(self.k_proj(encoded)))
        v = self._split_heads(self.v_proj(encoded))
        return k.transpose(1, 2), v.transpose(1, 2)

    def forward(self, x: Tensor, kv: KV) -> Tensor:
        """`x` [B, T, E] to [B, T, E]; `kv` may have batch 1 for all items."""
        q, batch = self._queries(x), len(x)
        k, v = kv[0].expand(batch, -1, -1, -1), kv[1].expand(batch, -1, -1, -1)
        return self.project_out(merge_heads(grouped_query_attention(q, k, v)))

    def single_key(self, v: Tensor) -> Tensor:
        """`forward` to the value [B, H_kv, 1, D] of a single key, whatever the queries: the softmax
        over one key is 1. [B, 1, E]."""
        return self.project_out(merge_heads(v.repeat_interleave(self.queries_per_kv, dim=1)))

    def weights(self, x: Tensor, k: Tensor, heads: Sequence[int]) -> Tensor:
        """Attention weights of `x` [B, T, E] over the keys `k` [B, H_kv, L, D], of some of the
        heads: [B, len(heads), T, L] in float32 or better."""
        q = self._queries(x)[:, list(heads)]
        k = k.expand(len(x), -1, -1, -1)[:, [head // self.queries_per_kv for head in heads]]
        if q.dtype is torch.float16:  # before they are scaled, scores may exceed its range
            q, k = q.float(), k.float()
        scores = q @ k.transpose(-1, -2) * self.head_dim**-0.5
        return scores.to(at_least_float32(scores.dtype)).softmax(dim=-1)

    def _queries(self, x: Tensor) -> Tensor:
        """[B, H, T, D] of `x` [B, T, E]."""
        heads = self._split_heads(unpadded(self.q_proj(padded(x)), x))
        return in_row_blocks(lambda part, _: self.q_norm(part), heads, out=heads).transpose(1, 2)


class MLP(nn.Module):
    """down(silu(gate(x)) * up(x)), in the dtype of the residual stream."""

    def __init__(self, size: LayerConfig, ops: Ops) -> None:
        super().__init__()
        self.gate_proj = ops.linear(size.hidden_size, size.intermediate_size, bias=False)
        self.up_proj = ops.linear(size.hidden_size, size.intermediate_size, bias=False)
        self.down_proj = ops.linear(size.intermediate_size, size.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows = padded(x)
        gate = self.gate_proj(rows).to(residual_dtype(x.dtype))
        product = F.silu(gate, inplace=True).mul_(self.up_proj(rows))
        return unpadded(to_residual(self.down_proj, product, x.dtype), x)


def normed_rows(norm: nn.Module, x: Tensor, dtype: torch.dtype) -> Tensor:
    """The normed residual stream `x` [B, T, E] in `dtype`, that of the branches."""
    return in_row_blocks(lambda part, _: normed(norm, part, dtype).to(dtype), x)


class TransformerLayer(nn.Module):
    """Pre-norm: attention and MLP, each on a normed copy and added to the residual."""

    def __init__(self, size: LayerConfig, attention: AttentionProjections, ops: Ops) -> None:
        super().__init__()
        self.input_layernorm = ops.norm(size.hidden_size, size.norm_eps)
        self.self_attn = attention
        self.post_attention_layernorm = ops.norm(size.hidden_size, size.norm_eps)
        self.mlp = MLP(size, ops)

    def forward(self, x: Tensor, rope: Rope, *attention_inputs: Any) -> Tensor:
        """The residual stream [B, T, E] with both added. They compute in the dtype of `rope`; the
        other inputs are those of the attention."""
        dtype = rope[0].dtype
        h = normed_rows(self.input_layernorm, x, dtype)
        return self._with_mlp(add_branch(x, self.self_attn(h, rope, *attention_inputs)), dtype)

    def first_token(self, x: Tensor, rope: Rope) -> Tensor:
        """`forward` at the first token of `x` [B, T, E], which sees all of it: [B, 1, E]."""
        attention, dtype = cast("SelfAttention", self.self_attn), rope[0].dtype
        h = normed_rows(self.input_layernorm, x, dtype)
        return self._with_mlp(add_branch(x[:, :1], attention.first_token(h, rope)), dtype)

    def _with_mlp(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        return add_branch(x, self.mlp(normed_rows(self.post_attention_layernorm, x, dtype)))


class Encoder(nn.Module):
    """An input projection, layers of which some see only their window, a norm."""

    def __init__(self, size: StackConfig, in_features: int, layers: int, ops: Ops) -> None:
        super().__init__()
        self.size = size
        self.embed_tokens = ops.linear(in_features, size.hidden_size)
        self.layers = nn.ModuleList(
            TransformerLayer(size, SelfAttention(size, ops), ops) for _ in range(layers)
        )
        self.norm = ops.norm(size.hidden_size, size.norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        """`x` [B, T, in_features] to [B, T, E]."""
        return self.run_layers(self.embed_tokens(x))

    def run_layers(self, x: Tensor) -> Tensor:
        """The layers and the norm on `x` [B, T, E], already projected."""
        return self._normed(self._run(self._layers, x), x.dtype)

    def first_token(self, x: Tensor) -> Tensor:
        """`run_layers` at the first token alone: [B, E]. Of the last layer it needs no other
        queries, and only the keys in its window."""
        last, dtype = len(self.layers) - 1, x.dtype
        x = self._run(self._layers[:-1], x)
        if self.size.uses_sliding_window(last):
            x = x[:, : self.size.window + 1].contiguous()
        x = self._layers[last].first_token(x, self._rope(x, dtype))
        return self._normed(x[:, 0], dtype)

    @property
    def _layers(self) -> "Sequence[TransformerLayer]":
        return cast("Sequence[TransformerLayer]", self.layers)

    def _rope(self, x: Tensor, dtype: torch.dtype) -> Rope:
        return rotary_embedding(torch.arange(x.shape[1], device=x.device), self.size, dtype)

    def _run(self, layers: Iterable[TransformerLayer], x: Tensor) -> Tensor:
        """The residual stream [B, T, E] after the first `layers` of the stack on `x`."""
        rope, window = self._rope(x, x.dtype), sliding_window(x, self.size.window)
        x = x.to(residual_dtype(x.dtype))
        for index, layer in enumerate(layers):
            x = layer(x, rope, window if self.size.uses_sliding_window(index) else None)
        return x

    def _normed(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        return normed(self.norm, x, dtype).to(dtype)

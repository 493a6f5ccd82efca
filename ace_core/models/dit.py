"""The diffusion transformer: a noisy latent, its context and its conditions in, a velocity out.

It does not depend on the schedule or the guidance. What follows from the conditions alone, the keys
and values of cross-attention, is computed once per generation by `cross_attention_kv`.
Source: ACE-Step-1.5 modeling_acestep_v15_*.py, AceStepDiTModel; its `output_attentions`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..precision import at_least_float32
from .attention import (
    KV,
    MLP,
    CrossAttention,
    Rope,
    SelfAttention,
    SlidingWindow,
    normed_rows,
    rotary_embedding,
    sliding_window,
)
from .config import DiTConfig
from .half import normed, residual_dtype
from .ops import TORCH, Ops
from .row_blocks import add_branch, in_row_blocks, keep_freed_memory

MAX_PERIOD = 10_000.0  # longest period of the timestep's sinusoids
TIME_SCALE = 1_000.0
WORKSPACE: Final = 128 * 2**20  # bytes that kernels take at any length, measured at 2B and XL
LIVE_TENSORS: Final = 2  # times the largest tensors of a layer: what repeated kv heads need


@dataclass(slots=True, eq=False)
class AttentionCapture:
    """Takes the attention maps of chosen cross-attention heads from a forward, which ends with the
    last layer that has one."""

    heads: Mapping[int, Sequence[int]]  # by layer
    tokens: slice  # of the conditions; lyrics come first among them
    maps: list[Tensor] = field(default_factory=list)  # by layer, [B, heads, tokens, S] in float32

    @property
    def complete(self) -> bool:
        return len(self.maps) == len(self.heads)

    def add(self, weights: Tensor) -> None:
        """The attention weights [B, heads, S, L] of one layer's chosen heads."""
        self.maps.append(weights[..., self.tokens].transpose(-1, -2).contiguous())


class Transpose(nn.Module):
    """[B, T, C] to [B, C, T] and back. A module, so that the convolution between two of them has
    its official name, `proj_in.1` or `proj_out.1`."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class TimestepEmbedding(nn.Module):
    """Flow time to one vector and to the six modulations of every layer."""

    def __init__(self, features: int, hidden_size: int, ops: Ops) -> None:
        super().__init__()
        self.features = features
        self.linear_1 = ops.linear(features, hidden_size)
        self.linear_2 = ops.linear(hidden_size, hidden_size)
        self.time_proj = ops.linear(hidden_size, 6 * hidden_size)

    def forward(self, t: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """`t` [B] to [B, E] and [B, 6, E] in `dtype`.

        t * 1000 is computed in float32 or better whatever the model's dtype. The official code
        multiplies in the dtype of t: in bfloat16 0.9545 becomes 952 and 0.75 becomes 752, and the
        velocity moves by a quarter of its size. Here we deviate.
        """
        half, exact = self.features // 2, at_least_float32(dtype)
        index = torch.arange(half, device=t.device, dtype=exact)
        frequencies = torch.exp(-math.log(MAX_PERIOD) * index / half)
        angles = (t.to(exact) * TIME_SCALE).unsqueeze(1) * frequencies  # [B, features / 2]
        sinusoids = torch.cat((angles.cos(), angles.sin()), dim=-1).to(dtype)
        vector = self.linear_2(F.silu(self.linear_1(sinusoids)))  # [B, E]
        return vector, self.time_proj(F.silu(vector)).unflatten(1, (6, -1))


def modulated(
    norm: nn.Module, x: Tensor, shift: Tensor, scale: Tensor, dtype: torch.dtype
) -> Tensor:
    """The normed residual stream `x` [B, S, E] times 1 + `scale` plus `shift`, each [B, 1, E], in
    `dtype`, that of the branches."""
    factor = 1 + scale
    return in_row_blocks(
        lambda part, _: torch.addcmul(shift, normed(norm, part, dtype), factor).to(dtype), x
    )


class DiTLayer(nn.Module):
    """Modulated self-attention, plain cross-attention, modulated MLP."""

    def __init__(self, config: DiTConfig, index: int, ops: Ops) -> None:
        super().__init__()
        size = config.decoder
        self.index = index
        self.uses_sliding_window = size.uses_sliding_window(index)
        self.self_attn_norm = ops.norm(size.hidden_size, size.norm_eps)
        self.self_attn = SelfAttention(size, ops)
        self.cross_attn_norm = ops.norm(size.hidden_size, size.norm_eps)
        self.cross_attn = CrossAttention(size, ops)
        self.mlp_norm = ops.norm(size.hidden_size, size.norm_eps)
        self.mlp = MLP(size, ops)
        self.scale_shift_table = ops.parameter(1, 6, size.hidden_size)

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        rope: Rope,
        window: SlidingWindow | None,
        kv: KV,
        capture: AttentionCapture | None = None,
    ) -> Tensor:
        """The residual stream `x` [B, S, E] with all three added; `modulation` [B, 6, E] is the
        timestep's, `window` None in a layer without one. They compute in the dtype of `rope`."""
        shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = (
            self.scale_shift_table.to(x) + modulation
        ).chunk(6, dim=1)  # each [B, 1, E]

        dtype = rope[0].dtype
        h = modulated(self.self_attn_norm, x, shift_msa, scale_msa, dtype)
        x = add_branch(x, self.self_attn(h, rope, window), gate_msa)

        if capture is not None and self.index in capture.heads:
            heads, h = capture.heads[self.index], normed(self.cross_attn_norm, x, dtype).to(dtype)
            capture.add(self.cross_attn.weights(h, kv[0], heads))
            if capture.complete:
                return x

        x = add_branch(x, self.cross_attention(x, kv))

        h = modulated(self.mlp_norm, x, shift_mlp, scale_mlp, dtype)
        return add_branch(x, self.mlp(h), gate_mlp)

    def cross_attention(self, x: Tensor, kv: KV) -> Tensor:
        """[B, S, E], or [B, 1, E] where there is one key, as in the null condition."""
        keys, values = kv
        if keys.shape[2] == 1:
            return self.cross_attn.single_key(values)
        return self.cross_attn(normed_rows(self.cross_attn_norm, x, keys.dtype), kv)


class DiT(nn.Module):
    """The decoder of a checkpoint: 24 layers of hidden size 2048 in 2B, 32 of 2560 in XL."""

    def __init__(self, config: DiTConfig, ops: Ops = TORCH) -> None:
        super().__init__()
        size = config.decoder
        self.size, self.patch = size, config.patch
        stride = {"stride": config.patch}
        in_channels = config.context_channels + config.latent_channels
        patches = ops.conv(in_channels, size.hidden_size, config.patch, **stride)
        frames = ops.conv_transpose(
            size.hidden_size, config.latent_channels, config.patch, **stride
        )
        self.proj_in = nn.Sequential(Transpose(), patches, Transpose())
        self.time_embed = TimestepEmbedding(config.time_features, size.hidden_size, ops.exact)
        self.time_embed_r = TimestepEmbedding(config.time_features, size.hidden_size, ops.exact)
        self.condition_embedder = ops.linear(config.encoder.hidden_size, size.hidden_size)
        self.layers = nn.ModuleList(DiTLayer(config, index, ops) for index in range(config.layers))
        self.norm_out = ops.norm(size.hidden_size, size.norm_eps)
        self.proj_out = nn.Sequential(Transpose(), frames, Transpose())
        self.scale_shift_table = ops.parameter(1, 2, size.hidden_size)

    def cross_attention_kv(self, encoded: Tensor) -> list[KV]:
        """Keys and values of every layer, each [B, H_kv, L, D], for `encoded` [B, L, E]."""
        encoded = self.condition_embedder(encoded)
        return [layer.cross_attn.project_kv(encoded) for layer in self._layers]

    def forward(self, x: Tensor, t: Tensor, context: Tensor, kv: Sequence[KV]) -> Tensor:
        """The velocity [B, T, 64] of the noisy latent `x` [B, T, 64] at the flow times `t` [B].

        `context` [B, T, 128] is source and chunk mask; `kv` comes from `cross_attention_kv`. Both
        may have batch 1 for all items. The null condition's may have length 1: equal keys get
        equal attention, whatever their number.
        """
        h, vector = self._run_layers(x, t, context, kv)
        return self._unpatchify(h, vector)[:, : x.shape[1]]

    def attention_maps(
        self, x: Tensor, t: Tensor, context: Tensor, kv: Sequence[KV], capture: AttentionCapture
    ) -> Tensor:
        """How much attention each token S of the latent gives each of the captured tokens of the
        conditions: [B, K, tokens, S] in float32, K heads from the first layer on."""
        self._run_layers(x, t, context, kv, capture)
        return torch.cat(capture.maps, dim=1)

    @property
    def _layers(self) -> "Iterable[DiTLayer]":
        return cast("Iterable[DiTLayer]", self.layers)

    def _run_layers(
        self,
        x: Tensor,
        t: Tensor,
        context: Tensor,
        kv: Sequence[KV],
        capture: AttentionCapture | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The hidden states [B, S, E] after the layers, and the timestep's vector [B, E]."""
        keep_freed_memory(x)
        h = self._patchify(torch.cat((context.expand(len(x), -1, -1), x), dim=-1))
        vector, modulation = self._embed_time(t, h.dtype)
        rope = rotary_embedding(torch.arange(h.shape[1], device=h.device), self.size, h.dtype)
        window = sliding_window(h, self.size.window)
        h = h.to(residual_dtype(h.dtype))
        for index, layer in enumerate(self._layers):
            seen = window if layer.uses_sliding_window else None
            h = layer(h, modulation, rope, seen, kv[index], capture)
            if capture is not None and capture.complete:
                break
        return h, vector

    def _embed_time(self, t: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Both embedders summed; the second is of t - r, which is 0 at inference."""
        vector, modulation = self.time_embed(t, dtype)
        vector_r, modulation_r = self.time_embed_r(torch.zeros_like(t[:1]), dtype)
        return vector + vector_r, modulation + modulation_r

    def _patchify(self, x: Tensor) -> Tensor:
        padding = -x.shape[1] % self.patch
        # contiguous: every linear after it would copy its weights for a transposed bfloat16 input
        return self.proj_in(F.pad(x, (0, 0, 0, padding)) if padding else x).contiguous()

    def _unpatchify(self, h: Tensor, vector: Tensor) -> Tensor:
        shift, scale = (self.scale_shift_table.to(h) + vector.unsqueeze(1)).chunk(2, dim=1)
        return self.proj_out(modulated(self.norm_out, h, shift, scale, vector.dtype))


def memory_estimate(config: DiTConfig, rows: int, frames: int, element_bytes: int) -> int:
    """Bytes that one forward of `rows` items takes beside the weights, from sizes alone.
    `element_bytes` are those of the residual stream, which is float32 beside float16.

    Held against the tensors alive in a forward at real size (2B and XL, 10 s to 3 min): the
    estimate is 1.9 to 2.1 times them, and 1.1 to 1.4 times where a device repeats the kv heads
    within a window.
    """
    size = config.decoder
    tokens = rows * -(-frames // config.patch)
    largest = max(2 * size.intermediate_size, 3 * size.heads * size.head_dim) + 4 * size.hidden_size
    return WORKSPACE + tokens * largest * element_bytes * LIVE_TENSORS

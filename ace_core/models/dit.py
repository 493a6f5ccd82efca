"""The diffusion transformer: a noisy latent, its context and its conditions in, a velocity out.

It knows no schedule and no guidance. What the conditions alone decide, the keys and values of
cross-attention, is computed once per generation by `cross_attention_kv`.
Source: ACE-Step-1.5 modeling_acestep_v15_*.py, AceStepDiTModel.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..precision import at_least_float32
from .attention import KV, Attention, Rope, rope_table
from .blocks import MLP
from .config import DiTConfig
from .ops import TORCH, Ops
from .sliding import Window, make_window

Parts = tuple[Tensor, ...]

MAX_PERIOD = 10_000.0  # longest period of the timestep's sinusoids
TIME_SCALE = 1_000.0
WORKSPACE: Final = 128 * 2**20  # that kernels take whatever the length, measured at 2B and XL
_LIVE: Final = 2  # times the widest layer's tensors: what repeated heads within a window need


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

        t * 1000 is made in float32 or better whatever the model's dtype. The official code
        multiplies in the dtype of t: in bfloat16 0.9545 becomes 952 and 0.75 becomes 752, and the
        velocity moves by a quarter of its size. That is a trap, not a feature; we deviate.
        """
        half = self.features // 2
        wide = at_least_float32(dtype)
        place = torch.arange(half, device=t.device, dtype=wide)
        frequencies = torch.exp(-math.log(MAX_PERIOD) * place / half)
        angles = (t.to(wide) * TIME_SCALE).unsqueeze(1) * frequencies  # [B, features / 2]
        waves = torch.cat((angles.cos(), angles.sin()), dim=-1).to(dtype)
        vector = self.linear_2(F.silu(self.linear_1(waves)))  # [B, E]
        return vector, self.time_proj(F.silu(vector)).unflatten(1, (6, -1))


class DiTLayer(nn.Module):
    """Modulated self-attention, plain cross-attention, modulated MLP."""

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        super().__init__()
        size = config.decoder
        self.self_attn_norm = ops.norm(size.hidden_size, size.norm_eps)
        self.self_attn = Attention(size, ops)
        self.cross_attn_norm = ops.norm(size.hidden_size, size.norm_eps)
        self.cross_attn = Attention(size, ops)
        self.mlp_norm = ops.norm(size.hidden_size, size.norm_eps)
        self.mlp = MLP(size, ops)
        self.scale_shift_table = ops.parameter(1, 6, size.hidden_size)

    def forward(
        self, x: Tensor, modulation: Tensor, rope: Rope, window: Window | None, kv: KV
    ) -> Tensor:
        """`x` [B, S, E], `modulation` [B, 6, E] of the timestep; returns [B, S, E]."""
        parts = self.parts(x, modulation)
        x = self.listen(x, parts, rope, window)
        return self.think(x + self.read(x, kv), parts)

    def parts(self, x: Tensor, modulation: Tensor) -> Parts:
        """Shift, scale and gate of self-attention, then of the MLP, each [B, 1, E]."""
        return (self.scale_shift_table.to(x) + modulation).chunk(6, dim=1)

    def listen(self, x: Tensor, parts: Parts, rope: Rope, window: Window | None) -> Tensor:
        """`x` after it has attended to itself."""
        shift, scale, gate = parts[:3]
        normed = torch.addcmul(shift, self.self_attn_norm(x), 1 + scale)
        return torch.addcmul(x, self.self_attn(normed, rope, window), gate)

    def think(self, x: Tensor, parts: Parts) -> Tensor:
        """`x` after the MLP."""
        shift, scale, gate = parts[3:]
        normed = torch.addcmul(shift, self.mlp_norm(x), 1 + scale)
        return torch.addcmul(x, self.mlp(normed), gate)

    def read(self, x: Tensor, kv: KV) -> Tensor:
        """The keys and values as each token of `x` reads them, [B, S, E]."""
        keys, values = kv
        if keys.shape[2] == 1:  # a place alone is read whole, whatever the query
            return self.cross_attn.read_only_place(values)
        return self.cross_attn.read(self.cross_attn_norm(x), keys, values)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A noisy latent on its way into the layers."""

    tokens: Tensor  # [B, S, E]
    vector: Tensor  # [B, E] of the timestep
    modulation: Tensor  # [B, 6, E]
    rope: Rope
    window: Window | None


class DiT(nn.Module):
    """The decoder of a checkpoint: 24 layers of hidden size 2048 in 2B, 32 of 2560 in XL."""

    def __init__(self, config: DiTConfig, ops: Ops = TORCH) -> None:
        super().__init__()
        size = config.decoder
        self.size, self.patch = size, config.patch
        step = {"stride": config.patch}
        in_channels = config.context_channels + config.latent_channels
        patches = ops.conv(in_channels, size.hidden_size, config.patch, **step)
        frames = ops.conv_transpose(size.hidden_size, config.latent_channels, config.patch, **step)
        self.proj_in = nn.Sequential(Transpose(), patches, Transpose())
        self.time_embed = TimestepEmbedding(config.time_features, size.hidden_size, ops.exact)
        self.time_embed_r = TimestepEmbedding(config.time_features, size.hidden_size, ops.exact)
        self.condition_embedder = ops.linear(config.encoder.hidden_size, size.hidden_size)
        self.layers = nn.ModuleList(DiTLayer(config, ops) for _ in range(config.layers))
        self.norm_out = ops.norm(size.hidden_size, size.norm_eps)
        self.proj_out = nn.Sequential(Transpose(), frames, Transpose())
        self.scale_shift_table = ops.parameter(1, 2, size.hidden_size)

    def cross_attention_kv(self, encoded: Tensor) -> list[KV]:
        """Keys and values of every layer, each [B, H_kv, L, D], for `encoded` [B, L, E]."""
        x = self.condition_embedder(encoded)
        return [layer.cross_attn.project_kv(x) for layer in self.stack()]

    def forward(self, x: Tensor, t: Tensor, context: Tensor, kv: list[KV]) -> Tensor:
        """The velocity [B, T, 64] of the noisy latent `x` [B, T, 64] at the flow times `t` [B].

        `context` [B, T, 128] is source and chunk mask; `kv` comes from `cross_attention_kv`. Both
        may have batch 1 for all items. The null condition's may have length 1: equal keys get
        equal attention, whatever their number.
        """
        entry = self.enter(x, t, context)
        h = entry.tokens
        for index, layer in enumerate(self.layers):
            seen = entry.window if self.size.slides(index) else None
            h = layer(h, entry.modulation, entry.rope, seen, kv[index])
        return self._unpatchify(h, entry.vector)[:, : x.shape[1]]

    def enter(self, x: Tensor, t: Tensor, context: Tensor) -> Entry:
        """What the first layer is given."""
        h = self._patchify(torch.cat((context.expand(len(x), -1, -1), x), dim=-1))
        vector, modulation = self._time(t, h.dtype)
        rope = rope_table(h.shape[1], self.size, h)
        return Entry(h, vector, modulation, rope, make_window(h.shape[1], self.size.window, h))

    def _time(self, t: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Both embedders summed; the second is of t - r, which is 0 at inference."""
        vector, modulation = self.time_embed(t, dtype)
        still_vector, still_modulation = self.time_embed_r(torch.zeros_like(t[:1]), dtype)
        return vector + still_vector, modulation + still_modulation

    def _patchify(self, x: Tensor) -> Tensor:
        spare = -x.shape[1] % self.patch
        # contiguous: every linear after it would copy its weights for a transposed bfloat16 input
        return self.proj_in(F.pad(x, (0, 0, 0, spare)) if spare else x).contiguous()

    def _unpatchify(self, h: Tensor, vector: Tensor) -> Tensor:
        shift, scale = (self.scale_shift_table.to(h) + vector.unsqueeze(1)).chunk(2, dim=1)
        return self.proj_out(torch.addcmul(shift, self.norm_out(h), 1 + scale))

    def stack(self) -> Iterator[DiTLayer]:
        """The layers, from the first to the last."""
        for layer in self.layers:
            assert isinstance(layer, DiTLayer)  # noqa: S101  what nn.ModuleList does not tell the type checker
            yield layer


def memory_estimate(config: DiTConfig, rows: int, frames: int, element_bytes: int) -> int:
    """Bytes that one forward of `rows` items takes beside the weights, from sizes alone.

    Held against the tensors alive in a forward at real size (2B and XL, 10 s to 3 min): the
    estimate is 1.9 to 2.1 times them, and 1.1 to 1.4 times where a device repeats the heads within
    a window.
    """
    size = config.decoder
    tokens = rows * -(-frames // config.patch)
    widest = max(2 * size.intermediate_size, 3 * size.heads * size.head_dim) + 4 * size.hidden_size
    return WORKSPACE + tokens * widest * element_bytes * _LIVE

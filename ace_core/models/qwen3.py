"""Qwen3, which serves ACE-Step 1.5 twice: as text encoder and, with a larger vocabulary, as the
language model that plans songs.

Parameter names are the published ones without a leading `model.`. It knows no tokenizer and picks
no token. Source: transformers, models/qwen3/modeling_qwen3.py (layout and formulas).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..constants import NORM_EPS, ROPE_THETA
from ..errors import CheckpointError
from ..precision import at_least_float32
from .attention import Rope, rotate
from .cache import Cache, Prefill
from .grouped import grouped_attention
from .ops import TORCH, Ops


@dataclass(frozen=True, slots=True)
class Qwen3Config:
    """Sizes of a Qwen3. `vocab_size` is the number of embedding rows."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    rope_theta: float = ROPE_THETA
    norm_eps: float = NORM_EPS

    @classmethod
    def from_shapes(
        cls, shapes: Mapping[str, Sequence[int]], config: Mapping[str, Any] | None = None
    ) -> "Qwen3Config":
        """Sizes from the weights' shapes; `config` (a config.json) adds what shapes cannot tell.

        Raises:
            CheckpointError: a tensor that every Qwen3 has is missing.
        """

        def shape(name: str) -> Sequence[int]:
            if name not in shapes:
                raise CheckpointError(
                    f"There is no tensor {name} in this file, so it is not a Qwen3 text encoder "
                    "or language model. Choose one of ACE-Step 1.5's."
                )
            return shapes[name]

        vocab_size, hidden_size = shape("embed_tokens.weight")
        (head_dim,) = shape("layers.0.self_attn.q_norm.weight")
        layers = 1 + max(int(name.split(".")[1]) for name in shapes if name.startswith("layers."))
        settings = config or {}
        return cls(
            vocab_size=vocab_size,
            hidden_size=hidden_size,
            intermediate_size=shape("layers.0.mlp.gate_proj.weight")[0],
            layers=layers,
            heads=shape("layers.0.self_attn.q_proj.weight")[0] // head_dim,
            kv_heads=shape("layers.0.self_attn.k_proj.weight")[0] // head_dim,
            head_dim=head_dim,
            rope_theta=float(settings.get("rope_theta", ROPE_THETA)),
            norm_eps=float(settings.get("rms_norm_eps", NORM_EPS)),
        )


def rotation(positions: Tensor, config: Qwen3Config, dtype: torch.dtype) -> Rope:
    """What turns tokens at `positions` [B, L]: cosines [B, L, 1, D] and sines [B, L, 1, D/2]."""
    wide = at_least_float32(dtype)
    half = torch.arange(0, config.head_dim, 2, device=positions.device, dtype=wide)
    rates = 1.0 / config.rope_theta ** (half / config.head_dim)  # [D/2]
    angles = positions[:, :, None, None].to(wide) * rates
    return angles.cos().to(dtype).repeat(1, 1, 1, 2), angles.sin().to(dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Causal attention of a whole text, or of one new token to all before it, with a bias on its
    scores [B, 1, 1, L] if some of them are not to be seen.

    Query heads that share a key head are folded into the query's length for a single token, so
    that keys and values are read once and never repeated.
    """
    batch, heads, length, head_dim = q.shape
    if length > 1:
        return grouped_attention(q, k, v, causal=True)
    grouped = q.reshape(batch, k.shape[1], heads // k.shape[1], head_dim)
    out = F.scaled_dot_product_attention(grouped, k, v, attn_mask=bias)
    return out.reshape(batch, heads, 1, head_dim)


def attend_spans(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Tensor:
    """One new token a row, each to the slots from its row's start on."""
    if cache.bias is not None:
        return attend(q, k, v, cache.bias)
    parts = [attend(q[rows], k[rows, :, slots], v[rows, :, slots]) for rows, slots in cache.spans]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class Attention(nn.Module):
    def __init__(self, config: Qwen3Config, ops: Ops) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        inner, kv = config.heads * config.head_dim, config.kv_heads * config.head_dim
        self.q_proj = ops.linear(config.hidden_size, inner, bias=False)
        self.k_proj = ops.linear(config.hidden_size, kv, bias=False)
        self.v_proj = ops.linear(config.hidden_size, kv, bias=False)
        self.o_proj = ops.linear(inner, config.hidden_size, bias=False)
        self.q_norm = ops.norm(config.head_dim, config.norm_eps)
        self.k_norm = ops.norm(config.head_dim, config.norm_eps)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim))  # [B, L, H, D]

    def forward(self, x: Tensor, turn: Rope, cache: Cache | Prefill | None, layer: int) -> Tensor:
        q = rotate(self.q_norm(self._split(self.q_proj(x))), turn).transpose(1, 2)
        k = rotate(self.k_norm(self._split(self.k_proj(x))), turn).transpose(1, 2)
        v = self._split(self.v_proj(x)).transpose(1, 2)  # [B, Hkv, L, D]
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        out = attend(q, k, v) if not isinstance(cache, Cache) else attend_spans(q, k, v, cache)
        return self.o_proj(out.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    def __init__(self, config: Qwen3Config, ops: Ops) -> None:
        super().__init__()
        self.gate_proj = ops.linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = ops.linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = ops.linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: Qwen3Config, ops: Ops) -> None:
        super().__init__()
        self.self_attn = Attention(config, ops)
        self.mlp = MLP(config, ops)
        self.input_layernorm = ops.norm(config.hidden_size, config.norm_eps)
        self.post_attention_layernorm = ops.norm(config.hidden_size, config.norm_eps)

    def forward(self, x: Tensor, turn: Rope, cache: Cache | Prefill | None, layer: int) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turn, cache, layer)
        return x + self.mlp(self.post_attention_layernorm(x))


class Qwen3(nn.Module):
    """Embedded tokens in, normed states out; the output head is the embedding table itself."""

    def __init__(self, config: Qwen3Config, ops: Ops = TORCH) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = ops.embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config, ops) for _ in range(config.layers))
        self.norm = ops.norm(config.hidden_size, config.norm_eps)

    def embed(self, ids: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """[B, L] token ids to [B, L, E], in `dtype` (that of the weights if `None`)."""
        embedded = self.embed_tokens(ids)
        return embedded if dtype is None else embedded.to(dtype)

    def forward(self, embedded: Tensor, cache: Cache | Prefill | None = None) -> Tensor:
        """[B, L, E] to the normed last states [B, L, E]; every token sees those before it.

        With `cache.prefill(rows)` the text is a prompt, kept for those rows. With the cache
        itself it is one token a row, [B, 1, E], and is kept too.
        """
        if cache is None:
            positions = torch.arange(embedded.shape[1], device=embedded.device)[None]
        else:
            positions = cache.positions
        turn = rotation(positions, self.config, embedded.dtype)
        x = embedded
        for number, layer in enumerate(self.layers):
            x = layer(x, turn, cache, number)
        if isinstance(cache, Cache):
            cache.advance()
        return self.norm(x)

    def head_rows(
        self, rows: range, device: torch.device | str, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Rows of the table, [R, E], to score tokens with (`hidden @ rows.T`) and to embed them.

        To be asked for once a run. Torch's own layer gives a view. A host's layer may keep its
        weights on another device, patched or in another dtype, so it is asked in its own way: by
        looking the rows up.
        """
        if type(self.embed_tokens) is nn.Embedding:
            table = self.embed_tokens.weight[rows.start : rows.stop]
        else:
            table = self.embed_tokens(torch.arange(rows.start, rows.stop, device=device))
        return table.to(device=device, dtype=dtype)

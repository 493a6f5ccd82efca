"""Qwen3, which serves ACE-Step 1.5 twice: as text encoder and, with a larger vocabulary, as the
language model that plans songs.

Parameter names are the published ones without a leading `model.`. It has no tokenizer and picks
no token. Source: transformers, models/qwen3/modeling_qwen3.py (layout and formulas).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..constants import NORM_EPS
from ..errors import CheckpointError
from .attention import (
    AttentionProjections,
    Rope,
    TransformerLayer,
    grouped_query_attention,
    merge_heads,
    rotary_embedding,
)
from .config import LayerConfig, layer_count, layer_sizes, read_number, rope_theta
from .half import normed, residual_dtype
from .kv_cache import KVCache, Prefill
from .ops import TORCH, Ops


@dataclass(frozen=True, slots=True, kw_only=True)
class Qwen3Config(LayerConfig):
    """Sizes of a Qwen3. `vocab_size` is the number of embedding rows."""

    vocab_size: int
    layers: int

    @classmethod
    def from_shapes(
        cls, shapes: Mapping[str, Sequence[int]], config: Mapping[str, Any] | None = None
    ) -> "Qwen3Config":
        """Sizes from the weights' shapes; `config` (a config.json) adds what shapes cannot tell.

        Raises:
            CheckpointError: a tensor that every Qwen3 has is missing or has another form.
        """
        table = shapes.get("embed_tokens.weight", ())
        if len(table) != 2 or 0 in table:
            raise CheckpointError(
                "There is no tensor embed_tokens.weight of two sizes in this file, so it is not a "
                "Qwen3 text encoder or language model. Choose one of ACE-Step 1.5's."
            )
        settings = config or {}
        return cls(
            **layer_sizes(shapes, "layers.0"),
            vocab_size=table[0],
            hidden_size=table[1],
            layers=layer_count(shapes, "layers."),
            rope_theta=rope_theta(settings),
            norm_eps=read_number(settings, "rms_norm_eps", NORM_EPS),
        )


def causal_attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Causal attention of a whole text, or of one new token to all before it, with a bias on its
    scores [B, 1, 1, L] if some of them are hidden: [B, H, T, D].

    Query heads that share a key head are folded into the query's length for a single token, so
    that keys and values are read once and never repeated.
    """
    batch, heads, length, head_dim = q.shape
    if length > 1:
        return grouped_query_attention(q, k, v, causal=True)
    folded = q.reshape(batch, k.shape[1], heads // k.shape[1], head_dim)
    out = F.scaled_dot_product_attention(folded, k, v, attn_mask=bias)
    return out.reshape(batch, heads, 1, head_dim)


def cached_attention(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    """One new token per row, each to the slots from its row's start on: [B, H, 1, D]."""
    if cache.bias is not None:
        return causal_attention(q, k, v, cache.bias)
    parts = [
        causal_attention(q[rows], k[rows, :, slots], v[rows, :, slots])
        for rows, slots in cache.spans
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class CausalSelfAttention(AttentionProjections):
    """Every token to itself and those before it, whose keys and values a cache may keep."""

    def __init__(self, size: LayerConfig, layer: int, ops: Ops) -> None:
        super().__init__(size, ops)
        self.layer = layer

    def forward(self, x: Tensor, rope: Rope, cache: KVCache | Prefill | None) -> Tensor:
        """`x` [B, T, E] to [B, T, E]."""
        q, k, v = self.project_qkv(x, rope)
        if cache is not None:
            k, v = cache.update(self.layer, k, v)
        if isinstance(cache, KVCache):
            return self.project_out(merge_heads(cached_attention(q, k, v, cache)))
        return self.project_out(merge_heads(causal_attention(q, k, v)))


class Qwen3(nn.Module):
    """Embedded tokens in, normed hidden states out; the output head is the embedding table."""

    def __init__(self, config: Qwen3Config, ops: Ops = TORCH) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = ops.embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            TransformerLayer(config, CausalSelfAttention(config, index, ops), ops)
            for index in range(config.layers)
        )
        self.norm = ops.norm(config.hidden_size, config.norm_eps)

    def embed(self, ids: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """[B, L] token ids to [B, L, E], in `dtype` (that of the weights if `None`)."""
        embedded = self.embed_tokens(ids)
        return embedded if dtype is None else embedded.to(dtype)

    def forward(self, embedded: Tensor, cache: KVCache | Prefill | None = None) -> Tensor:
        """[B, L, E] to the normed hidden states [B, L, E]; every token sees those before it.

        With `cache.prefill(rows)` the text is a prompt, kept for those rows. With the cache
        itself it is one token per row, [B, 1, E], and is kept too.
        """
        if cache is None:
            positions = torch.arange(embedded.shape[1], device=embedded.device)[None]
        else:
            positions = cache.positions
        rope = rotary_embedding(positions, self.config, embedded.dtype)
        x = embedded.to(residual_dtype(embedded.dtype))
        for layer in self.layers:
            x = layer(x, rope, cache)
        if isinstance(cache, KVCache):
            cache.advance()
        return normed(self.norm, x, embedded.dtype).to(embedded.dtype)

    def head_rows(
        self, rows: range, device: torch.device | str, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Rows of the table, [R, E], to score tokens with (`hidden @ rows.T`) and to embed them.

        To be called once per run. Torch's own layer gives a view. A host's layer may keep its
        weights on another device, patched or in another dtype, so the rows are looked up.
        """
        if type(self.embed_tokens) is nn.Embedding:
            table = self.embed_tokens.weight[rows.start : rows.stop]
        else:
            table = self.embed_tokens(torch.arange(rows.start, rows.stop, device=device))
        return table.to(device=device, dtype=dtype)

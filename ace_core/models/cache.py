"""Keys and values of a Qwen3 that writes one token at a time, in memory set aside beforehand.

Prompts of different lengths are stored so that all rows end at the same slot: a step writes one
contiguous slice and reads one contiguous slice, whatever the lengths were.

    row 0   . . . a b c d e | f g          start 3
    row 1   h i j k l m n o | p q          start 0     (`.` is never attended to)

A token's position is counted from its own row's start, so that a row's numbers do not depend on
its neighbours.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Sizes(Protocol):
    """What a cache needs to know of a model."""

    @property
    def layers(self) -> int: ...
    @property
    def kv_heads(self) -> int: ...
    @property
    def head_width(self) -> int: ...


class Prefill:
    """The prompt of some rows that share it: run once, stored in each of them."""

    def __init__(self, cache: "Cache", rows: Sequence[int]) -> None:
        self.cache = cache
        self.rows = list(rows)
        self.positions = torch.arange(cache.lengths[self.rows[0]], device=cache.keys.device)[None]
        self.bias = None  # a prompt attends to itself, causally

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores [1, Hkv, L, D] and hands it back: a prompt sees only itself."""
        stop = self.cache.prompt_slots
        for row in self.rows:
            start = stop - self.cache.lengths[row]
            self.cache.keys[layer, row, :, start:stop] = keys[0]
            self.cache.values[layer, row, :, start:stop] = values[0]
        return keys, values


class Cache:
    """Room for B prompts of `lengths` tokens and `steps` tokens after each of them."""

    def __init__(self, sizes: Sizes, lengths: Sequence[int], steps: int, like: Tensor) -> None:
        self.lengths = list(lengths)
        self.prompt_slots = max(self.lengths)
        self.slots = self.prompt_slots + steps
        shape = (sizes.layers, len(self.lengths), sizes.kv_heads, self.slots, sizes.head_width)
        # zeros, not garbage: a masked slot has weight 0, and 0 times NaN is NaN
        self.keys = torch.zeros(shape, device=like.device, dtype=like.dtype)
        self.values = torch.zeros_like(self.keys)
        self.filled = self.prompt_slots
        self.positions = torch.tensor(self.lengths, device=like.device)[:, None]  # [B, 1]
        self._bias = self._starts_bias(like)

    def _starts_bias(self, like: Tensor) -> Tensor | None:
        """[B, 1, 1, slots], -inf before a row's start; `None` if no row starts late."""
        if len(set(self.lengths)) == 1:
            return None
        starts = self.prompt_slots - torch.tensor(self.lengths, device=like.device)[:, None]
        before = torch.arange(self.slots, device=like.device)[None] < starts
        bias = torch.zeros(before.shape, device=like.device, dtype=like.dtype)
        return bias.masked_fill_(before, float("-inf"))[:, None, None]

    def prefill(self, rows: Sequence[int]) -> Prefill:
        """Where the prompt that `rows` share is to be kept."""
        return Prefill(self, rows)

    @property
    def bias(self) -> Tensor | None:
        """[B, 1, 1, filled + 1], for the token that is about to be written."""
        return None if self._bias is None else self._bias[..., : self.filled + 1]

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores one token, [B, Hkv, 1, D], and returns everything up to it."""
        here = self.filled
        self.keys[layer, :, :, here : here + 1] = keys
        self.values[layer, :, :, here : here + 1] = values
        return self.keys[layer, :, :, : here + 1], self.values[layer, :, :, : here + 1]

    def advance(self) -> None:
        """One token was written in every layer."""
        self.filled += 1
        self.positions += 1


def cache_bytes(sizes: Sizes, rows: int, slots: int, element_bytes: int) -> int:
    """Memory that a `Cache` takes."""
    return 2 * sizes.layers * rows * sizes.kv_heads * slots * sizes.head_width * element_bytes

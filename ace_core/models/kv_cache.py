"""The key and value cache of a Qwen3 that generates one token at a time, allocated beforehand.

Prompts of different lengths are stored so that all rows end at the same slot: a step writes one
contiguous slice and reads one contiguous slice, whatever the lengths were.

    row 0   . . . a b c d e | f g          start 3
    row 1   h i j k l m n o | p q          start 0     (`.` is never read)

A token's position is counted from its own row's start, and rows attend from their start on, so
there is no padding and no mask, and what a row computes does not depend on its neighbours.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, Protocol

import torch
from torch import Tensor

BLOCK: Final = 256  # slots by which a static cache grows: few CUDA graphs, little read in vain


class CacheSizes(Protocol):
    """The sizes of a model that fix the shape of its cache."""

    @property
    def layers(self) -> int: ...
    @property
    def kv_heads(self) -> int: ...
    @property
    def head_dim(self) -> int: ...


class Prefill:
    """The prompt that some rows share: run once, stored in each of them."""

    def __init__(self, cache: "KVCache", rows: Sequence[int]) -> None:
        self.cache = cache
        self.rows = list(rows)
        self.positions = torch.arange(cache.lengths[self.rows[0]], device=cache.keys.device)[None]

    def update(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores [1, H_kv, L, D] and returns it: a prompt attends to itself only."""
        stop = self.cache.prompt_slots
        for row in self.rows:
            start = stop - self.cache.lengths[row]
            self.cache.keys[layer, row, :, start:stop] = keys[0]
            self.cache.values[layer, row, :, start:stop] = values[0]
        return keys, values


class KVCache:
    """Slots for B prompts of `lengths` tokens and for `steps` tokens after each of them."""

    def __init__(self, sizes: CacheSizes, lengths: Sequence[int], steps: int, like: Tensor) -> None:
        self.lengths = list(lengths)
        self.prompt_slots = max(self.lengths)
        self.slots = self.prompt_slots + steps
        shape = (sizes.layers, len(self.lengths), sizes.kv_heads, self.slots, sizes.head_dim)
        self.keys = torch.empty(shape, device=like.device, dtype=like.dtype)
        self.values = torch.empty_like(self.keys)
        self.filled = self.prompt_slots
        self.positions = torch.tensor(self.lengths, device=like.device)[:, None]  # [B, 1]
        self.spans = _spans(self.lengths)
        self.bias: Tensor | None = None  # on scores, [B, 1, 1, slots], where spans are not enough

    def prefill(self, rows: Sequence[int]) -> Prefill:
        """What stores the prompt that `rows` share."""
        return Prefill(self, rows)

    def update(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores one token, [B, H_kv, 1, D], and returns all slots up to it; see `spans`."""
        slot = self.filled
        self.keys[layer, :, :, slot : slot + 1] = keys
        self.values[layer, :, :, slot : slot + 1] = values
        return self.keys[layer, :, :, : slot + 1], self.values[layer, :, :, : slot + 1]

    def advance(self) -> None:
        """One token was written in every layer."""
        self.filled += 1
        self.positions += 1


class StaticKVCache(KVCache):
    """A cache whose step is the same work at the same addresses at every token, so that it can be
    captured in a CUDA graph: the slot to write is in a tensor, and slots are read in whole blocks,
    with a bias of -inf for those that a row must not attend to. When a step reads one block more,
    which `open_slot` says, the graph has to be captured anew.
    """

    def __init__(self, sizes: CacheSizes, lengths: Sequence[int], steps: int, like: Tensor) -> None:
        prompt_slots = max(lengths)
        super().__init__(sizes, lengths, whole_blocks(prompt_slots + steps) - prompt_slots, like)
        self.keys.zero_()  # slots under a bias of -inf are read, and a NaN there would spread
        self.values.zero_()
        self.read_slots = 0  # that a step reads
        starts = [self.prompt_slots - length for length in self.lengths]
        self.starts = torch.tensor(starts, device=like.device)[:, None]  # [B, 1]
        self.slot = torch.tensor([self.prompt_slots], device=like.device)  # the slot to write
        self.slot_index = torch.arange(self.slots, device=like.device)

    def open_slot(self) -> bool:
        """Before each step: whether it reads another block."""
        self.filled += 1
        previous, self.read_slots = self.read_slots, whole_blocks(self.filled)
        return self.read_slots != previous

    def update(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if layer == 0:
            self.bias = self._attention_bias(keys.dtype)
        self.keys[layer].index_copy_(2, self.slot, keys)
        self.values[layer].index_copy_(2, self.slot, values)
        return self.keys[layer, :, :, : self.read_slots], self.values[
            layer, :, :, : self.read_slots
        ]

    def _attention_bias(self, dtype: torch.dtype) -> Tensor:
        """[B, 1, 1, read_slots]: 0 from a row's start to the slot being written, -inf elsewhere."""
        index = self.slot_index[: self.read_slots]
        allowed = (index >= self.starts) & (index <= self.slot)
        bias = torch.zeros(allowed.shape, device=allowed.device, dtype=dtype)
        return bias.masked_fill(~allowed, -torch.inf)[:, None, None]

    def advance(self) -> None:
        self.slot += 1
        self.positions += 1


def whole_blocks(slots: int) -> int:
    """`slots` rounded up to whole blocks."""
    return -(-slots // BLOCK) * BLOCK


def _spans(lengths: list[int]) -> list[tuple[slice, slice]]:
    """Neighbouring rows that begin at the same slot, and the slots from there on."""
    spans, row = [], 0
    for length, same in groupby(lengths):
        stop = row + len(list(same))
        spans.append((slice(row, stop), slice(max(lengths) - length, None)))
        row = stop
    return spans


def kv_cache_bytes(sizes: CacheSizes, rows: int, slots: int, element_bytes: int) -> int:
    """Bytes that a `KVCache` takes."""
    return 2 * sizes.layers * rows * sizes.kv_heads * slots * sizes.head_dim * element_bytes

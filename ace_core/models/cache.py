"""Keys and values of a Qwen3 that writes one token at a time, in memory set aside beforehand.

Prompts of different lengths are stored so that all rows end at the same slot: a step writes one
contiguous slice and reads one contiguous slice, whatever the lengths were.

    row 0   . . . a b c d e | f g          start 3
    row 1   h i j k l m n o | p q          start 0     (`.` is never read)

A token's position is counted from its own row's start, and rows attend from their start on, so
there is no padding and no mask, and a row's numbers do not depend on its neighbours.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, Protocol

import torch
from torch import Tensor

BLOCK: Final = 256  # slots by which a fixed cache grows; few recordings, little read in vain


class Sizes(Protocol):
    """What a cache needs to know of a model."""

    @property
    def layers(self) -> int: ...
    @property
    def kv_heads(self) -> int: ...
    @property
    def head_dim(self) -> int: ...


class Prefill:
    """The prompt of some rows that share it: run once, stored in each of them."""

    def __init__(self, cache: "Cache", rows: Sequence[int]) -> None:
        self.cache = cache
        self.rows = list(rows)
        self.positions = torch.arange(cache.lengths[self.rows[0]], device=cache.keys.device)[None]

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
        shape = (sizes.layers, len(self.lengths), sizes.kv_heads, self.slots, sizes.head_dim)
        self.keys = torch.empty(shape, device=like.device, dtype=like.dtype)
        self.values = torch.empty_like(self.keys)
        self.filled = self.prompt_slots
        self.positions = torch.tensor(self.lengths, device=like.device)[:, None]  # [B, 1]
        self.spans = _spans(self.lengths)
        self.bias: Tensor | None = None  # on scores, where spans are not enough

    def prefill(self, rows: Sequence[int]) -> Prefill:
        """Where the prompt that `rows` share is to be kept."""
        return Prefill(self, rows)

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores one token, [B, Hkv, 1, D], and returns all slots up to it; see `spans`."""
        here = self.filled
        self.keys[layer, :, :, here : here + 1] = keys
        self.values[layer, :, :, here : here + 1] = values
        return self.keys[layer, :, :, : here + 1], self.values[layer, :, :, : here + 1]

    def advance(self) -> None:
        """One token was written in every layer."""
        self.filled += 1
        self.positions += 1


class FixedCache(Cache):
    """A cache whose step is the same work at the same addresses at every token, so that it can
    be recorded and replayed: the slot to write is told by a tensor, and slots are read by the
    block, those that a row must not see hidden by a bias.

    `open_slot` before each step says whether the block has grown, and with it the work.
    """

    def __init__(self, sizes: Sizes, lengths: Sequence[int], steps: int, like: Tensor) -> None:
        prompt = max(lengths)
        super().__init__(sizes, lengths, whole_blocks(prompt + steps) - prompt, like)
        self.keys.zero_()  # hidden slots are read, and nothing hides a NaN
        self.values.zero_()
        self.block = 0  # slots that a step reads
        starts = [self.prompt_slots - length for length in self.lengths]
        self.starts = torch.tensor(starts, device=like.device)[:, None]  # [B, 1]
        self.here = torch.tensor([self.prompt_slots], device=like.device)  # the slot to write
        self.numbers = torch.arange(self.slots, device=like.device)

    def open_slot(self) -> bool:
        self.filled += 1
        before, self.block = self.block, whole_blocks(self.filled)
        return self.block != before

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if layer == 0:
            self.bias = self._hidden(keys.dtype)
        self.keys[layer].index_copy_(2, self.here, keys)
        self.values[layer].index_copy_(2, self.here, values)
        return self.keys[layer, :, :, : self.block], self.values[layer, :, :, : self.block]

    def _hidden(self, dtype: torch.dtype) -> Tensor:
        """[B, 1, 1, block]: 0 from a row's start to the slot being written, -inf elsewhere."""
        numbers = self.numbers[: self.block]
        seen = (numbers >= self.starts) & (numbers <= self.here)
        bias = torch.zeros(seen.shape, device=seen.device, dtype=dtype)
        return bias.masked_fill(~seen, -torch.inf)[:, None, None]

    def advance(self) -> None:
        self.here += 1
        self.positions += 1


def whole_blocks(slots: int) -> int:
    """`slots` rounded up to whole blocks."""
    return -(-slots // BLOCK) * BLOCK


def _spans(lengths: list[int]) -> list[tuple[slice, slice]]:
    """Neighbouring rows that begin at the same slot, and the slots from there on."""
    spans, row = [], 0
    for length, same in groupby(lengths):
        following = row + len(list(same))
        spans.append((slice(row, following), slice(max(lengths) - length, None)))
        row = following
    return spans


def cache_bytes(sizes: Sizes, rows: int, slots: int, element_bytes: int) -> int:
    """Memory that a `Cache` takes."""
    return 2 * sizes.layers * rows * sizes.kv_heads * slots * sizes.head_dim * element_bytes

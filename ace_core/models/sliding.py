"""Attention within a window, |i - j| <= reach, at the cost of the window instead of the whole.

A long sequence is cut into blocks of queries; each block sees the keys of its own span widened by
`reach` on both sides, so the result is that of a dense mask and the work grows with the length.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

DENSE_BLOCKS = 3  # up to this many blocks one dense mask is as fast


@dataclass(frozen=True, slots=True)
class Window:
    """How a sequence of `length` is cut, and which keys each query sees."""

    bias: Tensor  # dense: [1, 1, T, T]; banded: [blocks * B, 1, block, block + 2 * reach]
    length: int
    reach: int
    blocks: int  # 0: dense

    def split(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries and keys, values of each block as a batch: [B * blocks, H, ·, D]."""
        if not self.blocks:
            return q, k, v
        spare = self.blocks * self.reach - self.length
        q = F.pad(q, (0, 0, 0, spare)).unflatten(2, (self.blocks, self.reach))
        return q.transpose(1, 2).flatten(0, 1), self._spans(k, spare), self._spans(v, spare)

    def _spans(self, x: Tensor, spare: int) -> Tensor:
        padded = F.pad(x, (0, 0, self.reach, self.reach + spare))
        spans = padded.unfold(2, 3 * self.reach, self.reach)  # [B, H_kv, blocks, D, 3 * reach]
        return spans.permute(0, 2, 1, 4, 3).flatten(0, 1)

    def join(self, attended: Tensor) -> Tensor:
        """Undo `split` on [B * blocks, reach, H * D]: [B, T, H * D], contiguous."""
        if not self.blocks:
            return attended
        whole = attended.unflatten(0, (-1, self.blocks)).flatten(1, 2)
        return whole[:, : self.length].contiguous()


def make_window(length: int, reach: int, like: Tensor) -> Window | None:
    """The window for `like` [B, length, E]; None when it holds the whole sequence or there is none
    (`reach` 0)."""
    if not reach or length <= reach + 1:
        return None
    blocks = -(-length // reach)
    if blocks <= DENSE_BLOCKS:
        return Window(dense_bias(length, reach, like), length, reach, 0)
    bias = banded_bias(length, reach, like).repeat(like.shape[0], 1, 1, 1)
    return Window(bias, length, reach, blocks)


def dense_bias(length: int, reach: int, like: Tensor) -> Tensor:
    """0 where a query sees a key, -inf elsewhere: [1, 1, T, T]."""
    place = torch.arange(length, device=like.device)
    seen = (place.unsqueeze(1) - place).abs() <= reach
    return _bias(seen, like)[None, None]


def banded_bias(length: int, reach: int, like: Tensor) -> Tensor:
    """The same for blocks of `reach` queries: [blocks, 1, reach, 3 * reach].

    Padded keys are never seen. A padded query still sees the last real key, because the padding is
    shorter than the window, so no row is all -inf.
    """
    blocks = -(-length // reach)
    query = torch.arange(reach, device=like.device).unsqueeze(1)  # place within the block
    span = torch.arange(3 * reach, device=like.device)  # place within the span
    start = torch.arange(blocks, device=like.device).mul(reach)[:, None, None]
    key = start - reach + span  # [blocks, 1, 3 * reach], place within the sequence
    seen = ((span - reach - query).abs() <= reach) & (key >= 0) & (key < length)
    return _bias(seen, like).unsqueeze(1)


def _bias(seen: Tensor, like: Tensor) -> Tensor:
    zeros = torch.zeros(seen.shape, device=like.device, dtype=like.dtype)
    return zeros.masked_fill(~seen, float("-inf"))

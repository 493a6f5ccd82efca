"""Stand-in for `comfy.conds`: what a model's `extra_conds` returns, and how it is batched."""

import math
from typing import Any

import torch

from . import utils


class CONDRegular:
    def __init__(self, cond: Any) -> None:
        self.cond = cond

    def _copy_with(self, cond: Any) -> Any:
        return self.__class__(cond)

    def process_cond(self, batch_size: int, **_: Any) -> Any:
        return self._copy_with(utils.repeat_to_batch_size(self.cond, batch_size))

    def can_concat(self, other: Any) -> bool:
        return self.cond.shape == other.cond.shape and self.cond.device == other.cond.device

    def concat(self, others: list[Any]) -> Any:
        return torch.cat([self.cond, *(other.cond for other in others)])

    def size(self) -> list[int]:
        return list(self.cond.size())


class CONDNoiseShape(CONDRegular):
    def process_cond(self, batch_size: int, area: Any = None, **_: Any) -> Any:
        data = self.cond
        area = area or ()
        dims = len(area) // 2
        for place in range(dims):
            data = data.narrow(place + 2, area[place + dims], area[place])
        return self._copy_with(utils.repeat_to_batch_size(data, batch_size))


class CONDCrossAttn(CONDRegular):
    """Lengths may differ: the shorter is repeated up to the common multiple."""

    def can_concat(self, other: Any) -> bool:
        mine, theirs = self.cond.shape, other.cond.shape
        if mine[0] != theirs[0] or mine[2] != theirs[2]:
            return False
        return math.lcm(mine[1], theirs[1]) // min(mine[1], theirs[1]) <= 4

    def concat(self, others: list[Any]) -> Any:
        conds = [self.cond, *(other.cond for other in others)]
        length = math.lcm(*(cond.shape[1] for cond in conds))
        return torch.cat([cond.repeat(1, length // cond.shape[1], 1) for cond in conds])


class CONDConstant(CONDRegular):
    """A value that all items share."""

    def process_cond(self, batch_size: int, **_: Any) -> Any:
        return self._copy_with(self.cond)

    def can_concat(self, other: Any) -> bool:
        return bool(self.cond == other.cond)

    def concat(self, others: list[Any]) -> Any:
        return self.cond

    def size(self) -> list[int]:
        return [1]


class CONDList(CONDRegular):
    def process_cond(self, batch_size: int, **_: Any) -> Any:
        return self._copy_with([utils.repeat_to_batch_size(c, batch_size) for c in self.cond])

    def can_concat(self, other: Any) -> bool:
        return [c.shape for c in self.cond] == [c.shape for c in other.cond]

    def concat(self, others: list[Any]) -> Any:
        columns = zip(self.cond, *(other.cond for other in others), strict=True)
        return [torch.cat(column) for column in columns]

    def size(self) -> list[int]:
        total = sum(math.prod(c.size()) for c in self.cond)
        width = self.cond[-1].shape[1] if self.cond and self.cond[-1].ndim > 1 else 1
        return [1, width, total // width]

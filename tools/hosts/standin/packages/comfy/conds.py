"""Stand-in for `comfy.conds`: what a model's `extra_conds` returns, and how it is batched."""

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


class CONDNoiseShape(CONDRegular):
    """Shaped as the latent, which the stand-in never cuts into areas."""


class CONDConstant(CONDRegular):
    """A value that all items share."""

    def process_cond(self, batch_size: int, **_: Any) -> Any:
        return self._copy_with(self.cond)

    def can_concat(self, other: Any) -> bool:
        return bool(self.cond == other.cond)

    def concat(self, others: list[Any]) -> Any:
        return self.cond


class CONDList(CONDRegular):
    def process_cond(self, batch_size: int, **_: Any) -> Any:
        return self._copy_with([utils.repeat_to_batch_size(c, batch_size) for c in self.cond])

    def can_concat(self, other: Any) -> bool:
        return [c.shape for c in self.cond] == [c.shape for c in other.cond]

    def concat(self, others: list[Any]) -> Any:
        columns = zip(self.cond, *(other.cond for other in others), strict=True)
        return [torch.cat(column) for column in columns]

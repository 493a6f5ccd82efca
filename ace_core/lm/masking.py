"""Where a grammar meets logits: legal tokens as rows of the head, and as a mask over them."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from .grammar import Allowed

FEW = 1_024  # up to so many legal tokens are scored by themselves, without the rest of the head


def few(allowed: Allowed) -> bool:
    return len(allowed) <= FEW


class Masks:
    """Legal tokens as boolean masks over the head's rows, each made once."""

    def __init__(self, rows: range, device: torch.device | str) -> None:
        self.rows = rows
        self.device = device
        self._made: dict[Allowed, Tensor] = {}

    def of(self, allowed: Sequence[Allowed]) -> Tensor | None:
        """[B, R], true where row b's token is legal; `None` if everything is legal for all."""
        if all(legal == self.rows for legal in allowed):
            return None
        return torch.stack([self._mask(legal) for legal in allowed])

    def _mask(self, allowed: Allowed) -> Tensor:
        if allowed not in self._made:
            mask = torch.zeros(len(self.rows), dtype=torch.bool)
            mask[places(allowed, self.rows)] = True
            self._made[allowed] = mask.to(self.device)
        return self._made[allowed]


def places(allowed: Iterable[int], rows: range) -> Tensor:
    """Where the legal tokens stand in the head, in the order of their ids."""
    found = sorted(token - rows.start for token in allowed if token in rows)
    return torch.tensor(found, dtype=torch.long)

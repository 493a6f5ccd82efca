"""A device that is full above some size: the real error of torch, raised where it would be met."""

from collections.abc import Callable
from typing import Any

import pytest
import torch


def crowd(
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    fits: Callable[[torch.Tensor], bool],
    error: type[Exception] = torch.OutOfMemoryError,
) -> list[tuple[int, ...]]:
    """`owner.name` refuses inputs that do not fit. Returns the shapes of those that did."""
    forward = getattr(owner, name)
    seen: list[tuple[int, ...]] = []

    def crowded(*given: Any, **named: Any) -> Any:
        x = next(each for each in given if isinstance(each, torch.Tensor))
        if not fits(x):
            raise error("no room")
        seen.append(tuple(x.shape))
        return forward(*given, **named)

    monkeypatch.setattr(owner, name, crowded)
    return seen

"""What is to be made and what came of it: the values between a batch's folder and its makers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .lines import Line


@dataclass(frozen=True, slots=True)
class Order:
    """A line and the seeds it is made with, one an item."""

    line: Line
    seeds: tuple[int, ...]

    @property
    def id(self) -> str:
        return self.line.id


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A finished file, still under a temporary name, and what its record says beside its hash."""

    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A song as made, or why it was not. `facts` go into its record."""

    order: Order
    files: tuple[MadeFile, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


Make = Callable[[Order, Path], Outcome]  # one song, into files below the folder
# Makes every order, in any sequence, into files below the folder; yields each when it is finished.
Makers = Callable[[Sequence[Order], Path], Iterator[Outcome]]

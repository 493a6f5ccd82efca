"""What is to be made and what came of it: the values between a batch's folder and its makers."""

import hashlib
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


# Makes every order, in any order, into files below the folder; yields each as it is finished.
Makers = Callable[[Sequence[Order], Path], Iterator[Outcome]]


def seeds_of(line: Line, salt: str) -> tuple[int, ...]:
    """The seeds of a line: those it gives, the others drawn from the batch's `salt` and its id.

    So a seed left to chance is the same whenever the batch goes on, and does not depend on the
    other lines.
    """
    given = line.request.get("seeds")
    given = [line.request.get("seed")] if given is None else given
    stated = [given] if isinstance(given, int) else list(given)
    wanted = line.request.get("batch_size", 1)
    return tuple(
        seed if seed is not None and seed >= 0 else _drawn(salt, line.id, item)
        for item, seed in enumerate((stated + [None] * wanted)[:wanted])
    )


def _drawn(salt: str, name: str, item: int) -> int:
    digest = hashlib.sha256(f"{salt}/{name}/{item}".encode()).digest()
    return int.from_bytes(digest[:4], "big")  # 32 bits

"""What a claim comes to, beside its target, and how much of it is measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import fmean, pstdev
from typing import Final


class Unit(Enum):
    """How a value is written."""

    SHARE = "share"
    AUC = "AUC"
    DB = "dB"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` of a claim; the more the better. `target` None: it is shown, no value is asked for.
    `chance` is what music for another request comes to, None where there is no such thing;
    `spread` is the standard deviation over seeds."""

    claim: str
    value: float
    target: float | None = None
    unit: Unit = Unit.SHARE
    spread: float = 0.0
    chance: float | None = None

    @property
    def reached(self) -> bool | None:
        return None if self.target is None else self.value >= self.target

    def row(self) -> str:
        """A row of docs/miniature.md."""
        target = "shown" if self.target is None else self.written(self.target)
        mark = {True: "yes", False: "**no**", None: ""}[self.reached]
        spread = self.written(self.spread)
        return f"| {self.claim} | {target} | {self.written(self.value)} | {spread} | {mark} |"

    def written(self, value: float) -> str:
        """A value of this claim with its unit."""
        if self.unit is Unit.SHARE:
            return f"{100 * value:.0f} %"
        if self.unit is Unit.DB:
            return f"{value:.1f} dB"
        return f"{value:.3f}" if self.unit is Unit.AUC else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a claim is measured on: `requests`, and `fewer` where music takes 32 steps or is
    made many times. Each `seed` has requests and noise of its own."""

    requests: int
    fewer: int
    scales: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0)  # of guidance
    decoded: int = 12  # pieces and repaints whose audio is heard
    steps: int = 32  # of the base model
    seed: int = 0

    @property
    def noise(self) -> int:
        """The seed of the first item's noise."""
        return 1_000 * self.seed

    @property
    def slow(self) -> "Extent":
        """With fewer requests."""
        return replace(self, requests=self.fewer)


QUICK: Final = Extent(requests=12, fewer=6, scales=(1.0, 3.0, 12.0), decoded=2, steps=16)
WHOLE: Final = Extent(requests=48, fewer=16)
EXTENTS: Final = {"quick": QUICK, "whole": WHOLE}


def over_seeds(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """The same figures of several seeds as one: mean and spread."""
    return [
        replace(same[0], value=fmean(f.value for f in same), spread=pstdev(f.value for f in same))
        for same in zip(*runs, strict=True)
    ]

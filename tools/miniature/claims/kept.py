"""The figures that a family reached, kept in a file: what tests of its music hold it to, and what
they came to while our code was broken on purpose."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from .figure import Figure, Unit

SPREADS: Final = 3  # standard deviations over seeds that a figure may fall below what was reached
LEAST: Final = {Unit.SHARE: 0.08, Unit.AUC: 0.05, Unit.DB: 1.0, Unit.NUMBER: 0.05}  # or so much
CLEARLY: Final = 0.5  # of that: how far below its bound a claim has to be to have heard a break
BROKEN: Final = "broken"  # beside the extents


@dataclass(frozen=True, slots=True)
class Heard:
    """A claim on intact code, and what it comes to while something is broken."""

    intact: Figure
    value: float

    @property
    def claim(self) -> str:
        return self.intact.claim

    @property
    def heard(self) -> bool:
        bound = least(self.intact)
        return bound is not None and self.value < bound - CLEARLY * LEAST[self.intact.unit]

    @property
    def fall(self) -> float:
        """How far below its bound, as a share of what was reached beyond chance."""
        bound = least(self.intact)
        if bound is None:
            return -float("inf")
        beyond = abs(self.intact.value - (self.intact.chance or 0.0))
        return (bound - self.value) / max(beyond, LEAST[self.intact.unit])

    def row(self, name: str) -> str:
        """A row of docs/miniature.md."""
        bound, written = least(self.intact), self.intact.written
        held = "chance" if bound is None else f"at least {written(bound)}"
        values = f"{written(self.intact.value)} | {held} | {written(self.value)}"
        return f"| {name} | {self.claim} | {values} | {'yes' if self.heard else '**no**'} |"


def write_reached(path: Path, extent: str, found: Mapping[str, Sequence[Figure]]) -> None:
    """Keep the figures of an extent, "quick" or "whole", with today's date; groups that were not
    measured stay as they are."""
    content = read_reached(path) if path.exists() else {}
    kept = content.setdefault(extent, {})
    for group, figures in found.items():
        kept[group] = {
            "date": date.today().isoformat(),
            "figures": {each.claim: _entry(each) for each in figures},
        }
    _write(path, content)


def write_broken(path: Path, found: Mapping[str, Heard]) -> None:
    """Keep what each break came to, in place of all that were kept."""
    kept = {
        name: {"claim": each.claim, **_entry(each.intact), "broken": round(each.value, 4)}
        for name, each in found.items()
    }
    _write(path, {**read_reached(path), BROKEN: kept})


def read_reached(path: Path) -> dict[str, Any]:
    """By extent and group."""
    return json.loads(path.read_text(encoding="utf-8"))


def reached(path: Path, extent: str, group: str) -> list[Figure]:
    """The figures of a group."""
    kept = read_reached(path)[extent][group]["figures"]
    return [_figure(claim, each) for claim, each in kept.items()]


def broken(path: Path) -> dict[str, Heard]:
    """What each break came to, by its name."""
    kept = read_reached(path)[BROKEN]
    return {
        name: Heard(_figure(each["claim"], each), each["broken"]) for name, each in kept.items()
    }


def least(figure: Figure) -> float | None:
    """What the claim may come to at least: what was reached, less the spread of seeds. None: that
    is no more than chance, so nothing can be held to it."""
    if figure.value == 1 and not figure.spread and figure.chance is None:
        return 1.0  # bit for bit
    bound = figure.value - max(SPREADS * figure.spread, LEAST[figure.unit])
    return None if figure.chance is not None and bound <= figure.chance else round(bound, 4)


def bounds(path: Path, extent: str, group: str) -> dict[str, float]:
    """By claim of a group, what it may come to at least; claims at chance are left out."""
    held = {each.claim: least(each) for each in reached(path, extent, group)}
    return {claim: bound for claim, bound in held.items() if bound is not None}


def heard_most(intact: Sequence[Figure], found: Sequence[Figure]) -> Heard:
    """The claim of a group that falls farthest while something is broken.

    Raises:
        KeyError: they are not of the same claims.
    """
    values = {each.claim: each.value for each in found}
    return max((Heard(each, values[each.claim]) for each in intact), key=lambda each: each.fall)


def _entry(figure: Figure) -> dict[str, Any]:
    return {
        "reached": round(figure.value, 4),
        "spread": round(figure.spread, 4),
        "unit": figure.unit.value,
        "target": figure.target,
        "chance": figure.chance,
    }


def _figure(claim: str, kept: Mapping[str, Any]) -> Figure:
    return Figure(
        claim,
        kept["reached"],
        kept["target"],
        Unit(kept["unit"]),
        kept["spread"],
        kept["chance"],
    )


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

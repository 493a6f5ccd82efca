"""The figures that a family reached, kept in a file: what tests of its music hold it to."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from .figure import Figure, Unit

SPREADS: Final = 3  # standard deviations over seeds that a figure may fall below what was reached
LEAST: Final = {Unit.SHARE: 0.08, Unit.AUC: 0.05, Unit.DB: 1.0, Unit.NUMBER: 0.05}  # or so much


def write_reached(path: Path, extent: str, found: Mapping[str, Sequence[Figure]]) -> None:
    """Keep the figures of an extent, "quick" or "whole", with today's date; groups that were not
    measured stay as they are."""
    content = read_reached(path) if path.exists() else {}
    kept = content.setdefault(extent, {})
    for group, figures in found.items():
        kept[group] = {
            "date": date.today().isoformat(),
            "figures": {
                each.claim: {
                    "reached": round(each.value, 4),
                    "spread": round(each.spread, 4),
                    "least": least(each),
                }
                for each in figures
            },
        }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_reached(path: Path) -> dict[str, Any]:
    """By extent and group."""
    return json.loads(path.read_text(encoding="utf-8"))


def least(figure: Figure) -> float | None:
    """What the claim may come to at least: what was reached, less the spread of seeds. None: that
    is no more than chance, so nothing can be held to it."""
    if figure.value == 1 and not figure.spread and figure.chance is None:
        return 1.0  # bit for bit
    bound = figure.value - max(SPREADS * figure.spread, LEAST[figure.unit])
    return None if figure.chance is not None and bound <= figure.chance else round(bound, 4)


def bounds(path: Path, extent: str, group: str) -> dict[str, float]:
    """By claim of a group, what it may come to at least; claims at chance are left out."""
    kept = read_reached(path)[extent][group]["figures"]
    return {name: each["least"] for name, each in kept.items() if each["least"] is not None}

"""The figures that a family reached, kept in a file: what tests of its music hold it to."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from .figure import Figure

SPREADS: Final = 3  # standard deviations over seeds that a figure may fall below what was reached


def write_reached(path: Path, extent: str, found: Mapping[str, Sequence[Figure]]) -> None:
    """Keep the figures of an extent, "quick" or "whole", with today's date; groups that were not
    measured stay as they are."""
    content = read_reached(path) if path.exists() else {}
    kept = content.setdefault(extent, {})
    for group, figures in found.items():
        kept[group] = {
            "date": date.today().isoformat(),
            "figures": {
                each.claim: {"reached": round(each.value, 4), "spread": round(each.spread, 4)}
                for each in figures
            },
        }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_reached(path: Path) -> dict[str, Any]:
    """By extent and group."""
    return json.loads(path.read_text(encoding="utf-8"))


def bounds(path: Path, extent: str, group: str) -> dict[str, float]:
    """The least that each claim of a group may come to: what was reached, less the spread."""
    kept = read_reached(path)[extent][group]["figures"]
    return {claim: each["reached"] - SPREADS * each["spread"] for claim, each in kept.items()}

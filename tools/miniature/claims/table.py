"""All claims, group by group, and their table."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .codes import codes
from .figure import Extent, Figure, over_seeds
from .language import composed_codes, plans_and_understanding
from .music import Family
from .regions import repaints
from .sources import cover, reference, strengths
from .stems import stems_alone, stems_beside, stems_extracted
from .text import base, guidance, measured_audio, seeds, turbo

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Group:
    """Claims that are measured together, and the parts of the family that they are about."""

    measure: Callable[[Family, Extent], list[Figure]]
    parts: frozenset[str]


TURBO: Final = frozenset({"turbo"})
BASE: Final = frozenset({"base"})
LANGUAGE: Final = frozenset({"language_model", "turbo"})
GROUPS: Final = {
    "turbo": Group(turbo, TURBO),
    "base": Group(base, BASE | TURBO),
    "guidance": Group(guidance, BASE),
    "audio": Group(measured_audio, TURBO),
    "seeds": Group(seeds, TURBO),
    "cover": Group(cover, TURBO),
    "strengths": Group(strengths, TURBO),
    "reference": Group(reference, TURBO),
    "codes": Group(codes, TURBO),
    "repaint": Group(repaints, TURBO),
    "lego": Group(stems_alone, BASE),
    "complete": Group(stems_beside, BASE),
    "extract": Group(stems_extracted, BASE),
    "plans": Group(plans_and_understanding, LANGUAGE),
    "composed codes": Group(composed_codes, LANGUAGE | BASE),
}
HEAD: Final = (
    "| claim | target | reached | ± | met |",
    "|---|---|---|---|---|",
)


def measured(
    family: Family, extent: Extent, repeats: int, only: Sequence[str], show: Callable[[str], None]
) -> dict[str, list[Figure]]:
    """By group, the figures of all claims over so many seeds; `only` some groups, or all."""
    found: dict[str, list[Figure]] = {}
    for line in HEAD:
        show(line)
    for name, group in GROUPS.items():
        if only and name not in only:
            continue
        if lacking := sorted(group.parts & family.missing):
            show(f"| {name} | not measured: {', '.join(lacking)} is not there | | | |")
            continue
        began = time.process_time()
        runs = [group.measure(family, replace(extent, seed=n)) for n in range(repeats)]
        found[name] = over_seeds(runs)
        for figure in found[name]:
            show(figure.row())
        logger.info("%s: %.0f s of CPU", name, time.process_time() - began)
    return found

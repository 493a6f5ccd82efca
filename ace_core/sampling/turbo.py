"""The times that the turbo models were distilled on, and snapping a schedule to them.

Only for turbo: the continuous turbo, base and sft take any time.
Source: modeling_acestep_v15_turbo.py, generate_audio, which snaps with a line in its log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import InvalidScheduleError
from .flow import timesteps

TURBO_STEPS: Final = 8
TURBO_SHIFTS: Final = (1.0, 2.0, 3.0)
MOST_TURBO_STEPS: Final = 20  # of a custom schedule; there are 20 trained times
TURBO_TIMES: Final = tuple(
    sorted({t for s in TURBO_SHIFTS for t in timesteps(TURBO_STEPS, s) if t > 0}, reverse=True)
)


@dataclass(frozen=True, slots=True)
class Snapped:
    """A schedule that turbo knows, and what had to change, in words for the user."""

    times: tuple[float, ...]  # falling, the last one 0
    changes: tuple[str, ...]  # empty: nothing was changed


def snap_to_turbo(times: Sequence[float]) -> Snapped:
    """Every time moved to the nearest trained one; the upper of two that are equally near, as
    the official code finds them in double precision.

    Times after the 20th are dropped, and so are those that fall on the same trained time, where
    the official code takes a step of length zero.

    Raises:
        InvalidScheduleError: there is no time above 0.
    """
    wanted = [t for t in times if t > 0]
    if not wanted:
        raise InvalidScheduleError(
            f"{list(times)} has no time above 0, so there is no step to take. Write times falling "
            "from 1 to 0, or turn snapping off."
        )
    changes: list[str] = []
    if len(wanted) > MOST_TURBO_STEPS:
        changes.append(
            f"Turbo takes at most {MOST_TURBO_STEPS} steps: the last "
            f"{len(wanted) - MOST_TURBO_STEPS} of {len(wanted)} times are dropped."
        )
        wanted = wanted[:MOST_TURBO_STEPS]
    nearest = [_nearest(t, TURBO_TIMES) for t in wanted]
    moved = [(t, to) for t, to in zip(wanted, nearest, strict=True) if t != to]
    if moved:
        pairs = ", ".join(f"{t:g} to {to:.4g}" for t, to in moved)
        changes.append(f"Turbo was trained on {len(TURBO_TIMES)} times; moved {pairs}.")
    distinct = tuple(dict.fromkeys(nearest))
    if len(distinct) < len(nearest):
        changes.append(f"{len(nearest) - len(distinct)} times fell on another's place: dropped.")
    return Snapped((*distinct, 0.0), tuple(changes))


def _nearest(value: float, choices: Sequence[float]) -> float:
    """The first of the nearest `choices`."""
    return min(choices, key=lambda choice: abs(choice - value))

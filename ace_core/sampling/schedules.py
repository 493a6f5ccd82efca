"""Schedules of flow times: even or shifted, custom, and the trained times of turbo.

Flow time t runs from 1 (noise) to 0 (music), so a schedule is a falling list that ends at 0.
Source: modeling_acestep_v15_base.py and modeling_acestep_v15_turbo.py, generate_audio.
"""

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..errors import InvalidScheduleError
from ..parsing import quoted

logger = logging.getLogger(__name__)

# Flow times are double precision here and single in a host's sigmas. 1e-6 is 16 roundings of single
# precision; the times of 200 steps at shift 10 are 5e-4 apart.
TOLERANCE: Final = 1e-6


def close(t: float, other: float) -> bool:
    """Whether two flow times differ by no more than rounding."""
    return abs(t - other) <= TOLERANCE


def above(t: float, bound: float) -> bool:
    """Whether `t` is above `bound` by more than rounding."""
    return t > bound + TOLERANCE


def within(t: float, low: float, high: float) -> bool:
    """Whether `t` lies in the interval from `low` to `high`, both inclusive."""
    return low - TOLERANCE <= t <= high + TOLERANCE


def nearest_index(times: Sequence[float], level: float) -> int:
    """Index of the time nearest to `level`, the first of those that are equally near."""
    distances = [abs(t - level) for t in times]
    least = min(distances)
    return next(index for index, distance in enumerate(distances) if close(distance, least))


def timesteps(steps: int, shift: float) -> list[float]:
    """`steps` + 1 times from 1.0 down to 0.0; a `shift` above 1 spends more of them near noise.

    For 8 steps and shift 1, 2 or 3 these are the tables of the turbo model. The official code
    computes them in the model's dtype, this function in double precision.

    Raises:
        InvalidScheduleError: `steps` is not a whole number from 1, or `shift` not above 0.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InvalidScheduleError(
            f"{quoted(steps)} steps cannot be taken. Set `steps` to a whole number from 1: 8 for "
            "turbo, 32 or more for base and sft."
        )
    if not (math.isfinite(shift) and shift > 0):
        raise InvalidScheduleError(
            f"Shift {shift} is not a number above 0. Set `shift` to 1 for even steps or to 3, "
            "the usual value."
        )
    even = [1 - step / steps for step in range(steps + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]


def shift_of(times: Sequence[float]) -> float | None:
    """The shift whose `timesteps` these are, up to single precision; None where there is none."""
    steps = len(times) - 1
    if steps < 2 or not 0 < times[1] < 1:
        return None
    even = 1 - 1 / steps
    shift = round(times[1] * (1 - even) / (even * (1 - times[1])), 3)
    shifted = timesteps(steps, shift) if shift > 0 else []
    fits = all(abs(one - other) < 1e-4 for one, other in zip(times, shifted, strict=False))
    return shift if shifted and fits else None


def custom_timesteps(values: Sequence[float]) -> list[float]:
    """A custom schedule: falling times within 0 to 1. A missing final 0 is added.

    Raises:
        InvalidScheduleError: fewer than two values, one outside 0 to 1, or one that does not
            fall by more than single precision can hold.
    """
    times = [float(value) for value in values]
    if len(times) < 2:
        raise InvalidScheduleError(
            f"{times} is not a schedule: it needs at least two times. Write them falling from 1 "
            "to 0, as in 1, 0.75, 0.5, 0.25, 0."
        )
    for number, t in enumerate(times, start=1):
        if not 0 <= t <= 1:
            raise InvalidScheduleError(
                f"Time {number} of {len(times)} is {t}, outside 0 to 1. Write times falling from "
                "1 (noise) to 0 (music)."
            )
    for number, (t, t_next) in enumerate(pairwise(times), start=2):
        if not above(t, t_next):
            raise InvalidScheduleError(
                f"Time {number} is {t_next:.9g}, which does not fall below the {t:.9g} before it. "
                "Write every time once, from the largest to the smallest."
            )
    if times[-1] > 0:
        logger.info("The custom times end at %g; the missing final 0 is added.", times[-1])
        times.append(0.0)
    return times


def parse_times(text: str) -> list[float]:
    """Times separated by commas, spaces or line breaks.

    Raises:
        InvalidScheduleError: an element is not a number.
    """
    times = []
    for item in split_list(text):
        try:
            times.append(float(item))
        except ValueError as error:
            raise InvalidScheduleError(
                f"{quoted(item)} is not a time. Write numbers falling from 1 to 0, as in 1, 0.75, "
                "0.5, 0.25, 0."
            ) from error
    return times


def split_list(text: str) -> list[str]:
    """The elements of a list that a user typed, separated by commas, semicolons or white space."""
    return [item for item in re.split(r"[\s,;]+", text) if item]


# --- turbo was distilled on these times only; turbo-continuous, base and sft take any time ---
TURBO_STEPS: Final = 8
TURBO_SHIFTS: Final = (1.0, 2.0, 3.0)
MAX_TURBO_STEPS: Final = 20  # there are 20 trained times, so a custom schedule has at most 20 steps
TURBO_TIMES: Final = tuple(
    sorted({t for s in TURBO_SHIFTS for t in timesteps(TURBO_STEPS, s) if t > 0}, reverse=True)
)


@dataclass(frozen=True, slots=True)
class Snapped:
    """A schedule of trained times, and a sentence for the user per kind of change."""

    times: tuple[float, ...]  # falling, the last one 0
    changes: tuple[str, ...]


def snap_to_turbo(times: Sequence[float]) -> Snapped:
    """Every time moved to the nearest trained one, to the larger of two that are equally near (as
    the official code does in double precision).

    Times after the 20th are dropped. Times that move to the same trained time become one; the
    official code takes a step of length zero there.

    Raises:
        InvalidScheduleError: there is no time above 0.
    """
    positive = [t for t in times if t > 0]
    if not positive:
        raise InvalidScheduleError(
            f"{list(times)} has no time above 0, so there is no step to take. Write times falling "
            "from 1 to 0, or turn snapping off."
        )
    changes: list[str] = []
    if len(positive) > MAX_TURBO_STEPS:
        changes.append(
            f"Turbo takes at most {MAX_TURBO_STEPS} steps: the last "
            f"{len(positive) - MAX_TURBO_STEPS} of {len(positive)} times are dropped."
        )
        positive = positive[:MAX_TURBO_STEPS]
    nearest = [_nearest(t, TURBO_TIMES) for t in positive]
    moved = [(t, to) for t, to in zip(positive, nearest, strict=True) if t != to]
    if moved:
        pairs = ", ".join(f"{t:g} to {to:.4g}" for t, to in moved)
        changes.append(f"Turbo was trained on {len(TURBO_TIMES)} times; moved {pairs}.")
    distinct = tuple(dict.fromkeys(nearest))
    if len(distinct) < len(nearest):
        changes.append(f"{len(nearest) - len(distinct)} times moved onto another time: dropped.")
    return Snapped((*distinct, 0.0), tuple(changes))


def _nearest(value: float, choices: Sequence[float]) -> float:
    """The first of the nearest `choices`."""
    return min(choices, key=lambda choice: abs(choice - value))

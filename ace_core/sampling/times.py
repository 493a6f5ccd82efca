"""Comparing flow times: double precision in the library, single in the sigmas of a host.

Whatever is decided by a flow time (whether a step is guided, which conditioning it reads, where a
run starts) is decided here, so that both decide alike and no rounding moves a step over a border.
"""

from collections.abc import Sequence
from typing import Final

NEAR: Final = 1e-6  # 16 roundings of single precision; 200 steps at shift 10 are 5e-4 apart


def same(t: float, other: float) -> bool:
    """Whether two flow times differ by no more than rounding."""
    return abs(t - other) <= NEAR


def above(t: float, bound: float) -> bool:
    """Whether `t` is above `bound` by more than rounding."""
    return t > bound + NEAR


def within(t: float, low: float, high: float) -> bool:
    """Whether `t` lies in the interval from `low` to `high`, both inclusive."""
    return low - NEAR <= t <= high + NEAR


def nearest(times: Sequence[float], level: float) -> int:
    """Place of the time nearest to `level`, the first of those that are equally near."""
    distances = [abs(t - level) for t in times]
    least = min(distances)
    return next(place for place, distance in enumerate(distances) if same(distance, least))

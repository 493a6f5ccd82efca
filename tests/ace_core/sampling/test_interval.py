"""Which steps an interval guides: those of exact arithmetic, in either precision of the times."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from ace_core.sampling.flow import timesteps
from ace_core.sampling.guidance import Guidance
from ace_core.sampling.turbo import TURBO_SHIFTS, TURBO_STEPS

SHIFTS = ("0.5", "1", "2", "3")
ENDS = tuple((Fraction(low, 100), Fraction(low + 60, 100)) for low in range(0, 41, 10))


def exact_times(steps: int, shift: Fraction) -> list[Fraction]:
    even = [Fraction(steps - step, steps) for step in range(steps + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]


def guided(times: list[float], low: Fraction, high: Fraction) -> list[bool]:
    guidance = Guidance(interval=(float(low), float(high)))
    return [guidance.covers(t) for t in times]


def single(times: list[float]) -> list[float]:
    """The times as the sigmas of a host hold them."""
    return torch.tensor(times, dtype=torch.float32).tolist()


def official_times(steps: int, shift: float) -> Tensor:
    """As the official loop of base and sft makes them in float32."""
    t = torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float32)
    return t if shift == 1 else shift * t / (1 + (shift - 1) * t)


def schedules(shift: str) -> Iterator[tuple[int, list[Fraction]]]:
    for steps in range(1, 201):
        yield steps, exact_times(steps, Fraction(shift))


@pytest.mark.parametrize("shift", SHIFTS)
def test_an_interval_guides_the_steps_of_exact_arithmetic_in_the_library_and_in_a_host(shift: str):
    at_an_end = 0
    for steps, exact in schedules(shift):
        times = timesteps(steps, float(shift))
        for low, high in ENDS:
            expected = [low <= t <= high for t in exact]
            assert guided(times, low, high) == expected
            assert guided(single(times), low, high) == expected
            at_an_end += sum(t in (low, high) for t in exact)
    assert at_an_end > 100  # steps that rounding could lose


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_official_formula_guides_the_same_steps_but_may_lose_those_at_an_end(shift: str):
    for steps, exact in schedules(shift):
        theirs = official_times(steps, float(shift))
        ours = timesteps(steps, float(shift))
        for low, high in ENDS:
            found = ((theirs >= float(low)) & (theirs <= float(high))).tolist()
            for t, here, there in zip(exact, guided(ours, low, high), found, strict=True):
                assert here == there or (here and t in (low, high))


@pytest.mark.parametrize("shift", TURBO_SHIFTS)
def test_an_interval_on_the_times_of_turbo_keeps_both_ends(shift: float):
    times = timesteps(TURBO_STEPS, shift)
    exact = exact_times(TURBO_STEPS, Fraction(shift))
    for first in range(TURBO_STEPS):
        high, low = exact[first], exact[-2]
        expected = [low <= t <= high for t in exact]
        assert guided(times, low, high) == guided(single(times), low, high) == expected


@pytest.mark.parametrize("steps", [10, 20, 30, 40, 60])
def test_the_step_at_the_lower_end_is_guided(steps: int):
    times = timesteps(steps, 1.0)
    place = 4 * steps // 5  # t = 0.2
    for given in (times, single(times)):
        covered = guided(given, Fraction(1, 5), Fraction(4, 5))
        assert covered[place] and not covered[place + 1]
        assert covered[steps // 5] and not covered[steps // 5 - 1]

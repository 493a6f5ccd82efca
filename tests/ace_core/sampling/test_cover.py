"""Cover strengths: pure branches at the ends, and refusals."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from ace_core.errors import InvalidRequestError
from ace_core.sampling.cover import (
    SwitchedVelocity,
    start_from_source,
    switch_time,
    times_from_source,
    uses_source,
)
from ace_core.sampling.guidance import Guidance, GuidedVelocity
from ace_core.sampling.recipe import noise
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import euler, heun

TIMES = timesteps(8, 3.0)


def _with_source(x: Tensor, t: float) -> Tensor:
    return torch.tanh(x) + t


def _without(x: Tensor, t: float) -> Tensor:
    return 0.5 * x - t


@pytest.mark.parametrize("solver", [euler, heun])
@pytest.mark.parametrize(("strength", "pure"), [(1.0, _with_source), (0.0, _without)])
def test_strength_one_and_zero_are_the_pure_branches(solver, strength: float, pure):
    start = noise([1], 7)
    switched = SwitchedVelocity(_with_source, _without, switch_time(TIMES, strength))
    assert torch.equal(solver(switched, start, TIMES), solver(pure, start, TIMES))


@pytest.mark.parametrize(("strength", "steps"), [(0.5, 4), (0.4, 3), (0.12, 0), (0.99, 7)])
def test_a_strength_is_a_share_of_the_steps_rounded_down(strength: float, steps: int):
    with_source: list[bool] = []

    def before(x: Tensor, t: float) -> Tensor:
        with_source.append(True)
        return x

    def after(x: Tensor, t: float) -> Tensor:
        with_source.append(False)
        return x

    euler(SwitchedVelocity(before, after, switch_time(TIMES, strength)), noise([1], 3), TIMES)
    assert with_source == [True] * steps + [False] * (8 - steps)


def test_a_heun_step_keeps_one_conditioning_for_both_looks():
    called: list[str] = []

    def before(x: Tensor, t: float) -> Tensor:
        called.append("before")
        return x

    def after(x: Tensor, t: float) -> Tensor:
        called.append("after")
        return x

    switched = SwitchedVelocity(before, after, switch_time(TIMES, 0.5))
    guided = GuidedVelocity(lambda x, t: (x, x), switched, Guidance(scale=1.0))
    for velocity in (switched, guided):
        called.clear()
        heun(velocity, noise([1], 3), TIMES)
        assert called == ["before"] * 8 + ["after"] * 8


def test_no_source_strength_is_the_noise_and_every_step():
    x, source = noise([1], 5), noise([2], 5)
    start, times = start_from_source(x, source, TIMES, 0.0)
    assert torch.equal(start, x) and times == TIMES


@pytest.mark.parametrize(("strength", "first"), [(0.05, 1), (0.25, 4), (0.7, 7), (1.0, 7)])
def test_the_start_is_the_nearest_scheduled_time(strength: float, first: int):
    x, source = noise([1], 5), noise([2], 5)
    start, times = start_from_source(x, source, TIMES, strength)
    t = TIMES[first]
    assert times == TIMES[first:]
    torch.testing.assert_close(start, t * x + (1 - t) * source)


def test_the_earlier_of_two_equally_near_times_wins():
    _, times = start_from_source(noise([1], 5), noise([2], 5), [1.0, 0.75, 0.5, 0.0], 0.375)
    assert times[0] == 0.75


@pytest.mark.parametrize("steps", [2, 3, 7, 10, 30, 50, 60, 100, 200])
def test_a_start_is_the_same_step_in_double_and_in_single_precision(steps: int):
    """Half of these levels lie midway between two times, where rounding would decide."""
    times = timesteps(steps, 1.0)
    single = torch.tensor(times, dtype=torch.float32).tolist()
    for half in range(1, 2 * steps):
        level = Fraction(half, 2 * steps)
        left = times_from_source(times, float(1 - level))
        assert len(left) == max(-(-half // 2), 1) + 1  # upwards where it is midway
        assert len(times_from_source(single, float(1 - level))) == len(left)


def test_the_switch_is_at_the_same_step_in_double_and_in_single_precision():
    for steps in range(1, 201, 3):
        times = timesteps(steps, 3.0)
        single = torch.tensor(times, dtype=torch.float32).tolist()
        for switch in range(steps):
            taken = [uses_source(t, times[switch]) for t in single]
            assert taken == [place < switch for place in range(steps + 1)]
            assert uses_source(single[switch], times[switch], corrector=True)


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan")])
def test_a_strength_outside_zero_to_one_is_refused(strength: float):
    with pytest.raises(InvalidRequestError, match=r"cover strength of .* is outside 0 to 1"):
        switch_time(TIMES, strength)
    with pytest.raises(InvalidRequestError, match=r"source strength of .* is outside 0 to 1"):
        start_from_source(noise([1], 2), noise([2], 2), TIMES, strength)

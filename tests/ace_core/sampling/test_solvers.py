"""Solvers against closed forms: what they must integrate exactly, and what they must report."""

import itertools

import pytest
import torch
from torch import Tensor

from ace_core.sampling.recipe import noise, sde_noise
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import SolverStep, euler, heun, sde
from tests.rounding import assert_same


def _ends() -> tuple[Tensor, Tensor]:
    return noise([1, 2], 10).double(), noise([3, 4], 10).double()


@pytest.mark.parametrize(("steps", "shift"), [(1, 1.0), (4, 3.0), (7, 0.5)])
def test_euler_is_exact_on_a_straight_path(steps: int, shift: float):
    start, music = _ends()
    landed = euler(lambda x, t: start - music, start, timesteps(steps, shift))
    assert_same(landed, music)


@pytest.mark.parametrize(("steps", "shift"), [(1, 1.0), (4, 3.0), (7, 0.5)])
def test_heun_is_exact_on_a_quadratic_path(steps: int, shift: float):
    start, music = _ends()
    # x(t) = music + t^2 (start - music)
    landed = heun(lambda x, t: 2 * t * (start - music), start, timesteps(steps, shift))
    assert_same(landed, music)


def test_heun_without_the_last_correction_ends_with_an_euler_step():
    start, music = _ends()
    times = timesteps(4, 3.0)
    seen: list[float] = []

    def velocity(x: Tensor, t: float) -> Tensor:
        seen.append(t)
        return 2 * t * (start - music)

    landed = heun(velocity, start, times, correct_last=False)
    # at t the path is exact; the last step takes 2 t instead of the mean t: one t too far
    t = times[-2]
    assert_same(landed, music - t * t * (start - music))
    assert min(seen) == t and len(seen) == 7


def test_heun_is_of_second_order_and_euler_of_first():
    start = noise([1], 5).double()

    def error(solver, steps: int) -> float:
        landed = solver(lambda x, t: x, start, timesteps(steps, 1.0))  # x(0) = x(1) / e
        return (landed - start * torch.e**-1).abs().max().item()

    assert error(euler, 20) / error(euler, 40) == pytest.approx(2, rel=0.1)
    assert error(heun, 20) / error(heun, 40) == pytest.approx(4, rel=0.1)


def test_sde_lands_on_the_music_whatever_it_draws():
    start, music = _ends()
    # every x is music + t * noise, so the velocity (x - music) / t guesses the music at once
    landed = sde(lambda x, t: (x - music) / t, start, timesteps(5, 3.0), sde_noise([1, 2], 10))
    assert_same(landed, music)


def test_sde_of_an_item_is_independent_of_the_batch():
    def run(seeds: list[int]) -> Tensor:
        times = timesteps(5, 3.0)
        return sde(lambda x, t: 0.5 * x, noise(seeds, 10), times, sde_noise(seeds, 10))

    assert torch.equal(run([5, 6])[1:], run([6]))
    assert not torch.equal(run([5, 6])[0], run([5, 6])[1])


def test_sde_noises_to_the_next_time_of_the_schedule():
    times, seen = timesteps(3, 3.0), []

    def velocity(x: Tensor, t: float) -> Tensor:
        seen.append((t, x))
        return x / t  # guesses silence, so that x is the fresh noise times t

    zeros = torch.zeros(1, 10, 64)
    sde(velocity, zeros, times, itertools.repeat(torch.ones(1, 10, 64)))
    for t, x in seen[1:]:
        assert_same(x, torch.full_like(x, t))


def test_sde_draws_nothing_for_the_last_step():
    sde(lambda x, t: x, noise([1], 4), timesteps(3, 1.0), iter([noise([2], 4), noise([3], 4)]))


@pytest.mark.parametrize("solver", [euler, heun])
def test_solvers_report_their_guess_at_the_music_and_leave_the_start_alone(solver):
    start, music = _ends()
    kept = start.clone()
    guesses: list[tuple[int, Tensor]] = []
    solver(
        lambda x, t: start - music,
        start,
        timesteps(3, 3.0),
        on_step=lambda step, guess: guesses.append((step, guess)),
    )
    assert [step for step, _ in guesses] == [0, 1, 2]
    for _, guess in guesses:
        assert_same(guess, music)
    assert torch.equal(start, kept)


@pytest.mark.parametrize("solver", ["euler", "heun", "sde"])
def test_what_is_done_after_a_step_is_what_the_next_one_starts_from(solver: str):
    times, seen, reached = timesteps(4, 3.0), [], []

    def velocity(x: Tensor, t: float) -> Tensor:
        seen.append((t, x.max().item()))
        return torch.zeros_like(x)

    def after_step(step: SolverStep, x: Tensor) -> Tensor:
        reached.append((step.index, step.t, step.t_next))
        return torch.full_like(x, float(step.index))

    start = torch.full((1, 4, 64), -1.0)
    if solver == "euler":
        landed = euler(velocity, start, times, after_step=after_step)
    elif solver == "heun":
        landed = heun(velocity, start, times, after_step=after_step, correct_last=False)
    else:
        landed = sde(velocity, start, times, sde_noise([1], 4), after_step=after_step)
    assert reached == [(index, *ends) for index, ends in enumerate(itertools.pairwise(times))]
    assert (landed == 3).all()
    starts = {}
    for t, value in seen:
        starts[t] = value  # the last look at a time is the one that begins its step
    assert [starts[t] for t in times[:-1]] == [-1, 0, 1, 2]


@pytest.mark.parametrize("solver", [euler, heun])
def test_a_coarser_velocity_does_not_coarsen_the_latent(solver):
    start = noise([1], 6)
    landed = solver(lambda x, t: x.to(torch.bfloat16), start, timesteps(4, 1.0))
    assert landed.dtype == torch.float32
    exact = start.clone()
    for t, t_next in itertools.pairwise(timesteps(4, 1.0)):
        if solver is euler:
            exact = exact + (t_next - t) * exact.to(torch.bfloat16).float()
        else:
            v = exact.to(torch.bfloat16).float()
            second = (exact + (t_next - t) * v).to(torch.bfloat16).float()
            exact = exact + (t_next - t) * 0.5 * (v + second)
    assert_same(landed, exact)

"""DCW against the official formulas, written out with the transform and its inverse."""

import math
from itertools import pairwise

import pytest
import torch

from ace_core.errors import InvalidScheduleError
from ace_core.sampling.dcw import DCW, DCW_OFF, DCWMode, pair_means
from ace_core.sampling.recipe import Recipe
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import Solver, SolverStep, euler, heun, in_turn
from ace_core.types import Variant
from tests.parity.today import official_dcw

MODES = [mode.value for mode in DCWMode]


def corrected(dcw: DCW, x: torch.Tensor, clean: torch.Tensor, t: float) -> torch.Tensor:
    return dcw(SolverStep(0, t, 0.0, clean), x)


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 125])
@pytest.mark.parametrize("mode", MODES)
def test_a_step_is_corrected_by_the_official_formulas(mode: str, frames: int) -> None:
    generator = torch.Generator().manual_seed(frames)
    x, clean = torch.randn(2, 2, frames, 64, generator=generator, dtype=torch.float64)
    dcw = DCW(DCWMode(mode), scaler=0.05, high_scaler=0.02)
    for t in (1.0, 0.9545454545454546, 0.3, 0.0):
        torch.testing.assert_close(
            corrected(dcw, x, clean, t), official_dcw(x, clean, t, dcw), rtol=0, atol=1e-13
        )


@pytest.mark.parametrize("steps", [8, 50])
@pytest.mark.parametrize("frames", [24, 25])
@pytest.mark.parametrize("mode", MODES)
def test_a_whole_run_follows_the_official_loop(mode: str, frames: int, steps: int) -> None:
    start = torch.randn(
        1, frames, 64, generator=torch.Generator().manual_seed(3), dtype=torch.float64
    )
    target = torch.linspace(-1, 1, 64, dtype=torch.float64)
    dcw = DCW(DCWMode(mode))

    def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
        return (x - target).tanh() * (1 + t)

    times = timesteps(steps, 3.0)
    ours = euler(velocity, start, times, after_step=dcw)
    theirs = start
    for t, t_next in pairwise(times):
        v = velocity(theirs, t)
        theirs = official_dcw(theirs + (t_next - t) * v, theirs - t * v, t, dcw)
    assert not torch.equal(ours, euler(velocity, start, times))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


def test_it_is_computed_in_float32_whatever_the_latent() -> None:
    generator = torch.Generator().manual_seed(1)
    x, clean = torch.randn(2, 1, 9, 64, generator=generator)
    dcw = DCW(scaler=0.5)
    narrow = corrected(dcw, x.bfloat16(), clean.bfloat16(), 0.9)
    assert narrow.dtype is torch.bfloat16
    wide = corrected(dcw, x.bfloat16().float(), clean.bfloat16().float(), 0.9)
    assert torch.equal(narrow, wide.bfloat16())


def test_an_item_does_not_depend_on_the_batch() -> None:
    generator = torch.Generator().manual_seed(2)
    x, clean = torch.randn(2, 3, 11, 64, generator=generator)
    together = corrected(DCW(), x, clean, 0.7)
    for item in range(3):
        alone = corrected(DCW(), x[item : item + 1], clean[item : item + 1], 0.7)
        assert torch.equal(together[item : item + 1], alone)


def test_scalers_of_zero_change_nothing() -> None:
    x, clean = torch.randn(2, 1, 6, 64, generator=torch.Generator().manual_seed(4))
    assert corrected(DCW_OFF, x, clean, 0.5) is x
    assert not DCW_OFF.active
    assert str(DCW_OFF) == "DCW off"


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_active_where_one_of_its_own_scalers_is_not_zero(mode: str) -> None:
    assert DCW(DCWMode(mode), 0.1, 0.0).active
    assert DCW(DCWMode(mode), 0.0, 0.1).active == (mode == "double")


def test_the_bands_add_up_to_the_latent() -> None:
    x = torch.tensor([[[1.0], [3.0], [5.0]]], dtype=torch.float64)
    assert pair_means(x).flatten().tolist() == [2.0, 2.0, 2.5]


def test_another_wavelet_is_refused_by_name() -> None:
    with pytest.raises(InvalidScheduleError, match=r"'db4'.*haar"):
        DCW(wavelet="db4")


@pytest.mark.parametrize("field", ["scaler", "high_scaler"])
def test_a_scaler_that_is_no_number_is_refused(field: str) -> None:
    with pytest.raises(InvalidScheduleError, match=f"`{field}` is nan"):
        DCW(**{field: math.nan})


def test_dcw_after_the_steps_of_sde_is_refused() -> None:
    with pytest.raises(InvalidScheduleError, match=r"DCW double 0\.05 and 0\.02"):
        Recipe(solver=Solver.SDE, dcw=DCW())
    assert Recipe(solver=Solver.SDE, dcw=DCW_OFF).dcw_for(Variant.TURBO) is None


def test_heun_is_corrected_by_the_estimate_at_the_start_of_its_step() -> None:
    """x0 = x - t v with the first of its two velocities, as in the official loop."""
    start = torch.ones(1, 2, 64, dtype=torch.float64)
    seen: list[SolverStep] = []

    def after_step(step: SolverStep, x: torch.Tensor) -> torch.Tensor:
        seen.append(step)
        return x

    heun(lambda x, t: t * x, start, [1.0, 0.5], after_step=after_step)
    (step,) = seen
    assert (step.index, step.t, step.t_next) == (0, 1.0, 0.5)
    assert torch.equal(step.x0, start - 1.0 * start)


def test_what_follows_a_step_follows_the_correction() -> None:
    """A repaint puts its source back behind it, so the source stays as it is."""
    x = torch.ones(1, 2, 64)
    both = in_turn(DCW(), None, lambda step, x: torch.zeros_like(x))
    assert both is not None
    assert torch.equal(both(SolverStep(0, 1.0, 0.5, 2 * x), x), torch.zeros_like(x))
    assert in_turn(None, None) is None

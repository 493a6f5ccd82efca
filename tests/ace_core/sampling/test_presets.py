"""Presets: the defaults of each variant, and warnings about choices that do not suit it."""

import pytest

from ace_core.errors import InvalidScheduleError
from ace_core.sampling.dcw import DCW, DCW_OFF, DCWMode
from ace_core.sampling.guidance import Guidance, GuidanceKind
from ace_core.sampling.presets import (
    PRESETS,
    applied_dcw,
    preset,
    schedule_warnings,
    variant_warnings,
)
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import Solver
from ace_core.types import Variant


def test_every_variant_has_a_preset():
    assert set(PRESETS) == set(Variant)


@pytest.mark.parametrize(
    ("variant", "steps", "scale"),
    [
        (Variant.TURBO, 8, 1.0),
        (Variant.TURBO_CONTINUOUS, 8, 1.0),
        (Variant.BASE, 32, 7.0),
        (Variant.SFT, 50, 7.0),
    ],
)
def test_a_preset_is_what_the_official_interface_shows(variant: Variant, steps: int, scale: float):
    made = preset(variant)
    assert (made.steps, made.shift, made.guidance_scale) == (steps, 3.0, scale)
    assert made.solver is Solver.EULER
    if made.guidance is not None:
        assert made.guidance.kind is GuidanceKind.APG


@pytest.mark.parametrize("variant", Variant)
def test_guidance_is_given_exactly_where_it_is_not_distilled_in(variant: Variant):
    assert (preset(variant).guidance is None) == variant.distilled


@pytest.mark.parametrize("task", ["lego", "extract", "complete"])
def test_a_task_of_base_on_another_model_is_warned_of_with_the_reason(task):
    for variant in (Variant.TURBO, Variant.TURBO_CONTINUOUS, Variant.SFT):
        (warning,) = variant_warnings(variant, task, None)
        assert task in warning
        assert "only base models were trained on it" in warning
    assert variant_warnings(Variant.BASE, task, Guidance()) == []
    assert variant_warnings(None, task, Guidance()) == []


def test_guidance_on_a_distilled_model_is_warned_of_and_a_scale_of_one_is_none():
    (warning,) = variant_warnings(Variant.TURBO, "cover", Guidance(scale=7.0))
    assert "Guidance 7 on turbo" in warning
    assert variant_warnings(Variant.TURBO, "cover", Guidance(scale=1.0)) == []
    assert variant_warnings(Variant.SFT, "cover", Guidance(scale=7.0)) == []


def test_times_that_turbo_was_not_trained_on_are_named():
    assert schedule_warnings(Variant.TURBO, timesteps(8, 3.0)) == []
    (warning,) = schedule_warnings(Variant.TURBO, [1.0, 0.77, 0.5, 0.0])
    assert "0.77 is not among them" in warning
    assert schedule_warnings(Variant.TURBO_CONTINUOUS, [1.0, 0.77, 0.0]) == []
    assert schedule_warnings(None, [1.0, 0.77, 0.0]) == []


@pytest.mark.parametrize("variant", [*Variant, None])
@pytest.mark.parametrize("solver", Solver)
def test_dcw_is_on_for_turbo_with_the_official_scalers(variant: Variant | None, solver: Solver):
    made = applied_dcw(None, variant, solver)
    if variant is None or not variant.distilled or solver is Solver.SDE:
        assert made is None
    else:
        assert str(made) == "DCW double 0.05 and 0.02"


@pytest.mark.parametrize("variant", [*Variant, None])
def test_a_given_dcw_takes_the_place_of_the_presets(variant: Variant | None):
    given = DCW(DCWMode.LOW, 0.1)
    assert applied_dcw(given, variant, Solver.HEUN) is given
    assert applied_dcw(DCW_OFF, variant, Solver.HEUN) is None
    assert applied_dcw(DCW_OFF, variant, Solver.SDE) is None
    with pytest.raises(InvalidScheduleError, match=r"DCW low 0\.1 corrects .* the solver is sde"):
        applied_dcw(given, variant, Solver.SDE)

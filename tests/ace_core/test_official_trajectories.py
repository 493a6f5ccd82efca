"""A whole run of each task, from noise to latents, against the official `generate_audio`."""

import pytest

from ace_core.pipeline import sample
from ace_core.sampling.dcw import DCWMode
from ace_core.types import Variant
from tests.parity import checks, ours, today, ways
from tests.parity.cases import CASES
from tests.rounding import DOUBLE, SINGLE

NAMES = [case.name for case in CASES]


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_turbo_latents_are_the_official_ones(case, size):
    assert checks.turbo_trajectory(case, size) < checks.RUN


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_guided_latents_of_base_and_sft_are_the_official_ones(case, size):
    assert checks.base_trajectory(case, size) < checks.RUN


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_turbo_latents_with_dcw_follow_the_official_formulas(case, size):
    assert today.turbo(case, size) < DOUBLE


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_guided_latents_with_dcw_follow_the_official_formulas(case, size):
    assert today.base(case, size) < DOUBLE


@pytest.mark.parametrize("frames", today.LENGTHS)
@pytest.mark.parametrize("steps", today.STEP_COUNTS)
@pytest.mark.parametrize("mode", [mode.value for mode in DCWMode])
def test_every_mode_of_dcw_follows_the_official_formulas(mode, steps, frames):
    assert today.mode(mode, steps, frames) < DOUBLE


def test_with_dcw_a_run_ends_in_other_music():
    """Outside what a repaint keeps: there the source is put back after the correction."""
    for variant in (Variant.TURBO, Variant.BASE):
        for case in ("text2music", "repaint"):
            corrected = today.latents(case, "2b", variant)
            assert checks.difference(corrected, checks.latents(case, "2b", variant)) > 1e-3


@pytest.mark.parametrize("measure", [checks.turbo_rounding, checks.base_rounding])
@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_in_float32_a_run_ends_where_it_ends_in_float64(case, size, measure):
    assert 0 < measure(case, size) < SINGLE


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("name", ways.WAYS)
def test_turbo_latents_are_the_official_ones_in_every_way(name, size):
    assert ways.turbo(name, size) < checks.RUN


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("name", ways.WAYS)
def test_guided_latents_are_the_official_ones_in_every_way(name, size):
    assert ways.base(name, size) < checks.RUN


@pytest.mark.parametrize("size", ["2b", "xl"])
def test_a_conservative_repaint_of_base_has_ramps_where_the_official_one_has_none(size):
    name = "repaint_conservative"
    beside = ways.ramps(name)
    ours_there = ways.latents(name, size, Variant.BASE)[:, beside]
    theirs = ways.golden(size)[f"{name}.base"][:, beside]
    source = checks.item("repaint").source[..., checks.KEPT]
    assert checks.difference(theirs, source[:, beside]) < checks.RUN
    assert checks.difference(ours_there, theirs) > 0.01


def test_the_ways_of_a_case_end_in_different_music():
    for size in ("2b", "xl"):
        ends = [ways.golden(size)[f"{name}.turbo"] for name in ways.WAYS]
        for first, second in ((0, 1), (2, 3), (3, 4)):
            assert checks.difference(ends[first], ends[second]) > 0.01


def test_a_run_depends_on_its_case():
    """Two tasks on sources of the same length end in different music."""
    models, how = ours.models("2b"), checks.sampling_recipe(Variant.TURBO)
    ends = [sample(models, checks.item(case), how) for case in ("complete", "lego", "cover")]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert checks.difference(ends[first], ends[second]) > 0.01

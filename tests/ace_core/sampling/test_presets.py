"""Presets: what each variant is sampled with on first use."""

import pytest

from ace_core.sampling.flow import Solver
from ace_core.sampling.guidance import GuidanceKind
from ace_core.sampling.presets import PRESETS, preset
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

"""Warnings about choices that work and will not sound well."""

import pytest

from ace_core.sampling.advice import advice, schedule_advice
from ace_core.sampling.flow import timesteps
from ace_core.sampling.guidance import Guidance
from ace_core.types import Variant


@pytest.mark.parametrize("task", ["lego", "extract", "complete"])
def test_a_task_of_base_on_another_model_is_warned_of_with_the_reason(task):
    for variant in (Variant.TURBO, Variant.TURBO_CONTINUOUS, Variant.SFT):
        (said,) = advice(variant, task, None)
        assert task in said
        assert "only base models were trained on it" in said
    assert advice(Variant.BASE, task, Guidance()) == []
    assert advice(None, task, Guidance()) == []


def test_guidance_on_a_distilled_model_is_warned_of_and_a_scale_of_one_is_none():
    (said,) = advice(Variant.TURBO, "cover", Guidance(scale=7.0))
    assert "Guidance 7 on turbo" in said
    assert advice(Variant.TURBO, "cover", Guidance(scale=1.0)) == []
    assert advice(Variant.SFT, "cover", Guidance(scale=7.0)) == []


def test_times_that_turbo_never_saw_are_named():
    assert schedule_advice(Variant.TURBO, timesteps(8, 3.0)) == []
    (said,) = schedule_advice(Variant.TURBO, [1.0, 0.77, 0.5, 0.0])
    assert "0.77 is not among them" in said
    assert schedule_advice(Variant.TURBO_CONTINUOUS, [1.0, 0.77, 0.0]) == []
    assert schedule_advice(None, [1.0, 0.77, 0.0]) == []

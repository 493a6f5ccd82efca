"""Parameters as a song, seeds and a recipe."""

import re
from dataclasses import replace
from typing import Any

import pytest

from ace_core.errors import InvalidScheduleError
from ace_core.inference import GenerationConfig, GenerationParams
from ace_core.inference.request import recipe_of, seeds_of, song_of
from ace_core.inference.unused import Facts, unused_notes
from ace_core.sampling.dcw import DCW, DCW_OFF, DCWMode
from ace_core.sampling.guidance import GuidanceKind
from ace_core.sampling.solvers import Solver
from ace_core.types import Song, Variant

PARAMS = GenerationParams(caption="calm piano")
FIXED = GenerationConfig(batch_size=4, use_random_seed=False)


def notes(
    params: GenerationParams, variant: Variant, config: GenerationConfig = FIXED
) -> list[str]:
    """What is said to be unused."""
    return unused_notes(Facts(params, config, variant))


EXAMPLE = [0.97, 0.76, 0.615, 0.5, 0.395, 0.28, 0.18, 0.085, 0]


def test_what_is_not_given_is_open():
    assert song_of(PARAMS) == Song("calm piano")


def test_what_is_given_is_kept():
    given = replace(
        PARAMS, lyrics="la", bpm=90, keyscale="Am", timesignature="3", vocal_language="JA"
    )
    song = song_of(replace(given, duration=12.5))
    assert song == Song("calm piano", "la", 12.5, 90, "A minor", 3, "ja")


def test_instrumental_takes_the_place_of_the_lyrics():
    assert song_of(replace(PARAMS, lyrics="la la", instrumental=True)).lyrics == "[Instrumental]"


def test_given_seeds_come_first_and_the_rest_is_drawn():
    config = replace(FIXED, seeds=[42, 123, 456])
    seeds = seeds_of(PARAMS, config)
    assert seeds[:3] == (42, 123, 456)
    assert seeds[3] not in (42, 123, 456)
    assert seeds_of(PARAMS, config) == seeds


def test_a_single_seed_serves_as_a_list_and_the_parameters_seed_where_there_is_no_list():
    assert seeds_of(PARAMS, replace(FIXED, seeds=5))[0] == 5
    assert seeds_of(replace(PARAMS, seed=6), FIXED)[0] == 6
    assert seeds_of(replace(PARAMS, seed=6), replace(FIXED, seeds=[5]))[0] == 5


def test_minus_one_is_drawn_anew_each_time():
    assert seeds_of(PARAMS, FIXED) != seeds_of(PARAMS, FIXED)
    listed = replace(FIXED, seeds=[-1, 3])
    seeds = seeds_of(PARAMS, listed)
    assert seeds[1] == 3
    assert -1 not in seeds


def test_random_seeds_ignore_the_given_ones_and_say_so():
    config = GenerationConfig(batch_size=2, seeds=[1, 2])
    assert seeds_of(PARAMS, config) != (1, 2)
    said = notes(PARAMS, Variant.TURBO, config)
    assert "`seeds` is not used: `use_random_seed` is on." in said
    assert not any("seed" in note for note in notes(PARAMS, Variant.TURBO, GenerationConfig()))


@pytest.mark.parametrize("seeds", [[-2], [1, 2, 3, 4, 5]])
def test_seeds_that_cannot_be_used_are_refused(seeds: list[int]):
    with pytest.raises(InvalidScheduleError, match="seed"):
        seeds_of(PARAMS, replace(FIXED, seeds=seeds))


def test_turbo_has_no_guidance_and_says_so():
    params = replace(PARAMS, use_adg=True)
    assert recipe_of(params, Variant.TURBO, (1,)).recipe.guidance is None
    said = "`guidance_scale` and `use_adg` are not used: guidance is distilled into turbo."
    assert said in notes(params, Variant.TURBO)


def test_base_has_the_guidance_that_was_asked_for():
    params = replace(PARAMS, guidance_scale=5.0, cfg_interval_start=0.2, cfg_interval_end=0.9)
    guidance = recipe_of(params, Variant.BASE, (1,)).recipe.guidance
    assert guidance is not None
    assert (guidance.kind, guidance.scale) == (GuidanceKind.APG, 5.0)
    assert guidance.interval == (0.2, 0.9)
    adaptive = recipe_of(replace(params, use_adg=True), Variant.BASE, (1,)).recipe.guidance
    assert adaptive is not None
    assert adaptive.kind is GuidanceKind.ADG


def test_steps_shift_and_method_reach_the_schedule():
    params = replace(PARAMS, inference_steps=4, shift=3.0, infer_method="sde")
    recipe, _ = recipe_of(params, Variant.BASE, (1,))
    assert recipe.solver is Solver.SDE
    assert recipe.schedule(Variant.BASE) == pytest.approx([1.0, 0.9, 0.75, 0.5, 0.0])


def test_times_replace_steps_and_shift_on_base_as_they_are():
    recipe, _ = recipe_of(replace(PARAMS, timesteps=EXAMPLE), Variant.BASE, (1,))
    assert recipe.schedule(Variant.BASE) == EXAMPLE


def test_times_are_moved_to_those_that_turbo_knows_and_it_is_said():
    recipe, notes = recipe_of(replace(PARAMS, timesteps=EXAMPLE), Variant.TURBO, (1,))
    times = recipe.schedule(Variant.TURBO)
    assert times[0] == pytest.approx(21 / 22)
    assert times[-1] == 0
    assert any("0.97 to" in note for note in notes)
    given = replace(PARAMS, timesteps=EXAMPLE)
    continuous, notes = recipe_of(given, Variant.TURBO_CONTINUOUS, (1,))
    assert continuous.schedule(Variant.TURBO_CONTINUOUS) == EXAMPLE
    assert not any("0.97" in note for note in notes)


def test_a_missing_zero_is_added_and_said():
    recipe, notes = recipe_of(replace(PARAMS, timesteps=[1.0, 0.5]), Variant.BASE, (1,))
    assert recipe.times == (1.0, 0.5, 0.0)
    assert any("did not end with 0" in note for note in notes)


@pytest.mark.parametrize("times", [[0.5, 0.9, 0], [1.2, 0.5, 0], [0.5]])
def test_times_out_of_order_or_range_are_refused(times: list[float]):
    with pytest.raises(InvalidScheduleError):
        recipe_of(replace(PARAMS, timesteps=times), Variant.BASE, (1,))


def test_a_task_that_only_base_knows_is_warned_of():
    params = replace(PARAMS, task_type="lego")
    assert any("base" in note for note in recipe_of(params, Variant.TURBO, (1,)).notes)
    fitting = replace(params, inference_steps=32)
    assert recipe_of(fitting, Variant.BASE, (1,)).notes == []


@pytest.mark.parametrize("variant", Variant)
def test_dcw_is_on_for_turbo_and_off_for_the_others_unless_the_caller_says(variant: Variant):
    auto = recipe_of(PARAMS, variant, (1,))
    assert auto.recipe.dcw == (DCW() if variant.distilled else DCW_OFF)
    assert ("DCW double 0.05 and 0.02." in auto.notes) == variant.distilled
    on = recipe_of(replace(PARAMS, dcw_enabled=True), variant, (1,))
    assert on.recipe.dcw == DCW()
    assert "DCW double 0.05 and 0.02." in on.notes
    off = recipe_of(replace(PARAMS, dcw_enabled=False), variant, (1,))
    assert off.recipe.dcw == DCW_OFF
    assert ("DCW is off." in off.notes) == variant.distilled


def test_dcw_is_made_of_its_four_fields():
    params = replace(PARAMS, dcw_mode="high", dcw_scaler=0.1)
    assert recipe_of(params, Variant.TURBO, (1,)).recipe.dcw == DCW(DCWMode.HIGH, 0.1)
    assert recipe_of(params, Variant.BASE, (1,)).recipe.dcw == DCW_OFF
    said = "`dcw_mode` and `dcw_scaler` are not used: DCW is off for base unless"
    assert any(note.startswith(said) for note in notes(params, Variant.BASE))


@pytest.mark.parametrize("asked", [True, None])
def test_the_steps_of_sde_are_not_corrected_and_it_is_said(asked: bool | None):
    params = replace(PARAMS, dcw_enabled=asked, infer_method="sde")
    recipe, lines = recipe_of(params, Variant.TURBO, (1,))
    assert recipe.dcw == DCW_OFF
    assert "DCW is off: it corrects the steps of ode, not of sde." in lines
    said = "`dcw_enabled` is not used: DCW corrects the steps of ode, not of sde."
    assert (said in notes(params, Variant.TURBO)) == bool(asked)


@pytest.mark.parametrize(
    ("variant", "changes", "words"),
    [
        (Variant.BASE, {}, "8 steps on base: .* Take 32"),
        (Variant.SFT, {"inference_steps": 8}, "8 steps on sft: .* Take 50"),
        (Variant.TURBO, {"shift": 1.0}, "Shift 1 on turbo: .* shifted by 3"),
    ],
)
def test_another_variants_steps_or_shift_are_advised_against(
    variant: Variant, changes: dict[str, Any], words: str
):
    notes = recipe_of(replace(PARAMS, **changes), variant, (1,)).notes
    assert any(re.search(words, note) for note in notes), notes


@pytest.mark.parametrize(
    ("variant", "changes"),
    [
        (Variant.BASE, {"inference_steps": 32, "shift": 1.0}),
        (Variant.TURBO, {"shift": 3.0}),
        (Variant.TURBO, {"timesteps": [0.97, 0.5, 0]}),
    ],
)
def test_fitting_steps_and_shift_need_no_advice(variant: Variant, changes: dict[str, Any]):
    notes = recipe_of(replace(PARAMS, **changes), variant, (1,)).notes
    assert not [note for note in notes if note.startswith(("Shift", "8 steps"))]

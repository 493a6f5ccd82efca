"""The document's table, field by field: steps, guidance, noise, tasks and recordings. Each field is
changed alone and has its documented effect, and each is left open."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch

from ace_core.audio.files import read_audio
from ace_core.audio.waveform import source_audio
from ace_core.pipeline import encode_audio
from ace_core.sampling.recipe import noise
from tests.rounding import assert_same

from .conftest import ONE
from .watched import CODES, Run, Runs, after_source, changes, leaves_open, same

GUIDED: dict[str, Any] = {"model": "base", "inference_steps": 4, "dcw_enabled": False}
FOUR = [1.0, 0.75, 0.5, 0.25]  # the times of four steps at shift 1
LEGO = "Generate the guitar track based on the audio context:"
REPAINT: dict[str, Any] = {"task_type": "repaint", "dcw_enabled": False}


@changes("inference_steps")
def test_there_are_as_many_forwards_as_steps(runs: Runs):
    assert runs(inference_steps=4).times == FOUR
    for steps in (0, 21):
        assert "must be 1 to 20" in str(runs(inference_steps=steps).result.error)
    assert runs(model="base", inference_steps=21, guidance_scale=1.0).result.success
    assert "1 to 200" in str(runs(model="base", inference_steps=201).result.error)


@leaves_open("inference_steps")
def test_without_a_number_there_are_eight_steps(runs: Runs):
    assert len(runs(inference_steps=None).times) == 8


@changes("shift")
def test_a_shift_moves_the_times_by_its_formula(runs: Runs):
    run = runs(inference_steps=4, shift=3.0)
    assert run.times == pytest.approx([3 * t / (1 + 2 * t) for t in FOUR], abs=1e-7)


@leaves_open("shift")
def test_without_a_shift_the_times_are_even(runs: Runs):
    assert runs(inference_steps=4, shift=None).times == FOUR


@changes("timesteps")
def test_times_stand_in_the_place_of_steps_and_shift(runs: Runs):
    times = [0.9, 0.6, 0.2, 0.0]
    run = runs(model="base", timesteps=times, guidance_scale=1.0, inference_steps=9, shift=2.0)
    assert run.times == pytest.approx(times[:-1], abs=1e-7)
    assert same(run, runs(model="base", timesteps=times[:-1], guidance_scale=1.0))
    snapped = runs(timesteps=[0.97, 0.5, 0])
    assert "0.97" in snapped.status
    assert snapped.times != pytest.approx([0.97, 0.5])


@leaves_open("timesteps")
def test_without_times_they_follow_from_steps_and_shift(runs: Runs):
    for nothing in (None, []):
        assert runs(timesteps=nothing, inference_steps=4).times == FOUR


@changes("seed")
def test_a_song_begins_with_the_noise_of_its_seed(runs: Runs):
    config = replace(ONE, seeds=None)
    run = runs(config=config, seed=5)
    assert torch.equal(run.forwards[0].x, noise((5,), 250))
    assert run.item()["seed"] == 5
    assert same(run, runs.again(config=config, seed=5))


@leaves_open("seed")
def test_an_open_seed_is_drawn_and_reported(runs: Runs):
    config = replace(ONE, seeds=None)
    one, other = (runs.again(config=config, seed=-1) for _ in range(2))
    assert not same(one, other)
    assert same(one, runs(config=config, seed=one.item()["seed"]))


@changes("guidance_scale")
def test_guidance_leads_further_in_proportion_to_its_scale(runs: Runs):
    def moved(scale: float) -> torch.Tensor:
        return runs(model="base", guidance_scale=scale).latents.double()

    torch.testing.assert_close(
        moved(7.0) - moved(1.0), 3 * (moved(3.0) - moved(1.0)), atol=1e-4, rtol=0
    )
    assert (moved(3.0) - moved(1.0)).abs().max() > 0.01
    assert Counter(runs(**GUIDED, guidance_scale=3.0).times) == dict.fromkeys(FOUR, 2)
    assert Counter(runs(**GUIDED, guidance_scale=1.0).times) == dict.fromkeys(FOUR, 1)
    turbo = runs(guidance_scale=3.0)
    assert same(turbo, runs())
    assert "`guidance_scale` is not used" in turbo.status


@leaves_open("guidance_scale")
def test_without_a_scale_it_is_seven(runs: Runs):
    assert same(runs(model="base", guidance_scale=None), runs(model="base", guidance_scale=7.0))


@changes("use_adg")
def test_adg_takes_the_place_of_apg(runs: Runs):
    run = runs(model="base", use_adg=True)
    assert same(run, runs(model="base", guidance_variant="adg"))
    assert not same(run, runs(model="base", guidance_variant="apg_classic"))
    assert "`use_adg` are not used" in runs(use_adg=True).status


@leaves_open("use_adg")
def test_without_adg_it_is_apg(runs: Runs):
    run = runs(model="base", use_adg=None)
    assert same(run, runs(model="base", guidance_variant="apg_classic"))


@changes("cfg_interval_start")
def test_below_the_start_of_the_interval_no_step_is_guided(runs: Runs):
    run = runs(**GUIDED, cfg_interval_start=0.5)
    assert Counter(run.times) == {1.0: 2, 0.75: 2, 0.5: 2, 0.25: 1}


@changes("cfg_interval_end")
def test_above_the_end_of_the_interval_no_step_is_guided(runs: Runs):
    run = runs(**GUIDED, cfg_interval_end=0.6)
    assert Counter(run.times) == {1.0: 1, 0.75: 1, 0.5: 2, 0.25: 2}


@pytest.mark.parametrize("name", ["cfg_interval_start", "cfg_interval_end"])
@leaves_open("cfg_interval_start", "cfg_interval_end")
def test_without_an_end_of_the_interval_every_step_on_its_side_is_guided(runs: Runs, name: str):
    nothing: dict[str, Any] = {name: None}
    assert Counter(runs(**GUIDED, **nothing).times) == dict.fromkeys(FOUR, 2)


def noise_of_second_step(run: Run) -> torch.Tensor:
    """What stands for the noise in the second step, from x = (1 - t) x0 + t noise."""
    first, second = run.forwards[:2]
    return (second.x - (1 - second.t) * (first.x - first.t * first.velocity)) / second.t


@changes("infer_method")
def test_sde_draws_new_noise_for_each_step_from_the_seed(runs: Runs):
    two: dict[str, Any] = {"inference_steps": 2, "dcw_enabled": False}
    run = runs(**two, infer_method="sde")
    drawn = noise_of_second_step(run)
    assert float(drawn.std()) == pytest.approx(1, abs=0.05)
    start = run.forwards[0].x
    assert abs(float((drawn * start).mean())) < 0.05  # another draw than the first
    assert same(run, runs.again(**two, infer_method="sde"))
    assert not same(run, runs.again(config=replace(ONE, seeds=[8]), **two, infer_method="sde"))


@leaves_open("infer_method")
def test_without_a_method_every_step_goes_on_with_the_first_noise(runs: Runs):
    run = runs(inference_steps=2, dcw_enabled=False, infer_method=None)
    assert_same(noise_of_second_step(run), run.forwards[0].x)


@changes("task_type")
def test_a_task_has_an_instruction_of_its_own(runs: Runs, recording: str):
    song = runs(src_audio=recording)
    cover = runs(task_type="cover", src_audio=recording)
    assert "# Instruction\nFill the audio semantic mask" in song.prompts[0]
    assert "# Instruction\nGenerate audio semantic tokens" in cover.prompts[0]
    assert "Choose one of text2music, cover, cover-nofsq, repaint" in str(
        runs(task_type="dub").result.error
    )


@leaves_open("task_type")
def test_without_a_task_it_is_text_to_music(runs: Runs):
    assert same(runs(task_type=None), runs(task_type="text2music"))


@changes("instruction")
def test_an_instruction_names_the_track(runs: Runs, recording: str):
    run = runs(model="base", task_type="lego", src_audio=recording, instruction=LEGO)
    assert (
        "# Instruction\nGenerate the GUITAR track based on the audio context:\n" in run.prompts[0]
    )
    other = runs(instruction="Play it in a cave")
    assert "# Instruction\nPlay it in a cave:\n" in other.prompts[0]


@leaves_open("instruction")
def test_the_default_instruction_stands_for_that_of_the_task(runs: Runs, recording: str):
    for nothing in (None, "", runs().params.instruction):
        run = runs(task_type="cover", src_audio=recording, instruction=nothing)
        assert "# Instruction\nGenerate audio semantic tokens" in run.prompts[0]


@changes("src_audio")
def test_a_task_starts_from_its_recording(runs: Runs, recording: str):
    run = runs(task_type="repaint", src_audio=recording, repainting_start=2.0, repainting_end=4.0)
    models = runs.handlers["turbo"].service.models
    encoded = encode_audio(models, sound_of(recording))[0]
    context = after_source(run)[0]
    assert_same(context[:40], encoded[:40])  # a canvas is cut before it is encoded: not the end
    assert run.latents.shape[1] == pytest.approx(150, abs=1)


def sound_of(path: str) -> torch.Tensor:
    """[1, 2, N] at 48 kHz."""
    return source_audio(*read_audio(path), "source")


@leaves_open("src_audio")
def test_without_a_recording_a_task_is_refused_and_a_song_needs_none(runs: Runs):
    assert "Set `src_audio`" in str(runs(task_type="cover", src_audio=None).result.error)
    assert runs(src_audio=None).result.success


@changes("reference_audio")
def test_a_reference_reaches_the_model_in_any_task(runs: Runs, recording: str):
    tasks: list[dict[str, Any]] = [{}, {"task_type": "cover", "src_audio": recording}]
    for task in tasks:
        plain, alike = runs(**task), runs(**task, reference_audio=recording)
        assert not same(plain, alike)
        assert torch.equal(plain.forwards[0].context, alike.forwards[0].context)  # timbre alone
    assert "no such file" in str(runs(reference_audio="none.wav").result.error)


@leaves_open("reference_audio")
def test_without_a_reference_the_song_sounds_like_none(runs: Runs):
    for nothing in (None, ""):
        assert same(runs(reference_audio=nothing), runs())


@changes("repainting_start", "repainting_end")
def test_new_music_lies_between_start_and_end(runs: Runs, recording: str):
    run = runs(
        src_audio=recording, **REPAINT, repainting_start=2.0, repainting_end=4.0, decoded=True
    )
    mask = run.result.extra_outputs["masks"][0]
    assert torch.equal(mask.nonzero().flatten(), torch.arange(50, 100))
    source = sound_of(recording)[0]
    kept = run.sound()[:, : 48_000 * 2 - 4_800]
    torch.testing.assert_close(kept, source[:, : kept.shape[1]].clamp(-1, 1), atol=1e-6, rtol=0)
    earlier = runs(src_audio=recording, **REPAINT, repainting_start=-1.0, repainting_end=1.0)
    assert earlier.latents.shape[1] == pytest.approx(175, abs=1)  # a second before the source
    later = runs(src_audio=recording, **REPAINT, repainting_start=5.0, repainting_end=8.0)
    assert later.latents.shape[1] == 200  # the song gets longer


@leaves_open("repainting_start")
def test_without_a_start_new_music_begins_with_the_source(runs: Runs, recording: str):
    run = runs(src_audio=recording, **REPAINT, repainting_start=None, repainting_end=4.0)
    mask = run.result.extra_outputs["masks"][0]
    assert torch.equal(mask.nonzero().flatten(), torch.arange(100))


@leaves_open("repainting_end")
@pytest.mark.parametrize("nothing", [-1, None])
def test_without_an_end_new_music_goes_on_to_the_end_of_the_source(
    runs: Runs, recording: str, nothing: Any
):
    run = runs(src_audio=recording, **REPAINT, repainting_start=2.0, repainting_end=nothing)
    mask = run.result.extra_outputs["masks"][0]
    assert torch.equal(mask.nonzero().flatten(), torch.arange(50, run.latents.shape[1]))


@pytest.mark.parametrize("strength", [1.0, 0.5, 0.25, 0.0])
@changes("audio_cover_strength")
def test_the_strength_is_the_share_of_the_steps_that_hear_the_source(
    runs: Runs, recording: str, strength: float
):
    cover: dict[str, Any] = {"task_type": "cover", "src_audio": recording}
    coded: dict[str, Any] = {"audio_codes": CODES}
    for heard in (cover, coded):
        run = runs(**heard, inference_steps=4, audio_cover_strength=strength)
        silence = runs.handlers["turbo"].service.models.silence[0, : run.latents.shape[1]]
        silent = [torch.equal(source, silence) for source in after_source(run)]
        heard_steps = round(4 * strength)
        assert silent == [False] * heard_steps + [True] * (4 - heard_steps)


@leaves_open("audio_cover_strength")
def test_without_a_strength_every_step_hears_the_source(runs: Runs, recording: str):
    cover: dict[str, Any] = {"task_type": "cover", "src_audio": recording, "inference_steps": 4}
    run = runs(**cover, audio_cover_strength=None)
    assert same(run, runs(**cover, audio_cover_strength=1.0))
    first = after_source(run)[0]
    assert all(torch.equal(each, first) for each in after_source(run))

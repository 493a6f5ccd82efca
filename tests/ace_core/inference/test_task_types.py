"""The six tasks of the published document, from files, by their documented parameters."""

from typing import Any

import pytest
import torch

from ace_core import pipeline
from ace_core.conditioning import tasks
from ace_core.inference import AceStepHandler, LLMHandler
from ace_core.inference.request import tracks_of
from ace_core.sampling.recipe import Recipe
from ace_core.types import Song

from .conftest import Make

LEGO = "Generate the guitar track based on the audio context:"
EXTRACT = "Extract the vocals track from the audio:"
COMPLETE = "Complete the input track with drums, bass, guitar:"
DOCUMENTED: dict[str, dict[str, Any]] = {
    "cover": {"caption": "jazz piano version", "audio_cover_strength": 0.8},
    "repaint": {
        "caption": "smooth transition with piano solo",
        "repainting_start": 2.0,
        "repainting_end": 4.0,
    },
    "lego": {
        "caption": "lead guitar melody with bluesy feel",
        "instruction": LEGO,
        "repainting_start": 0.0,
        "repainting_end": -1,
    },
    "extract": {"caption": "", "instruction": EXTRACT},
    "complete": {"caption": "rock style completion", "instruction": COMPLETE},
}


@pytest.mark.parametrize("task", DOCUMENTED)
def test_a_task_plays_as_long_as_its_source(
    make: Make, base: AceStepHandler, recording: str, task: str
):
    result = make(handler=base, task_type=task, src_audio=recording, **DOCUMENTED[task])
    assert result.success, result.error
    assert result.extra_outputs["latents"].shape[1] in (150, 151)  # MP3 adds less than a frame
    assert result.extra_outputs["masks"].shape == result.extra_outputs["latents"].shape[:2]
    assert "`duration` is not used" in result.status_message


@pytest.mark.parametrize("task", DOCUMENTED)
def test_a_task_without_its_source_is_refused(make: Make, task: str):
    assert "`src_audio`" in str(make(task_type=task, **DOCUMENTED[task]).error)


@pytest.mark.parametrize("task", ["lego", "extract", "complete"])
def test_an_instruction_without_a_track_is_refused_with_an_example(
    make: Make, recording: str, task: str
):
    given = {name: value for name, value in DOCUMENTED[task].items() if name != "instruction"}
    result = make(task_type=task, src_audio=recording, **given)
    assert "names no track" in str(result.error)
    assert "backing_vocals" in str(result.error)


def test_a_repaint_keeps_the_source_outside_its_part(make: Make, recording: str):
    result = make(task_type="repaint", src_audio=recording, **DOCUMENTED["repaint"])
    assert torch.equal(result.extra_outputs["masks"][0, 50:100], torch.ones(50))
    assert result.extra_outputs["masks"].sum() == 50
    whole = make(task_type="repaint", src_audio=recording, caption="piano", repainting_start=2.0)
    kept, song = result.audios[0]["tensor"], whole.audios[0]["tensor"]
    assert torch.equal(kept[:, :80_000], song[:, :80_000])  # both are the recording's own sound
    assert whole.extra_outputs["masks"].sum() >= 100


def test_a_part_that_is_none_is_refused(make: Make, recording: str):
    given = {"task_type": "repaint", "src_audio": recording, "caption": "piano"}
    assert "not after its start" in str(
        make(**given, repainting_start=4.0, repainting_end=2.0).error
    )
    assert "starts at 20" in str(make(**given, repainting_start=20.0).error)


def test_cover_strength_changes_what_is_played(make: Make, recording: str):
    given = {"task_type": "cover", "src_audio": recording, "inference_steps": 2}
    songs = [
        make(**given, audio_cover_strength=strength).extra_outputs["latents"]
        for strength in (1.0, 0.5, 0.0)
    ]
    assert not torch.equal(songs[0], songs[1])
    assert not torch.equal(songs[1], songs[2])


def test_a_cover_asks_the_language_model_for_facts_and_composes_no_codes(
    make: Make, lm: LLMHandler, recording: str
):
    result = make(lm=lm, task_type="cover", src_audio=recording, thinking=True)
    assert result.extra_outputs["lm_metadata"]["bpm"]
    assert result.audios[0]["params"]["audio_codes"] == ""


def test_a_repaint_does_not_ask_the_language_model_and_says_so(
    make: Make, lm: LLMHandler, recording: str
):
    given = {"src_audio": recording, **DOCUMENTED["repaint"]}
    result = make(lm=lm, task_type="repaint", thinking=True, **given)
    assert result.extra_outputs["lm_metadata"] is None
    assert "not asked for the task repaint" in result.status_message


def test_a_reference_changes_the_sound_of_any_task(make: Make, recording: str):
    plain, alike = make(), make(reference_audio=recording)
    assert not torch.equal(plain.extra_outputs["latents"], alike.extra_outputs["latents"])


@pytest.mark.parametrize("name", ["src_audio", "reference_audio"])
def test_a_recording_that_is_not_there_is_refused_by_its_name(make: Make, name: str):
    result = make(**{"task_type": "cover", "src_audio": "nowhere.mp3", name: "missing.mp3"})
    assert "there is no such file" in str(result.error)


def test_a_file_that_is_no_sound_is_refused(make: Make, tmp_path):
    path = tmp_path / "words.wav"
    path.write_text("no sound")
    assert "no audio that can be read" in str(make(task_type="cover", src_audio=str(path)).error)


def test_base_tasks_on_turbo_are_warned_of(make: Make, recording: str):
    result = make(task_type="extract", src_audio=recording, instruction=EXTRACT)
    assert "only base models were trained" in result.status_message


@pytest.mark.parametrize(
    ("task", "words", "tracks"),
    [
        ("lego", LEGO, ("guitar",)),
        ("lego", "generate the BACKING VOCALS track based on the audio context", None),
        ("extract", EXTRACT, ("vocals",)),
        ("complete", COMPLETE, ("drums", "bass", "guitar")),
        ("complete", "Complete the input track with DRUMS | BASS:", ("drums", "bass")),
        ("complete", "Complete the input track with strings and brass:", ("strings", "brass")),
    ],
)
def test_the_documented_wording_becomes_the_trained_one(task, words, tracks):
    assert tracks_of(task, words) == (tracks or ("backing_vocals",), None)


def test_another_wording_reaches_the_model_as_it_is():
    assert tracks_of("lego", "Add a woodwinds solo") == (("woodwinds",), "Add a woodwinds solo")


def test_a_text_to_music_song_is_the_pipelines_own(make: Make, turbo: AceStepHandler):
    models = turbo.service.models
    item = tasks.text_to_music(Song("calm piano", seconds=10.0), models.text)
    expected = pipeline.sample(models, item, Recipe(seeds=(7,), steps=1, shift=1.0))
    assert torch.equal(make().extra_outputs["latents"], expected)

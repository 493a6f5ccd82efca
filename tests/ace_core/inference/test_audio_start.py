"""Remix and audio to audio by the published parameters, and the names of other tools."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ace_core.errors import InvalidRequestError
from ace_core.inference import GenerationParams, LLMHandler
from ace_core.inference.normalize import normalized
from api_examples.stage import write_recording
from tests.rounding import assert_same

from .conftest import Make
from .watched import changes

START: dict[str, Any] = {"audio2audio_enable": True, "duration": -1.0, "inference_steps": 4}


def latents(make: Make, **changes: Any) -> torch.Tensor:
    result = make(**changes)
    assert result.success, result.error
    return result.extra_outputs["latents"]


def test_a_remix_sees_the_recording_itself_and_a_cover_its_codes(make: Make, recording: str):
    remix = latents(make, task_type="cover-nofsq", src_audio=recording)
    assert remix.shape == latents(make, task_type="cover", src_audio=recording).shape
    assert not torch.equal(remix, latents(make, task_type="cover", src_audio=recording))
    said = make(task_type="cover-nofsq", src_audio=recording, audio_codes="1, 2").status_message
    assert "`audio_codes` is not used" in said


@changes("audio2audio_enable", "ref_audio_strength")
def test_the_stronger_the_reference_the_nearer_the_recording(make: Make, recording: str):
    source = latents(make, **START, src_audio=recording, ref_audio_strength=0.9)
    near, far = (
        (latents(make, **START, src_audio=recording, ref_audio_strength=strength) - source).norm()
        for strength in (0.5, 0.1)
    )
    assert 0 < near < far


def test_a_start_with_nothing_of_the_recording_is_a_new_song_of_its_length(
    make: Make, tmp_path: Path
):
    path = str(write_recording(tmp_path / "song.wav", 10.0))
    start = latents(make, **START, src_audio=path, ref_audio_strength=0.0)
    assert_same(start, latents(make, duration=10.0, inference_steps=4))


@pytest.mark.parametrize("name", ["src_audio", "src_audio_path", "ref_audio_input"])
@changes("src_audio_path", "ref_audio_input")
def test_a_recording_may_have_its_name_of_another_tool(make: Make, recording: str, name: str):
    result = make(**START, **{name: recording})
    assert_same(result.extra_outputs["latents"], latents(make, **START, src_audio=recording))
    (audio,) = result.audios
    assert audio["params"]["src_audio"] == recording
    assert_same(make(**audio["params"]).audios[0]["tensor"], audio["tensor"])


def test_a_path_of_another_tool_serves_every_task(make: Make, recording: str):
    given = {"task_type": "cover", "inference_steps": 1}
    ours = latents(make, **given, src_audio=recording)
    assert torch.equal(latents(make, **given, src_audio_path=Path(recording)), ours)


def test_two_recordings_under_two_names_are_refused():
    for name in ("src_audio_path", "ref_audio_input"):
        params = GenerationParams(src_audio="a.wav", audio2audio_enable=True, **{name: "b.wav"})
        with pytest.raises(InvalidRequestError, match=f"`{name}` 'b.wav'"):
            normalized(params)
        assert normalized(GenerationParams(src_audio="b.wav", **{name: "b.wav"})).src_audio


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task_type": "cover"}, "the task cover uses the recording in its own way"),
        ({"flow_edit_morph": True}, "a morph uses the recording"),
        ({"audio_codes": "<|audio_code_5|>"}, "leave `audio_codes` empty"),
        ({"src_audio": None}, "Set `src_audio` (or `ref_audio_input`)"),
        ({"ref_audio_strength": 1.5}, "`ref_audio_strength` is 1.5"),
    ],
    ids=str,
)
def test_what_cannot_start_from_a_recording_is_refused(
    make: Make, recording: str, changes: dict[str, Any], words: str
):
    result = make(**{**START, "src_audio": recording, **changes})
    assert not result.success
    assert words in str(result.error)


@pytest.mark.parametrize("given", [START, {"task_type": "cover-nofsq"}], ids=str)
def test_the_language_model_plans_it_and_composes_no_codes(
    make: Make, lm: LLMHandler, recording: str, given: dict[str, Any]
):
    result = make(lm=lm, src_audio=recording, thinking=True, **{**given, "inference_steps": 1})
    assert result.success, result.error
    assert result.extra_outputs["lm_metadata"]
    assert result.audios[0]["params"]["audio_codes"] == ""

"""A morph by the published parameters: what it promises, needs, refuses and leaves out."""

from typing import Any

import pytest
import torch

from ace_core.inference import AceStepHandler
from tests.rounding import SINGLE, difference

from .conftest import Make
from .watched import changes

WORDS = {"caption": "loud guitars", "flow_edit_source_caption": "calm piano"}
MORPH: dict[str, Any] = {
    "flow_edit_morph": True,
    "duration": -1.0,
    "inference_steps": 4,
    "lyrics": "[Verse]\nla",
    "flow_edit_source_lyrics": "[Verse]\nla",
    **WORDS,
}


def latents(make: Make, recording: str, **fields: Any) -> torch.Tensor:
    result = make(**{**MORPH, "src_audio": recording, **fields})
    assert result.success, result.error
    return result.extra_outputs["latents"]


@pytest.mark.parametrize("task", ["text2music", "cover"])
@changes("flow_edit_morph", "flow_edit_source_caption", "flow_edit_n_min")
def test_equal_words_give_the_recording_back_and_others_do_not(
    make: Make, recording: str, task: str
):
    source = latents(make, recording, task_type=task, flow_edit_source_caption="loud guitars")
    assert (
        difference(latents(make, recording, task_type=task, flow_edit_source_caption=""), source)
        < SINGLE
    )
    changed = latents(make, recording, task_type=task)
    narrow = latents(make, recording, task_type=task, flow_edit_n_min=0.75)
    assert 1e-4 < (narrow - source).norm() < (changed - source).norm()


@changes("flow_edit_source_lyrics", "flow_edit_n_avg", "flow_edit_n_max")
def test_the_contexts_lyrics_and_draws_matter(make: Make, recording: str):
    plain = latents(make, recording)
    for change in (
        {"task_type": "cover"},
        {"flow_edit_source_lyrics": "[Verse]\nother words"},
        {"flow_edit_n_avg": 2},
        {"flow_edit_n_max": 0.5},
    ):
        assert difference(latents(make, recording, **change), plain) > 1e-4


def test_a_morph_on_base_is_guided(make: Make, base: AceStepHandler, recording: str):
    one, other = (
        latents(make, recording, handler=base, guidance_scale=scale) for scale in (1.0, 7.0)
    )
    assert difference(one, other) > 1e-4


def test_its_params_bring_it_back(make: Make, recording: str):
    result = make(**MORPH, src_audio=recording)
    (audio,) = result.audios
    again = make(**audio["params"])
    assert difference(again.audios[0]["tensor"], audio["tensor"]) < SINGLE


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"task_type": "repaint"}, "in the task text2music or cover"),
        ({"src_audio": None}, "starts from a recording"),
        ({"audio_codes": "<|audio_code_5|>"}, "leave `audio_codes` empty"),
        ({"flow_edit_n_min": 0.8, "flow_edit_n_max": 0.2}, "edit window from 0.8 to 0.2"),
        ({"flow_edit_n_avg": 0}, "cannot be averaged"),
        ({"infer_method": "sde"}, "cannot follow the solver sde"),
        ({"sampler_mode": "heun"}, "cannot follow the solver heun"),
    ],
    ids=str,
)
def test_what_it_cannot_follow_is_refused(
    make: Make, recording: str, fields: dict[str, Any], words: str
):
    result = make(**{**MORPH, "src_audio": recording, **fields})
    assert not result.success
    assert words in str(result.error)


def test_what_is_left_out_is_said(make: Make, recording: str):
    unused = {"audio_cover_strength": 0.5, "dcw_enabled": True}
    status = make(**MORPH, src_audio=recording, **unused).status_message
    assert "`audio_cover_strength` is not used: there are neither codes nor" in status
    assert "`dcw_enabled` is not used: a morph corrects no steps." in status
    assert "DCW is off: a morph corrects no steps." in status
    assert (
        "`flow_edit_n_avg` is not used: `flow_edit_morph` is off."
        in make(flow_edit_n_avg=2).status_message
    )
    said = make(**MORPH, src_audio=recording).status_message
    assert [line for line in said.splitlines() if "not used" in line] == [
        "`guidance_scale` is not used: guidance is distilled into turbo."
    ]

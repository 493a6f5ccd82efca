"""`params` of a song bring that song back, alone and without a language model, in every task."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    GenerationResult,
    LLMHandler,
    generate_music,
)
from api_examples.stage import write_recording
from tests.rounding import assert_same

from .watched import changes

TWO = GenerationConfig(batch_size=2, use_random_seed=False, seeds=[7, 8])
ALONE = GenerationConfig(batch_size=1, use_random_seed=False)
PLANNED: dict[str, Any] = {"thinking": True, "lm_cfg_scale": 1.0}
TASKS: dict[str, dict[str, Any]] = {
    "text2music": {"duration": 10, **PLANNED},
    "cover": {"audio_cover_strength": 0.5, **PLANNED},
    "repaint": {"repainting_start": 1.0, "repainting_end": 3.0},
    "lego": {"instruction": "Generate the guitar track based on the audio context:"},
    "extract": {"instruction": "Extract the vocals track from the audio:"},
    "complete": {"instruction": "Complete the input track with drums, bass:"},
}


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Longer than the 30 s of a reference, so that each seed chooses other segments."""
    return str(write_recording(tmp_path_factory.mktemp("sound") / "long.mp3", 40.0))


@pytest.fixture
def made(base: AceStepHandler, lm: LLMHandler) -> Any:
    def made(params: GenerationParams, config: GenerationConfig, llm: bool) -> GenerationResult:
        result = generate_music(base, lm if llm else None, replace(params), config)
        assert result.success, result.error
        return result

    return made


def songs(result: GenerationResult) -> list[torch.Tensor]:
    return [audio["tensor"] for audio in result.audios]


@pytest.mark.usefixtures("encoded_once")
@pytest.mark.parametrize("task", TASKS)
def test_the_params_of_each_song_bring_it_back(
    task: str, made: Any, recording: str, long_recording: str
):
    params = GenerationParams(
        task_type=task,
        caption="calm piano",
        inference_steps=1,
        reference_audio=long_recording,
        src_audio=None if task == "text2music" else recording,
        **{"thinking": False, **TASKS[task]},
    )
    result = made(params, TWO, llm=True)
    first, second = result.audios
    assert (first["params"]["seed"], second["params"]["seed"]) == (7, 8)
    assert first["params"]["caption"] == "calm piano"
    for audio in result.audios:
        again = made(GenerationParams(**audio["params"]), ALONE, llm=False)
        assert_same(songs(again)[0], audio["tensor"])
        assert again.audios[0]["params"] == audio["params"]
    assert not torch.allclose(first["tensor"], second["tensor"], atol=1e-3)


@pytest.mark.usefixtures("encoded_once")
def test_a_seed_chooses_the_same_reference_segments_alone_and_in_a_batch(
    made: Any, long_recording: str
):
    params = GenerationParams(
        caption="calm piano",
        duration=10,
        inference_steps=1,
        thinking=False,
        reference_audio=long_recording,
    )
    both = songs(made(params, TWO, llm=False))
    for seed, song in zip(TWO.seeds, both, strict=True):
        (alone,) = songs(made(params, replace(ALONE, seeds=[seed]), llm=False))
        assert_same(alone, song)


@pytest.mark.parametrize("planned", [True, False])
def test_a_second_seed_shares_the_plan_of_the_first_where_there_is_one(made: Any, planned: bool):
    asked: dict[str, Any] = PLANNED if planned else {"thinking": False}
    params = GenerationParams(caption="calm piano", duration=10, inference_steps=1, **asked)
    both = made(params, TWO, llm=planned)
    (alone,) = songs(made(params, replace(ALONE, seeds=[8]), llm=planned))
    if planned:
        first, second = (audio["params"] for audio in both.audios)
        assert first["cot_bpm"] == second["cot_bpm"] is not None
        assert first["audio_codes"] != second["audio_codes"]
        assert not torch.allclose(songs(both)[1], alone, atol=1e-3)
    else:
        assert_same(songs(both)[1], alone)


@changes("reuse_cot")
def test_a_plan_is_reused_and_said(made: Any):
    plain = GenerationParams(caption="calm piano", inference_steps=1, duration=10, seed=3)
    planned = replace(plain, reuse_cot=True, cot_bpm=95)
    result = made(planned, ALONE, llm=True)
    assert "The plan is that of the `cot_` fields" in result.status_message
    assert result.audios[0]["params"]["cot_bpm"] == 95
    given = made(replace(plain, bpm=95), ALONE, llm=False)
    assert_same(songs(result)[0], songs(given)[0])
    without = made(replace(planned, reuse_cot=False), ALONE, llm=False)
    assert not torch.allclose(songs(without)[0], songs(given)[0])

"""A source shorter than the shortest canvas (5.12 s): the song is as long as the source."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ace_core.audio.files import read_audio
from ace_core.inference import AceStepHandler
from api_examples.stage import write_recording

from .conftest import Make

SECONDS = 1.56
FRAMES = 39
TASKS: dict[str, dict[str, Any]] = {
    "cover": {},
    "repaint": {"repainting_start": 0.5, "repainting_end": 1.0},
    "lego": {"instruction": "Generate the VOCALS track based on the audio context:"},
    "extract": {"instruction": "Extract the VOCALS track from the audio:"},
    "complete": {"instruction": "Complete the input track with DRUMS, BASS:"},
    "text2music": {
        "flow_edit_morph": True,
        "flow_edit_source_caption": "loud rock",
        "flow_edit_source_lyrics": "[Verse]\nhey",
    },
}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_recording(tmp_path_factory.mktemp("short") / "loop.wav", SECONDS))


@pytest.mark.parametrize("task", TASKS)
def test_a_song_is_as_long_as_its_short_source(
    make: Make, base: AceStepHandler, short: str, tmp_path: Path, task: str
):
    given = {"task_type": task, "src_audio": short, **TASKS[task]}
    result = make(handler=base, save_dir=str(tmp_path), **given)
    assert result.success, result.error
    assert result.extra_outputs["latents"].shape == (1, FRAMES, 64)
    assert result.extra_outputs["masks"].shape == (1, FRAMES)
    heard, rate = read_audio(result.audios[0]["path"])
    assert heard.shape[-1] == result.audios[0]["tensor"].shape[-1] == FRAMES * 1_920
    assert rate == 48_000


def test_a_cover_of_one_code_is_one_code_long(make: Make, tmp_path: Path):
    path = write_recording(tmp_path / "hit.wav", 0.2)
    result = make(task_type="cover", src_audio=str(path))
    assert result.success, result.error
    assert result.audios[0]["tensor"].shape[-1] == 9_600


def test_a_short_song_extended_is_as_long_as_its_region_says(make: Make, short: str):
    region = {"repainting_start": 1.0, "repainting_end": 2.0}
    result = make(task_type="repaint", src_audio=short, **region)
    assert result.success, result.error
    frames = result.audios[0]["tensor"].shape[-1] / 1_920
    assert frames in (49, 50), "a part of a frame may be missing"


def test_a_repaint_of_a_length_between_two_frames_ends_with_the_sources_last_sample(
    make: Make, tmp_path: Path
):
    path = str(write_recording(tmp_path / "loop.wav", 7.51))  # 187.75 frames
    region = {"repainting_start": 1.0, "repainting_end": 2.0}
    result = make(task_type="repaint", src_audio=path, **region)
    assert result.success, result.error
    source, _ = read_audio(path)
    made = result.audios[0]["tensor"]
    assert made.shape[-1] == source.shape[-1] == round(7.51 * 48_000)
    assert torch.equal(made[..., -48_000:], source[0][..., -48_000:])


def test_a_short_take_is_repainted_from_its_own_latents(make: Make, short: str):
    given = {"task_type": "repaint", "src_audio": short, **TASKS["repaint"]}
    own = make(**given).extra_outputs["latents"]
    again = make(source_repaint_latents=own, **given)
    assert again.success, again.error
    refused = make(source_repaint_latents=torch.zeros(1, 128, 64), **given)
    assert "[batch, 39, 64]" in str(refused.error)


def test_a_song_from_few_codes_is_as_long_as_they_are(make: Make):
    codes = "".join(f"<|audio_code_{code}|>" for code in range(10))
    result = make(audio_codes=codes)
    assert result.success, result.error
    assert result.audios[0]["tensor"].shape[-1] == 2 * 48_000


def test_loud_sound_behind_the_end_does_not_lower_the_song(make: Make, short: str):
    """The level is that of what is heard: 1 at the default of no normalisation above it."""
    result = make(task_type="cover", src_audio=short, normalization_db=0.0)
    assert result.audios[0]["tensor"].abs().max() == pytest.approx(1, abs=1e-6)

"""Recordings in AAC, bare, in MPEG-4 and in a video, by every command that reads one."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from ace_core.audio.files import read_audio
from ace_core.cli.output import Exit
from tests.foreign_sound import write_aac

RATE = 44_100  # neither the models' rate nor their channels


@pytest.fixture(params=["phone.aac", "phone.m4a", "film.mp4"])
def recordings(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A recording, and the samples that are read from it as WAV in 32-bit float."""
    path, copy = tmp_path / request.param, tmp_path / "copy.wav"
    tone = np.sin(np.arange(RATE) / 20).astype(np.float32)[None] / 2
    write_aac(path, tone, RATE, video=path.suffix == ".mp4")
    samples, rate = read_audio(path)
    soundfile.write(copy, samples[0].numpy().T, rate, "FLOAT")
    return path, copy


def test_a_recording_is_read_as_its_samples_are(
    ask: Any, models: tuple[str, str], recordings: tuple[Path, Path]
):
    with av.open(recordings[0]) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    codes = [ask("codes", path, *models)[:2] for path in recordings]
    measured = [ask("measure", path)[1][0] for path in recordings]
    assert codes[0] == codes[1]
    assert codes[0][0] == Exit.DONE
    assert [found.pop("path") for found in measured] == [str(path) for path in recordings]
    assert measured[0] == measured[1]


def test_a_song_starts_from_a_recording_and_takes_its_sound_as_from_its_samples(
    ask: Any, models: tuple[str, str], recordings: tuple[Path, Path], tmp_path: Path
):
    quick = ("--no-thinking", "--inference-steps", 1, "--caption", "rain", "--seed", 3, "--no-lm")
    songs = []
    for number, path in enumerate(recordings):
        out = tmp_path / f"{number}.wav"
        words = ("cover", path, "--reference-audio", path, *quick, *models, "-o", out)
        assert ask(*words)[0] == Exit.DONE
        songs.append(soundfile.read(out)[0])
    assert np.array_equal(*songs)

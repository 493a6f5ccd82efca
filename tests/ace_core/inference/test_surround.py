"""What becomes of surround sound is in the status of the song, once for each recording."""

from pathlib import Path

import soundfile
import torch

from .conftest import Make


def test_a_mixdown_is_in_the_status(make: Make, tmp_path: Path):
    path = tmp_path / "film.wav"
    soundfile.write(path, (torch.rand(96_000, 6) / 4).numpy(), 48_000)
    result = make(task_type="cover", src_audio=str(path), reference_audio=str(path))
    assert result.success, result.error
    said = "has 6 channels, which are mixed down to stereo."
    assert f"`src_audio` {said}" in result.status_message
    assert f"`reference_audio` {said}" in result.status_message


def test_a_stereo_recording_is_not_spoken_of(make: Make, tmp_path: Path):
    path = tmp_path / "take.wav"
    soundfile.write(path, (torch.rand(96_000, 2) / 4).numpy(), 48_000)
    result = make(task_type="cover", src_audio=str(path))
    assert result.success, result.error
    assert "channels" not in result.status_message

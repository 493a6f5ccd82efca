"""Reading sound files: sample by sample what another reader finds, and the kinds people have."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch

from ace_core.audio.recording import read_audio
from ace_core.errors import InvalidAudioError

RATE = 44_100


def sound(channels: int = 2, samples: int = 30_011) -> np.ndarray:
    """[C, N], not loud enough to clip."""
    return np.random.default_rng(1).uniform(-0.9, 0.9, (channels, samples)).astype(np.float32)


@pytest.mark.parametrize(
    "name", ["PCM_U8.wav", "PCM_16.wav", "PCM_24.wav", "FLOAT.wav", "DOUBLE.wav", "PCM_24.flac"]
)
def test_samples_are_those_that_libsndfile_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, sound().T, RATE, path.stem)
    expected, _ = soundfile.read(path, dtype="float32")
    samples, rate = read_audio(path)
    assert rate == RATE
    assert torch.equal(samples, torch.from_numpy(expected.T.copy())[None])


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_stay_apart_and_in_order(tmp_path: Path, channels: int) -> None:
    soundfile.write(tmp_path / "song.wav", sound(channels).T, RATE, "FLOAT")
    samples, _ = read_audio(tmp_path / "song.wav")
    assert torch.equal(samples, torch.from_numpy(sound(channels))[None])


def test_an_mp3_begins_and_ends_where_its_sound_does(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.mp3", sound().T, RATE)
    expected, _ = soundfile.read(tmp_path / "song.mp3", dtype="float32")
    samples, _ = read_audio(tmp_path / "song.mp3")
    assert samples.shape[-1] == len(expected)
    assert (samples[0].numpy().T - expected).max() < 1e-3  # two decoders


@pytest.mark.parametrize("name", ["song.m4a", "song.aac", "film.mp4"])
def test_the_sound_of_an_m4a_an_aac_and_a_video_is_read(tmp_path: Path, name: str) -> None:
    time = np.arange(RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None]
    write_aac(tmp_path / name, tone, video=name.endswith("mp4"))
    samples, rate = read_audio(tmp_path / name)
    assert rate == RATE
    spectrum = samples[0, 0, : RATE // 2].numpy()
    assert np.abs(np.fft.rfft(spectrum)).argmax() * 2 == 440
    assert samples.shape[-1] / rate == pytest.approx(1.0, abs=0.06)  # AAC pads to whole frames


def write_aac(path: Path, tone: np.ndarray, video: bool) -> None:
    with av.open(path, "w") as output:
        stream = output.add_stream("aac", rate=RATE, layout="mono")
        if video:
            film = output.add_stream("mpeg4", rate=25, width=16, height=16, pix_fmt="yuv420p")
            picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
            output.mux([*film.encode(picture), *film.encode(None)])
        frame = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
        frame.sample_rate = RATE
        output.mux([*stream.encode(frame), *stream.encode(None)])


@pytest.mark.parametrize("content", [b"", b"hello there" * 40])
def test_what_is_no_sound_is_refused_with_the_kinds_that_are(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "song.wav").write_bytes(content)
    with pytest.raises(InvalidAudioError, match=r"no sound that can be read.*Give WAV, FLAC"):
        read_audio(tmp_path / "song.wav")


def test_a_video_without_sound_is_refused_by_its_lack(tmp_path: Path) -> None:
    with av.open(tmp_path / "film.mp4", "w") as output:
        film = output.add_stream("mpeg4", rate=25, width=16, height=16, pix_fmt="yuv420p")
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        output.mux([*film.encode(picture), *film.encode(None)])
    with pytest.raises(InvalidAudioError, match="it holds no sound"):
        read_audio(tmp_path / "film.mp4")


def test_a_missing_file_is_refused_with_the_folder_it_was_looked_for_in(tmp_path: Path) -> None:
    with pytest.raises(InvalidAudioError, match="there is no such file"):
        read_audio(tmp_path / "nowhere.wav")

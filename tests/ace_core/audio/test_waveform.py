import logging

import pytest
import torch

from ace_core.audio.waveform import limit_peak, model_audio, silent
from ace_core.errors import InvalidAudioError

RATE = 48_000


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape) * 1.8 - 0.9


def test_stereo_at_the_models_rate_is_left_as_it_is():
    audio = noise(2, 2, 1000)
    assert torch.equal(model_audio(audio, RATE), audio)


def test_mono_is_doubled():
    audio = noise(1, 1, 1000)
    heard = model_audio(audio, RATE)
    assert heard.shape == (1, 2, 1000)
    assert torch.equal(heard[:, 0], audio[:, 0])
    assert torch.equal(heard[:, 1], audio[:, 0])


def test_of_six_channels_the_first_two_are_heard_and_it_is_said(caplog):
    audio = noise(1, 6, 1000)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(model_audio(audio, RATE), audio[:, :2])
    assert "6 channels" in caplog.text


def test_another_rate_is_resampled_to_the_same_playing_time():
    assert model_audio(noise(1, 1, 44_100), 44_100).shape == (1, 2, RATE)


def test_beyond_full_scale_is_cut_and_the_samples_are_counted(caplog):
    audio = noise(1, 2, 100)
    audio[0, 0, :3] = torch.tensor([1.5, -2.0, 1.0])
    with caplog.at_level(logging.WARNING):
        heard = model_audio(audio, RATE)
    assert heard[0, 0, :3].tolist() == [1.0, -1.0, 1.0]
    assert "2 of the audio's 200 samples" in caplog.text


@pytest.mark.parametrize(
    ("waveform", "rate", "message"),
    [
        (torch.zeros(2, 100), RATE, r"\[2, 100\].*\[batch, channels, samples\]"),
        (torch.zeros(1, 2, 0), RATE, r"empty"),
        (torch.zeros(0, 2, 10), RATE, r"empty"),
        (torch.full((1, 2, 10), float("nan")), RATE, r"20 of the audio's 20 samples.*NaN"),
        (torch.tensor([[[0.0, float("inf")]]]), RATE, r"1 of the audio's 2 samples"),
        (torch.zeros(1, 2, 10), 0, r"0 Hz is not a sample rate"),
    ],
)
def test_what_is_not_audio_is_refused(waveform: torch.Tensor, rate: int, message: str):
    with pytest.raises(InvalidAudioError, match=message):
        model_audio(waveform, rate)


def test_only_items_above_full_scale_are_divided_by_their_own_peak():
    audio = torch.stack([noise(2, 50), noise(2, 50)])
    audio[1, 1, 7] = -2.5
    limited = limit_peak(audio)
    assert torch.equal(limited[0], audio[0])
    torch.testing.assert_close(limited[1], audio[1] / 2.5)
    assert limited[1, 1, 7] == -1.0


def test_silence_is_below_a_millionth():
    assert silent(torch.full((1, 2, 10), 9e-7))
    assert not silent(torch.tensor([[[0.0, -2e-6]]]))

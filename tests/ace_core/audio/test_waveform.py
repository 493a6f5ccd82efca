"""Waveforms: the models' form, what is refused as a source, resampling."""

import logging
import math

import pytest
import torch

from ace_core.audio.waveform import (
    is_silent,
    limit_peak,
    model_audio,
    pad_audio,
    resample,
    source_audio,
    sources_audio,
)
from ace_core.errors import InvalidAudioError
from tests.rounding import assert_same

RATE = 48_000


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape) * 1.8 - 0.9


def test_stereo_at_the_models_rate_is_left_as_it_is():
    audio = noise(2, 2, 1000)
    assert torch.equal(model_audio(audio, RATE), audio)


def test_mono_is_doubled():
    audio = noise(1, 1, 1000)
    converted = model_audio(audio, RATE)
    assert converted.shape == (1, 2, 1000)
    assert torch.equal(converted[:, 0], audio[:, 0])
    assert torch.equal(converted[:, 1], audio[:, 0])


@pytest.mark.parametrize(
    ("channels", "channel", "left", "right"),
    [
        (6, 0, 1, 0),
        (6, 1, 0, 1),
        (6, 2, 0.5**0.5, 0.5**0.5),  # the centre, where a voice sits
        (6, 3, 0, 0),  # low frequencies
        (6, 4, 0.5**0.5, 0),
        (6, 5, 0, 0.5**0.5),
        (3, 2, 0.5**0.5, 0.5**0.5),
        (4, 2, 0.5**0.5, 0),
        (5, 4, 0, 0.5**0.5),
        (7, 4, 0.5, 0.5),
        (7, 5, 0.5**0.5, 0),
        (8, 7, 0, 0.5**0.5),
    ],
)
def test_surround_is_mixed_down_by_the_usual_weights_and_it_is_logged(
    caplog, channels: int, channel: int, left: float, right: float
):
    audio = torch.zeros(1, channels, 100)
    audio[:, channel] = 0.5
    with caplog.at_level(logging.WARNING):
        heard = model_audio(audio, RATE)
    torch.testing.assert_close(heard[0, :, 0], torch.tensor([left, right]) / 2)
    assert f"{channels} channels" in caplog.text


def test_a_loud_mixdown_is_brought_to_full_scale_and_not_clipped():
    audio = 0.9 * torch.ones(1, 6, 100)
    audio[..., 50:] = 0.45
    heard = model_audio(audio, RATE)
    assert heard[..., :50].unique() == pytest.approx(1, abs=1e-6)
    assert heard[..., 50:].unique() == pytest.approx(0.5, abs=1e-6)


def test_of_more_than_eight_channels_the_first_two_are_taken_and_it_is_logged(caplog):
    audio = noise(1, 12, 1000)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(model_audio(audio, RATE), audio[:, :2])
    assert "12 channels" in caplog.text


def test_another_rate_is_resampled_to_the_same_playing_time():
    assert model_audio(noise(1, 1, 44_100), 44_100).shape == (1, 2, RATE)


def test_beyond_full_scale_is_cut_and_the_samples_are_counted(caplog):
    audio = noise(1, 2, 100)
    audio[0, 0, :3] = torch.tensor([1.5, -2.0, 1.0])
    with caplog.at_level(logging.WARNING):
        converted = model_audio(audio, RATE)
    assert converted[0, 0, :3].tolist() == [1.0, -1.0, 1.0]
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
    assert is_silent(torch.full((1, 2, 10), 9e-7))
    assert not is_silent(torch.tensor([[[0.0, -2e-6]]]))


SOURCE_RATE = 48_000


def tone(seconds: float, rate: int = SOURCE_RATE, channels: int = 2) -> torch.Tensor:
    moments = torch.arange(int(seconds * rate)) / rate
    return (0.5 * torch.sin(2 * torch.pi * 440 * moments)).expand(1, channels, -1)


def test_a_mono_source_of_another_rate_becomes_stereo_at_48_khz():
    audio = source_audio(tone(1.0, 44_100, 1), 44_100)
    assert audio.shape == (1, 2, SOURCE_RATE)
    assert torch.equal(audio[:, 0], audio[:, 1])
    torch.testing.assert_close(
        audio[..., 2000:-2000], tone(1.0)[..., 2000:-2000], atol=2e-3, rtol=0
    )


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (tone(0.01), "0.01 seconds long"),
        (torch.ones(1, 1, 1).expand(1, 2, 660 * SOURCE_RATE), "660.00 seconds long"),
        (torch.zeros(1, 2, SOURCE_RATE), "silent"),
        (torch.full((1, 2, SOURCE_RATE), float("nan")), "NaN"),
        (tone(1.0).expand(2, -1, -1), "2 items, but one song starts from one"),
        (torch.zeros(1, 2, 0), "empty"),
        (torch.zeros(2, SOURCE_RATE), r"\[batch, channels, samples\]"),
    ],
)
def test_what_cannot_be_a_source_is_refused(waveform, message):
    with pytest.raises(InvalidAudioError, match=message):
        source_audio(waveform, SOURCE_RATE)


def test_the_shortest_source_is_taken_and_the_message_names_what_it_is():
    assert source_audio(tone(0.2), SOURCE_RATE).shape[-1] == 9_600
    with pytest.raises(InvalidAudioError, match="The reference is silent"):
        source_audio(torch.zeros(1, 2, SOURCE_RATE), SOURCE_RATE, "reference")


def test_silence_is_put_around_and_the_sound_is_untouched():
    audio = tone(0.5)
    longer = pad_audio(audio, 100, 50)
    assert longer.shape[-1] == audio.shape[-1] + 150
    assert torch.equal(longer[..., 100:-50], audio)
    assert not longer[..., :100].any()
    assert not longer[..., -50:].any()


def test_up_to_eight_sources_are_taken_as_they_are_alone():
    both = torch.cat([tone(0.5, 44_100), -tone(0.5, 44_100)])
    converted = sources_audio(both, 44_100)
    assert torch.equal(converted[1:], source_audio(both[1:], 44_100))
    with pytest.raises(InvalidAudioError, match="9 items, but at most 8"):
        sources_audio(tone(0.5).expand(9, -1, -1), SOURCE_RATE)
    with pytest.raises(InvalidAudioError, match="source's item 2 of 2 is silent"):
        sources_audio(torch.cat([tone(0.5), torch.zeros(1, 2, 24_000)]), SOURCE_RATE)


OLD_RATE = 48_000


def sine(hertz: float, rate: int, seconds: float = 0.2) -> torch.Tensor:
    times = torch.arange(int(rate * seconds), dtype=torch.float64) / rate
    return torch.sin(2 * math.pi * hertz * times).float()[None, None]


@pytest.mark.parametrize("rate", [8_000, 22_050, 32_000, 44_100, 96_000])
def test_a_sine_stays_the_same_sine(rate: int):
    resampled = resample(sine(1000.0, rate), rate, OLD_RATE)
    expected = sine(1000.0, OLD_RATE)
    assert resampled.shape == expected.shape
    inner = slice(OLD_RATE // 100, -OLD_RATE // 100)  # the ends see silence beyond the clip
    torch.testing.assert_close(resampled[..., inner], expected[..., inner], rtol=0, atol=4e-3)


def test_what_the_new_rate_cannot_hold_is_removed():
    too_high = resample(sine(30_000.0, 96_000), 96_000, OLD_RATE)
    assert too_high[..., 500:-500].abs().max() < 0.02


def test_the_same_rate_is_the_same_audio():
    audio = torch.randn(2, 2, 100)
    assert resample(audio, OLD_RATE, OLD_RATE) is audio


@pytest.mark.parametrize(("rate", "samples"), [(44_100, 1), (44_100, 12_345), (96_000, 7)])
def test_the_length_is_rounded_up(rate: int, samples: int):
    resampled = resample(torch.randn(1, 2, samples), rate, OLD_RATE)
    assert resampled.shape == (1, 2, math.ceil(samples * OLD_RATE / rate))


def test_items_and_channels_do_not_mix():
    audio = torch.randn(3, 2, 1000, dtype=torch.float64)
    whole = resample(audio, 44_100, OLD_RATE)
    alone = resample(audio[1:2, 1:], 44_100, OLD_RATE)
    assert_same(whole[1:2, 1:], alone)


def test_the_first_samples_are_the_published_filter_s():
    """At 24 -> 48 kHz every other output is the input weighted by sinc(0.99 n) and the window."""
    impulse = torch.zeros(1, 1, 64, dtype=torch.float64)
    impulse[..., 32] = 1
    doubled = resample(impulse, 24_000, OLD_RATE)[0, 0]
    distance = (torch.arange(128, dtype=torch.float64) - 64) / 2 * 0.99
    window = torch.cos(distance.clamp(-6, 6) * math.pi / 12).square()
    assert_same(doubled, torch.sinc(distance) * window * 0.99)


def test_rates_without_a_common_divisor_are_refused_with_what_to_do():
    with pytest.raises(InvalidAudioError, match=r"44101 Hz.*divisor is only 1.*44100"):
        resample(torch.randn(1, 1, 10), 44_101, OLD_RATE)

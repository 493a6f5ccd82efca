import math

import pytest
import torch

from ace_core.audio.resample import resample
from ace_core.errors import InvalidAudioError
from tests.rounding import assert_same

RATE = 48_000


def sine(hertz: float, rate: int, seconds: float = 0.2) -> torch.Tensor:
    times = torch.arange(int(rate * seconds), dtype=torch.float64) / rate
    return torch.sin(2 * math.pi * hertz * times).float()[None, None]


@pytest.mark.parametrize("rate", [8_000, 22_050, 32_000, 44_100, 96_000])
def test_a_sine_stays_the_same_sine(rate: int):
    resampled = resample(sine(1000.0, rate), rate, RATE)
    expected = sine(1000.0, RATE)
    assert resampled.shape == expected.shape
    inner = slice(RATE // 100, -RATE // 100)  # the ends see silence beyond the clip
    torch.testing.assert_close(resampled[..., inner], expected[..., inner], rtol=0, atol=4e-3)


def test_what_the_new_rate_cannot_hold_is_removed():
    too_high = resample(sine(30_000.0, 96_000), 96_000, RATE)
    assert too_high[..., 500:-500].abs().max() < 0.02


def test_the_same_rate_is_the_same_audio():
    audio = torch.randn(2, 2, 100)
    assert resample(audio, RATE, RATE) is audio


@pytest.mark.parametrize(("rate", "samples"), [(44_100, 1), (44_100, 12_345), (96_000, 7)])
def test_the_length_is_rounded_up(rate: int, samples: int):
    resampled = resample(torch.randn(1, 2, samples), rate, RATE)
    assert resampled.shape == (1, 2, math.ceil(samples * RATE / rate))


def test_items_and_channels_do_not_mix():
    audio = torch.randn(3, 2, 1000, dtype=torch.float64)
    whole = resample(audio, 44_100, RATE)
    alone = resample(audio[1:2, 1:], 44_100, RATE)
    assert_same(whole[1:2, 1:], alone)


def test_the_first_samples_are_the_published_filter_s():
    """At 24 -> 48 kHz every other output is the input weighted by sinc(0.99 n) and the window."""
    impulse = torch.zeros(1, 1, 64, dtype=torch.float64)
    impulse[..., 32] = 1
    doubled = resample(impulse, 24_000, RATE)[0, 0]
    distance = (torch.arange(128, dtype=torch.float64) - 64) / 2 * 0.99
    window = torch.cos(distance.clamp(-6, 6) * math.pi / 12).square()
    assert_same(doubled, torch.sinc(distance) * window * 0.99)


def test_rates_without_a_common_divisor_are_refused_with_what_to_do():
    with pytest.raises(InvalidAudioError, match=r"44101 Hz.*divisor is only 1.*44100"):
        resample(torch.randn(1, 1, 10), 44_101, RATE)

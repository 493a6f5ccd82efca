import math

import pytest
import torch

from ace_core.audio.loudness import at_loudness, loudness

RATE = 48_000


def tone(hertz: float, seconds: float = 4.0, rate: int = RATE) -> torch.Tensor:
    return torch.sin(2 * math.pi * hertz * torch.arange(int(rate * seconds)) / rate)[None]


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_the_calibration_tone_of_the_standard_is_as_loud_as_it_says(rate: int):
    found = loudness(tone(997, rate=rate), rate)
    assert found == pytest.approx(-3.01, abs=0.02)


def test_two_channels_are_three_decibels_louder_than_one():
    both = loudness(tone(997).repeat(2, 1), RATE)
    assert both == pytest.approx(0.0, abs=0.02)


def test_the_ear_hears_little_of_the_lowest_tones_and_more_of_high_ones():
    low, middle, high = (loudness(tone(hertz), RATE) for hertz in (20, 997, 10_000))
    assert low is not None and middle is not None and high is not None
    assert low < middle - 10
    assert high == pytest.approx(middle + 3.3, abs=0.2)


def test_half_the_amplitude_is_six_decibels_less():
    loud, quiet = loudness(tone(997), RATE), loudness(tone(997) / 2, RATE)
    assert loud is not None
    assert quiet == pytest.approx(loud - 6.02, abs=0.01)


def test_silence_around_a_song_does_not_make_it_quieter():
    song = tone(997, 8.0)
    rest = torch.zeros(1, 8 * RATE)
    alone, within = loudness(song, RATE), loudness(torch.cat([rest, song], dim=1), RATE)
    assert alone is not None
    partial = 10 * math.log10((77 + 1.5) / 80)  # three blocks hold a part of it
    assert within == pytest.approx(alone + partial, abs=0.01)


def test_silence_has_no_loudness():
    assert loudness(torch.zeros(2, RATE), RATE) is None
    assert loudness(torch.zeros(2, 0), RATE) is None


def test_a_sound_shorter_than_a_block_is_measured_too():
    assert loudness(tone(997, 0.2), RATE) == pytest.approx(-6.0, abs=0.2)  # half the block is empty


@pytest.mark.parametrize("level", [0.003, 0.4, 30.0])
def test_a_sound_is_brought_to_the_loudness_that_was_asked_for(level: float):
    found = loudness(at_loudness(level * tone(997), RATE, -23.0), RATE)
    assert found == pytest.approx(-23.0, abs=0.01)


def test_a_click_stays_below_full_scale_even_if_it_is_quieter_then():
    click = torch.zeros(2, 2 * RATE)
    click[:, 1000:1010] = 0.5
    raised = at_loudness(click, RATE, -3.0)
    assert raised.abs().max() == pytest.approx(1.0)
    assert raised.abs().max() > click.abs().max()


def test_silence_is_not_raised():
    assert torch.equal(at_loudness(torch.zeros(2, RATE), RATE, -23.0), torch.zeros(2, RATE))

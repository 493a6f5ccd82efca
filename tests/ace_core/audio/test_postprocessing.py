"""The level and the fades of finished audio: what is asked for is reached, or said not to be."""

import logging
from typing import Any

import pytest
import torch

from ace_core.audio.loudness import loudness
from ace_core.audio.postprocessing import PostProcessing
from ace_core.errors import InvalidRequestError

RATE = 48_000


def two_songs() -> torch.Tensor:
    """Noise that swells, a quiet and a loud item, [2, 2, N]."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(2, 2, 3 * RATE, generator=generator) / 20
    return noise * torch.linspace(0.5, 1, 3 * RATE) * torch.tensor([0.2, 1.0])[:, None, None]


def test_audio_stays_as_it_is_where_nothing_is_chosen():
    audio = two_songs()
    assert PostProcessing().applied(audio, RATE) is audio


@pytest.mark.parametrize("decibels", [0.0, -1.0, -12.0])
def test_each_item_has_the_peak_that_was_chosen(decibels: float):
    found = PostProcessing(peak=decibels).applied(two_songs(), RATE)
    expected = torch.full((2,), 10 ** (decibels / 20))
    torch.testing.assert_close(found.abs().amax(dim=(1, 2)), expected)


@pytest.mark.parametrize("rate", [44_100, RATE])
def test_each_item_is_as_loud_as_was_chosen(rate: int):
    for item in PostProcessing(loudness=-23.0).applied(two_songs(), rate):
        assert loudness(item, rate) == pytest.approx(-23.0, abs=0.01)


def test_a_loudness_that_would_clip_ends_at_full_scale_and_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        found = PostProcessing(loudness=-3.0).applied(two_songs(), RATE)
    torch.testing.assert_close(found.abs().amax(dim=(1, 2)), torch.ones(2))
    assert "cannot be as loud as -3 LUFS without clipping" in caplog.text


def test_fades_are_drawn_over_what_was_levelled_at_the_rate_of_the_audio():
    rate = 8_000
    audio = torch.full((1, 1, 3 * rate), 0.25)
    found = PostProcessing(peak=0.0, fade_in=1.0, fade_out=0.5).applied(audio, rate)[0, 0]
    torch.testing.assert_close(found[:rate], torch.linspace(0, 1, rate))
    assert torch.equal(found[rate : -rate // 2], torch.ones(3 * rate - rate - rate // 2))
    torch.testing.assert_close(found[-rate // 2 :], torch.linspace(1, 0, rate // 2))


def test_silence_stays_silent():
    for chosen in (PostProcessing(peak=-1.0), PostProcessing(loudness=-14.0)):
        assert not chosen.applied(torch.zeros(1, 2, RATE), RATE).any()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"peak": -1.0, "loudness": -14.0}, "cannot both be reached"),
        ({"peak": 0.1}, "A peak of 0.1 dB is outside -60 to 0"),
        ({"loudness": -61.0}, "A loudness of -61 LUFS is outside -60 to 0"),
        ({"fade_in": -1.0}, "A fade in of -1 seconds is outside 0 to 600"),
        ({"fade_out": 601.0}, "A fade out of 601 seconds"),
        ({"peak": float("nan")}, "A peak of nan dB"),
    ],
)
def test_what_cannot_be_reached_is_refused(wrong: dict[str, Any], words: str):
    with pytest.raises(InvalidRequestError, match=words):
        PostProcessing(**wrong)

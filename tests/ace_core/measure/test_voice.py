"""When somebody sings, from a stem."""

import pytest
import torch
from torch import Tensor

from ace_core.errors import InvalidAudioError
from ace_core.measure.voice import phrase_lines, phrases

RATE = 16_000


def stem(*parts: tuple[float, float]) -> Tensor:
    """A tone in parts of (dB of full scale, seconds), [1, N]."""
    found = []
    for decibels, seconds in parts:
        t = torch.arange(round(seconds * RATE)) / RATE
        found.append(10 ** (decibels / 20) * torch.sin(2 * torch.pi * 220 * t))
    return torch.cat(found)[None]


def test_phrases_are_found_and_breaths_are_within_them():
    sung = stem((-90, 1.0), (-12, 2.0), (-90, 0.2), (-18, 1.0), (-90, 1.0), (-20, 0.5), (-90, 1.0))
    first, second = phrases(sung, RATE)
    assert first == pytest.approx((1.0, 4.2), abs=0.051)
    assert second == pytest.approx((5.2, 5.7), abs=0.051)


def test_what_a_separation_leaves_of_other_parts_is_no_voice():
    leak = stem((-58, 5.0))
    assert phrases(leak, RATE) == ()
    both = stem((-45, 2.0), (-10, 2.0), (-45, 2.0))  # 35 dB below the voice
    (sung,) = phrases(both, RATE)
    assert sung == pytest.approx((2.0, 4.0), abs=0.051)


def test_a_click_is_no_phrase():
    assert phrases(stem((-90, 1.0), (-3, 0.04), (-90, 1.0)), RATE) == ()


def test_a_phrase_ends_with_the_recording():
    ((start, end),) = phrases(stem((-90, 1.0), (-12, 1.01)), RATE)
    assert start == pytest.approx(1.0, abs=0.051)
    assert end == pytest.approx(2.01)


def test_it_is_said_when_somebody_sings_and_how_much():
    assert phrase_lines((), 10.0) == ["vocals: none"]
    (line,) = phrase_lines(((1.0, 3.5), (6.0, 8.5)), 10.0)
    assert line == "vocals: 5.0 s, 50% of the recording: 1.0–3.5, 6.0–8.5 s"


def test_sound_that_is_none_is_refused():
    with pytest.raises(InvalidAudioError):
        phrases(torch.full((1, RATE), torch.nan), RATE)

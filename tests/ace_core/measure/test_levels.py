"""Levels against the test signals of EBU Tech 3341 and against sounds made for it."""

import math

import pytest
import torch
from torch import Tensor

from ace_core.audio.loudness import loudness
from ace_core.measure.levels import clipped_samples, levels, true_peak
from tools.measure.pieces import RATE as PIECE_RATE
from tools.measure.pieces import pieces, render

RATE = 48_000


def tone(*parts: tuple[float, float]) -> Tensor:
    """A stereo sine of 1 kHz in parts of (dB of full scale, seconds)."""
    found = []
    for decibels, seconds in parts:
        t = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
        found.append(10 ** (decibels / 20) * torch.sin(2 * math.pi * 1000 * t).float())
    return torch.cat(found).repeat(2, 1)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (((-23, 20),), -23.0),
        (((-33, 20),), -33.0),
        (((-36, 10), (-23, 60), (-36, 10)), -23.0),
        (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
        (((-26, 20), (-20, 20.1), (-26, 20)), -23.0),
    ],
)
def test_the_integrated_loudness_is_that_of_the_ebu_signals(parts, expected: float):
    assert loudness(tone(*parts), RATE) == pytest.approx(expected, abs=0.1)


def test_the_true_peak_lies_between_the_samples():
    t = torch.arange(RATE, dtype=torch.float64)
    wave = 0.5 * torch.sin(math.pi / 2 * t + math.pi / 4).float()[None]  # samples at 0.354
    assert 20 * math.log10(true_peak(wave)) == pytest.approx(-6.02, abs=0.2)


def test_only_runs_at_full_scale_are_clipped():
    wave = torch.zeros(1, 100)
    wave[0, 10], wave[0, 20:22], wave[0, 30:35] = 1.0, 1.0, -1.0
    assert clipped_samples(wave) == 5


def test_silence_is_found_before_within_and_after():
    rest = torch.zeros(2, 2 * RATE)
    found = levels(torch.cat([rest, tone((-10, 1)), rest[:, :RATE], tone((-10, 1)), rest], 1), RATE)
    assert found.silence_before == pytest.approx(2, abs=0.05)
    assert found.silence_after == pytest.approx(2, abs=0.05)
    assert found.longest_silence == pytest.approx(1, abs=0.05)
    assert not found.cut_off


@pytest.mark.parametrize("which", [1, 5])  # of these the last note has died away at the end
def test_a_fade_an_ending_and_a_cut_are_told_apart(which: int):
    song = render(pieces()[which])
    whole = levels(song, PIECE_RATE)
    assert (whole.fade_out, whole.cut_off) == (0.0, False)
    cut = levels(song[:, : 10 * PIECE_RATE], PIECE_RATE)
    assert (cut.fade_out, cut.cut_off) == (0.0, True)
    gain = torch.ones(song.shape[1])
    gain[-5 * PIECE_RATE :] = torch.linspace(1, 0, 5 * PIECE_RATE).square()
    faded = levels(song * gain, PIECE_RATE)
    assert 2 < faded.fade_out < 5
    assert not faded.cut_off

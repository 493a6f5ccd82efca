"""Tempo, beats, meter and key of synthesised pieces whose truth is known."""

import pytest
import torch
from torch import Tensor

from ace_core.errors import InvalidAudioError
from ace_core.measure.measurement import Measurement, measure
from tools.measure.accuracy import beats_are, downbeats_are, either, meter_is, score, tempo_is
from tools.measure.pieces import MOST_IN_CI, RATE, Piece, pieces, render


@pytest.fixture(scope="module")
def measured() -> list[tuple[Piece, Measurement]]:
    return [(piece, measure(render(piece), RATE)) for piece in pieces()[:MOST_IN_CI]]


def right(measured: list[tuple[Piece, Measurement]]) -> list[tuple[Piece, Measurement]]:
    return [pair for pair in measured if tempo_is(*pair, (1.0,))]


def test_the_tempo_is_within_4_percent_or_an_octave_off(measured):
    assert [piece for piece, found in measured if not either(piece, found)] == []
    assert len(right(measured)) >= 0.65 * len(measured)  # 57 of all 72 are


def test_a_right_tempo_is_right_to_a_thousandth(measured):
    for piece, found in right(measured):
        assert found.tempo.bpm == pytest.approx(piece.bpm, rel=2e-3), piece


def test_beats_are_where_they_were_played(measured):
    assert [piece for piece, found in right(measured) if not beats_are(piece, found)] == []


def test_bars_have_their_meter_and_begin_on_downbeats(measured):
    for piece, found in right(measured):
        assert meter_is(piece, found), piece
        assert downbeats_are(piece, found), piece


def test_the_key_is_right_or_a_neighbour(measured):
    scores = [score(piece, found) for piece, found in measured]
    assert sum(scores) / len(scores) >= 0.8  # 0.90 over all 72


def test_what_cannot_be_measured_is_left_open():
    silence = measure(torch.zeros(2, 5 * RATE), RATE)
    assert (silence.tempo, silence.meter, silence.key) == (None, None, None)
    assert silence.levels.loudness is None
    assert measure(torch.randn(2, RATE // 2), RATE).tempo is None


def test_a_tuning_beside_440_hz_is_found():
    t = torch.arange(4 * RATE) / RATE
    chord = sum(torch.sin(2 * torch.pi * 432 * 2 ** (n / 12) * t) for n in (3, 7, 10)) / 4
    found = measure(chord[None], RATE).key
    assert found is not None
    assert found.tuning == pytest.approx(-31.8, abs=2)  # 1200 log2(432 / 440)


@pytest.mark.parametrize("audio", [torch.zeros(2, 0), torch.full((2, RATE), torch.nan)])
def test_sound_that_is_none_is_refused(audio: Tensor):
    with pytest.raises(InvalidAudioError):
        measure(audio, RATE)

"""Tempo, beats, meter and key of synthesised pieces whose truth is known."""

import pytest
import torch
from torch import Tensor

from ace_core.errors import InvalidAudioError
from ace_core.measure.measurement import Measurement, measure
from tools.measure.pieces import MOST_IN_CI, NAMES, RATE, Piece, pieces, render

OCTAVES = (0.5, 1.0, 2.0, 1 / 3, 3.0)  # of a tempo, as listeners may tap it


@pytest.fixture(scope="module")
def measured() -> list[tuple[Piece, Measurement]]:
    return [(piece, measure(render(piece), RATE)) for piece in pieces()[:MOST_IN_CI]]


def near(found: float, truth: float) -> bool:
    return abs(found / truth - 1) < 0.04


def tempo_is_right(piece: Piece, found: Measurement) -> bool:
    return found.tempo is not None and near(found.tempo.bpm, piece.bpm)


def test_the_tempo_is_within_4_percent_or_an_octave_off(measured):
    for piece, found in measured:
        assert found.tempo is not None
        assert any(near(found.tempo.bpm, piece.bpm * octave) for octave in OCTAVES), piece
    right = sum(tempo_is_right(piece, found) for piece, found in measured)
    assert right >= 0.65 * len(measured)  # 57 of all 72 are


def test_a_right_tempo_is_right_to_a_thousandth(measured):
    for piece, found in measured:
        if tempo_is_right(piece, found):
            assert found.tempo.bpm == pytest.approx(piece.bpm, rel=2e-3), piece


def test_beats_are_where_they_were_played(measured):
    for piece, found in measured:
        if tempo_is_right(piece, found):
            assert distances(piece.beats(), found.tempo.beats).max() < 0.05, piece


def test_bars_have_their_meter_and_begin_on_downbeats(measured):
    for piece, found in measured:
        if tempo_is_right(piece, found):
            assert found.meter is not None
            assert found.meter.time_signature == piece.meter, piece
            assert distances(piece.downbeats(), found.meter.downbeats).median() < 0.05, piece


def test_the_key_is_right_or_a_neighbour(measured):
    scores = [mirex(piece.key, found.key.name) for piece, found in measured]
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


def distances(truth: list[float], found: tuple[float, ...]) -> Tensor:
    """Seconds from each true time to the nearest one found."""
    return (torch.tensor(truth)[:, None] - torch.tensor(found)).abs().amin(dim=1)


def mirex(truth: str, found: str) -> float:
    """The score of MIREX: 1, 0.5 for a fifth, 0.3 for the relative, 0.2 for the parallel key."""
    (pitch, mode), (other, other_mode) = truth.split(), found.split()
    up = (NAMES.index(other) - NAMES.index(pitch)) % 12
    if mode == other_mode:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(up, 0.0)
    relative = 9 if mode == "major" else 3
    return 0.3 if up == relative else 0.2 if up == 0 else 0.0

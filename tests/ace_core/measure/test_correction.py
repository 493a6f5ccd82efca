"""From what was measured to what was asked."""

import math
from dataclasses import replace

import pytest
import torch

from ace_core.audio.tempo_key import Change
from ace_core.errors import InvalidRequestError, InvalidSongError
from ace_core.measure.correction import corrected, correction, described
from ace_core.measure.key import Key
from ace_core.measure.levels import Levels
from ace_core.measure.measurement import Measurement, measure
from ace_core.measure.tempo import Tempo
from tools.measure.pieces import RATE, pieces, render


def found(bpm: float | None = 126.0, key: str | None = "E minor") -> Measurement:
    return Measurement(
        seconds=20.0,
        tempo=None if bpm is None else Tempo(bpm, (), 0.9, None),
        meter=None,
        key=None if key is None else Key(key, "C major", 0.1, 0.0),
        levels=Levels(-14.0, -1.0, 0, 0.0, 0.0, 0.0, 0.0, False),
    )


@pytest.mark.parametrize(
    ("measured", "asked", "percent"),
    [
        (126.0, 128.0, 100 * (128 / 126 - 1)),
        (63.0, 128.0, 100 * (128 / 126 - 1)),  # half: counted, not doubled
        (252.0, 128.0, 100 * (128 / 126 - 1)),
        (59.0, 174.0, 100 * (174 / 177 - 1)),  # a third
        (128.1, 128.0, 0.0),  # within what is measured
        (64.0, 128.0, 0.0),
    ],
)
def test_a_tempo_is_brought_to_the_nearest_way_to_count_it(
    measured: float, asked: float, percent: float
) -> None:
    assert correction(found(bpm=measured), bpm=asked).change.tempo == pytest.approx(percent)


@pytest.mark.parametrize(
    ("measured", "asked", "semitones"),
    [
        ("E minor", "F minor", 1),
        ("F minor", "Eb minor", -2),
        ("B major", "C major", 1),
        ("A# minor", "Bb minor", 0),
        ("G major", "F minor", 1),  # G# major has the notes of F minor
        ("D minor", "F♯ major", 1),  # D# minor has those of F# major
    ],
)
def test_a_key_is_brought_to_the_asked_notes(measured: str, asked: str, semitones: int) -> None:
    assert correction(found(key=measured), key=asked).change == Change(semitones=semitones)


def test_what_is_done_is_said() -> None:
    lines = correction(found(bpm=63.0), bpm=128, key="F minor").lines
    assert lines == (
        "tempo: 63.0 BPM measured, half 126.0, 128 asked; 1.59 % faster",
        "key: E minor measured, F minor asked; 1 semitone up",
    )
    (line,) = correction(found(key="G major"), key="F minor").lines
    assert "whose notes are those of G# major; 1 semitone up" in line
    assert "left as it is" in correction(found(bpm=128.0), bpm=128).lines[0]
    assert correction(found()) == correction(found(None, None))


@pytest.mark.parametrize(
    ("given", "asked", "why"),
    [
        ({"bpm": 100.0}, {"bpm": 128.0}, r"\+28 % of change.*6 % is made \(94.0 to 106.0 BPM\)"),
        ({"bpm": None}, {"bpm": 128.0}, "no steady pulse"),
        ({"key": "C minor"}, {"key": "F minor"}, r"\+5 semitones, and at most 2"),
        ({"key": None}, {"key": "F minor"}, "no pitch"),
        ({}, {"bpm": math.nan}, "not a tempo. Ask for 30 to 300"),
        ({}, {"bpm": 20.0}, "not a tempo"),
    ],
)
def test_what_is_too_far_or_not_measured_is_refused(given: dict, asked: dict, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        correction(found(**given), **asked)


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSongError, match="'H minor' is not a key"):
        correction(found(), key="H minor")


def test_pieces_have_the_asked_tempo_and_key_afterwards() -> None:
    """0.1 %: twice the largest error of a right tempo over all pieces."""
    for piece in pieces()[:4]:
        audio = render(piece)
        before = measure(audio, RATE)
        assert before.tempo is not None and before.key is not None
        asked = replace(piece, tonic=(piece.tonic + 1) % 12).key
        bpm = piece.bpm * 1.04
        made, (done,) = corrected(audio[None], RATE, bpm, asked)
        after = measure(made[0], RATE)
        assert after.tempo is not None and after.key is not None
        expected = before.tempo.bpm * (1 + done.change.tempo / 100)
        assert after.tempo.bpm == pytest.approx(expected, rel=1e-3), piece
        if before.key.name == piece.key:
            assert after.key.name == asked, piece


def test_items_of_other_tempi_end_with_silence() -> None:
    one, other = render(pieces()[0]), render(replace(pieces()[0], bpm=pieces()[0].bpm * 1.03))
    made, done = corrected(torch.stack([one, other]), RATE, bpm=pieces()[0].bpm)
    assert done[0].change.tempo == 0
    assert done[1].change.tempo == pytest.approx(-2.91, abs=0.2)
    assert made.shape[-1] == round(one.shape[-1] / (1 + done[1].change.tempo / 100))
    assert torch.equal(made[0, :, : one.shape[-1]], one)
    assert not made[0, :, one.shape[-1] :].any()


def test_of_a_batch_the_item_is_named_that_cannot_be_corrected() -> None:
    audio = torch.stack([render(pieces()[0]), torch.zeros(2, 20 * RATE)])
    with pytest.raises(InvalidRequestError, match=r"Item 2 of 2: .* no steady pulse"):
        corrected(audio, RATE, bpm=pieces()[0].bpm)


def test_a_change_is_described_in_words() -> None:
    assert described(Change(-2.0, 1.5)) == "2.00 % slower, 1.5 semitones up"
    assert described(Change()) == "unchanged"

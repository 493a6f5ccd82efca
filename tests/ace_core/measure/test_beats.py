"""Bars and beats as spans of a recording."""

import pytest

from ace_core.errors import InvalidRequestError
from ace_core.measure.beats import (
    BeatGrid,
    bar_span,
    beat_grid,
    beat_span,
    check_beats,
    check_same_recording,
)
from ace_core.measure.measurement import measure
from tools.measure.pieces import RATE, SECONDS, pieces, render

GRID = BeatGrid(10.2, beats=tuple(0.3 + 0.5 * n for n in range(19)), downbeats=(0.8, 2.8, 4.8, 6.8))


def test_bars_are_counted_from_the_first_downbeat():
    assert bar_span(GRID, 1, 1) == (0.8, 2.8)
    assert bar_span(GRID, 2, 2) == (2.8, 6.8)


def test_beats_are_counted_from_the_first_beat():
    assert beat_span(GRID, 1, 4) == pytest.approx((0.3, 2.3))


def test_the_last_bar_ends_where_another_would_begin():
    assert bar_span(GRID, 4, 1) == pytest.approx((6.8, 8.8))
    assert GRID.bar_lines[-1] == pytest.approx(8.8)
    assert GRID.beat_lines[-1] == pytest.approx(9.8)


def test_a_last_bar_that_the_recording_cuts_off_is_none():
    short = BeatGrid(8.5, GRID.beats, GRID.downbeats)
    assert short.bar_lines == GRID.downbeats
    with pytest.raises(InvalidRequestError, match=r"3 whole bars\. Choose some of 1 to 3"):
        bar_span(short, 4, 1)


def test_an_end_that_is_expected_just_behind_the_recording_is_its_end():
    assert BeatGrid(8.78, GRID.beats, GRID.downbeats).bar_lines[-1] == 8.78


@pytest.mark.parametrize(("first", "count"), [(0, 1), (1, 0), (1, 5), (5, 1), (-1, 3)])
def test_bars_outside_of_the_recording_are_refused(first: int, count: int):
    with pytest.raises(InvalidRequestError, match="has 4 whole bars"):
        bar_span(GRID, first, count)


def test_what_was_not_measured_is_refused_with_what_to_do():
    none = BeatGrid(10.0, (), ())
    with pytest.raises(InvalidRequestError, match="No bars were measured"):
        bar_span(none, 1, 1)
    with pytest.raises(InvalidRequestError, match="No beats were measured"):
        beat_span(none, 1, 1)
    with pytest.raises(InvalidRequestError, match="No beats were measured"):
        check_beats(none)


def test_beats_of_another_recording_are_refused():
    check_same_recording(GRID, 10.25)
    with pytest.raises(InvalidRequestError, match=r"of 10\.20 seconds, but this one is 12\.00"):
        check_same_recording(GRID, 12.0)


def test_the_bars_of_a_piece_are_those_that_were_played():
    piece = pieces()[0]
    grid = beat_grid(measure(render(piece), RATE))
    assert grid.seconds == SECONDS
    bars = piece.downbeats()
    start, end = bar_span(grid, 2, 2)
    assert (start, end) == pytest.approx((bars[1], bars[3]), abs=0.02)

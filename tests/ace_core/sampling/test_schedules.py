"""Schedules: the official times, custom ones, and the trained times of turbo."""

import logging
import math

import pytest
import torch

from ace_core.errors import InvalidScheduleError
from ace_core.sampling.schedules import (
    MAX_TURBO_STEPS,
    TURBO_TIMES,
    custom_timesteps,
    parse_times,
    shift_of,
    snap_to_turbo,
    timesteps,
)

# the official tables, as they stand in modeling_acestep_v15_turbo.py; the final 0 is implied there
TABLES = {
    1.0: [1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0],
    2.0: [1.0, 14 / 15, 6 / 7, 10 / 13, 2 / 3, 6 / 11, 0.4, 2 / 9, 0.0],
    3.0: [1.0, 21 / 22, 0.9, 5 / 6, 0.75, 9 / 14, 0.5, 0.3, 0.0],
}


@pytest.mark.parametrize("shift", TABLES)
def test_eight_steps_are_the_turbo_tables_to_the_last_bit(shift: float):
    assert timesteps(8, shift) == TABLES[shift]


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 200])
@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0, 5.0])
def test_times_fall_from_exactly_one_to_exactly_zero(steps: int, shift: float):
    times = timesteps(steps, shift)
    assert len(times) == steps + 1
    assert times[0] == 1.0 and times[-1] == 0.0
    assert times == sorted(set(times), reverse=True)


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "8"])
def test_steps_that_are_no_count_are_refused(steps):
    with pytest.raises(InvalidScheduleError, match="whole number from 1"):
        timesteps(steps, 3.0)


@pytest.mark.parametrize("shift", [0, -1.0, math.nan, math.inf])
def test_a_shift_that_is_not_above_zero_is_refused(shift: float):
    with pytest.raises(InvalidScheduleError, match="number above 0"):
        timesteps(8, shift)


def test_a_missing_final_zero_is_added_and_said(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        assert custom_timesteps([0.97, 0.5, 0.1]) == [0.97, 0.5, 0.1, 0.0]
    assert "final 0 is added" in caplog.text


def test_a_complete_custom_schedule_is_kept_in_silence(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        assert custom_timesteps((1, 0.5, 0)) == [1.0, 0.5, 0.0]
    assert not caplog.records


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "at least two times"),
        ([0.5], "at least two times"),
        ([1.01, 0.5, 0], "Time 1 of 3 is 1.01, outside 0 to 1"),
        ([1.0, 0.5, -0.1], "Time 3 of 3 is -0.1, outside 0 to 1"),
        ([1.0, math.nan, 0], "outside 0 to 1"),
        ([0.5, 0.9, 0], "Time 2 is 0.9, which does not fall below the 0.5"),
        ([0.9, 0.9, 0], "Time 2 is 0.9, which does not fall below the 0.9"),
        ([0.5, 0, 0], "Time 3 is 0, which does not fall below the 0"),
        ([0.5, 0.49999999, 0], "Time 2 is 0.49999999, which does not fall below the 0.5"),
    ],
)
def test_custom_times_that_cannot_be_sampled_are_refused(values: list[float], message: str):
    with pytest.raises(InvalidScheduleError, match=message):
        custom_timesteps(values)


def test_the_trained_times_are_the_union_of_the_three_tables():
    assert len(TURBO_TIMES) == MAX_TURBO_STEPS
    assert set(TURBO_TIMES) == {t for table in TABLES.values() for t in table[:-1]}


def test_snapping_moves_each_time_to_the_nearest_trained_one_and_says_which():
    snapped = snap_to_turbo([0.97, 0.76, 0.5, 0.085, 0])
    assert snapped.times == (21 / 22, 10 / 13, 0.5, 0.125, 0.0)
    (message,) = snapped.changes
    assert "0.97 to 0.9545" in message and "0.76 to 0.7692" in message and "0.5 to" not in message


def test_the_upper_of_two_equally_near_times_wins():
    assert snap_to_turbo([0.45, 0]).times == (0.5, 0.0)  # as far from 0.4, in floats too


@pytest.mark.parametrize("shift", TABLES)
def test_snapping_leaves_a_trained_schedule_alone(shift: float):
    snapped = snap_to_turbo(timesteps(8, shift))
    assert snapped.times == tuple(TABLES[shift])
    assert snapped.changes == ()


def test_times_that_fall_together_are_taken_once_and_said():
    snapped = snap_to_turbo([1.0, 0.99, 0.98, 0.5, 0])
    assert snapped.times == (1.0, 0.5, 0.0)
    assert any("2 times moved onto another time" in message for message in snapped.changes)


def test_more_than_twenty_times_are_cut_and_said():
    snapped = snap_to_turbo(timesteps(25, 1.0))
    assert snapped.times[0] == 1.0
    assert snapped.times[-2] == 0.25  # the 20th of 25 is 0.24
    assert any("the last 5 of 25 times are dropped" in message for message in snapped.changes)


def test_a_schedule_without_a_step_cannot_be_snapped():
    with pytest.raises(InvalidScheduleError, match="no time above 0"):
        snap_to_turbo([0.0])


@pytest.mark.parametrize("steps", [2, 8, 64])
@pytest.mark.parametrize("shift", [0.5, 1, 2.2, 3])
def test_the_shift_can_be_told_from_the_times(steps: int, shift: float) -> None:
    single = torch.tensor(timesteps(steps, shift), dtype=torch.float32).tolist()
    assert shift_of(single) == pytest.approx(shift)


@pytest.mark.parametrize("times", [[1.0, 0.0], [1.0, 0.9, 0.1, 0.0], [0.7, 0.35, 0.0], [1.0]])
def test_other_times_have_no_shift(times: list[float]) -> None:
    assert shift_of(times) is None


def test_commas_spaces_and_lines_separate_times():
    assert parse_times("1, .75 0.5\n0.25;0") == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert parse_times("") == []


def test_a_word_among_times_is_refused_by_name():
    with pytest.raises(InvalidScheduleError, match="'half' is not a time"):
        parse_times("1, half, 0")

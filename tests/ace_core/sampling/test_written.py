"""Times and seeds as people write them."""

import pytest

from ace_core.errors import InvalidScheduleError
from ace_core.sampling.written import written_seeds, written_times


def test_commas_spaces_and_lines_separate_times():
    assert written_times("1, .75 0.5\n0.25;0") == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert written_times("") == []


def test_a_word_among_times_is_refused_by_name():
    with pytest.raises(InvalidScheduleError, match="'half' is not a time"):
        written_times("1, half, 0")


def test_seeds_are_numbers_and_a_drawn_one_is_minus_one_or_random():
    assert written_seeds("7, -1, 18446744073709551615 random") == [7, None, 2**64 - 1, None]


@pytest.mark.parametrize("text", ["7.5", "-2", "piano", "18446744073709551616"])
def test_what_is_no_seed_is_refused(text):
    with pytest.raises(InvalidScheduleError, match="is not a seed"):
        written_seeds(text)

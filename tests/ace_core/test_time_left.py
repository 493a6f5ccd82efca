"""The words for how far a count is: no time at its first step, then that of the steps so far."""

import pytest

from ace_core.time_left import StepClock, left_words


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_time_left_is_that_of_the_steps_after_the_first():
    time = Time()
    clock, said = StepClock(now=time), []
    for done, at in ((1, 60.0), (2, 62.0), (3, 63.0), (31, 120.0), (32, 122.0)):
        time.seconds = at
        said.append(clock.text(done, 32))
    assert said == [
        "step 1 of 32",
        "step 2 of 32, 60 s left",  # one step in 2 s
        "step 3 of 32, 44 s left",  # two in 3 s
        "step 31 of 32, 2 s left",
        "step 32 of 32, 0 s left",
    ]


def test_a_count_that_begins_again_is_timed_anew():
    time = Time()
    clock = StepClock("tile", now=time)
    clock.text(4, 8)
    time.seconds = 100.0
    assert clock.text(1, 8) == "tile 1 of 8"
    time.seconds = 101.0
    assert clock.text(2, 8) == "tile 2 of 8, 6 s left"


def test_what_may_end_early_has_no_time_left():
    time = Time()
    clock = StepClock("token", open_end=True, now=time)
    clock.text(1, 3500)
    time.seconds = 10.0
    assert clock.text(200, 3500) == "token 200 of at most 3500"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s left"), (89.4, "89 s left"), (90, "1 min 30 s left"), (3725, "62 min 5 s left")],
)
def test_minutes_are_said_from_a_minute_and_a_half_on(seconds: float, words: str):
    assert left_words(seconds) == words

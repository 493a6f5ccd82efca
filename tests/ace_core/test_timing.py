"""One rounding from seconds to frames, codes and samples."""

import pytest

from ace_core import timing


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [(10.0, 250), (10.04, 250), (10.06, 252), (30.0, 750), (120.0, 3000), (599.99, 15000)],
)
def test_a_canvas_rounds_to_tenths_and_drops_the_unfilled_frame(seconds: float, frames: int):
    assert timing.canvas_frames(seconds) == frames


def test_the_frame_at_a_moment_is_the_one_that_holds_it():
    assert [timing.frames_at(s) for s in (0.0, 0.039, 0.04, 1.0, 1.999)] == [0, 0, 1, 25, 49]


def test_the_tail_of_a_waveform_that_fills_no_frame_is_dropped():
    assert [timing.frames_in(n) for n in (0, 1919, 1920, 3839, 48_000)] == [0, 0, 1, 1, 25]


def test_codes_are_five_a_second_and_five_frames_each():
    assert timing.codes_for(12.3) == 61
    assert timing.frames_of_codes(61) == 305
    assert timing.seconds_of(305) == pytest.approx(12.2)

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


@pytest.mark.parametrize(
    ("total", "size", "halo"), [(1, 4, 2), (8, 4, 2), (9, 4, 2), (1000, 64, 8)]
)
def test_tiles_keep_everything_once_and_see_their_halo(total: int, size: int, halo: int):
    cut = timing.tiles(total, size, halo)
    assert [index for tile in cut for index in range(tile.start, tile.stop)] == list(range(total))
    assert len(cut) == 1 or max(tile.stop - tile.start for tile in cut) <= size
    assert all(tile.halo_start == max(tile.start - halo, 0) for tile in cut)
    assert all(tile.halo_stop == min(tile.stop + halo, total) for tile in cut)


def test_what_fits_with_its_halo_is_one_tile():
    assert len(timing.tiles(68, 64, 2)) == 1
    assert len(timing.tiles(69, 64, 2)) == 2

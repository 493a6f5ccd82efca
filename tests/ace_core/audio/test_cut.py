"""Loops: their samples, their ends and their repeats."""

import pytest
import torch

from ace_core.audio.cut import cut
from ace_core.errors import InvalidAudioError, InvalidRequestError

RATE = 1000
NOISE = torch.randn(2, 5 * RATE, generator=torch.Generator().manual_seed(1))


def test_a_cut_is_the_samples_as_they_are():
    assert torch.equal(cut(NOISE, RATE, (1.0, 2.5)), NOISE[:, 1000:2500])
    assert torch.equal(cut(NOISE, RATE, (0.0, 5.0)), NOISE)


def test_what_repeats_is_not_changed_by_the_crossfade():
    wave = NOISE[:, :500].repeat(1, 6)
    assert torch.equal(cut(wave, RATE, (0.5, 1.5), 0.1, 2), wave[:, :2000])


def test_the_end_leads_into_the_beginning():
    ramp = torch.arange(5.0 * RATE)[None]
    loop = cut(ramp, RATE, (2.0, 4.0), 0.1)
    assert loop[0, -1] == 1999  # the sample before the first
    assert torch.equal(loop[:, :1900], ramp[:, 2000:3900])
    assert loop[0, 1900] == pytest.approx(3900 - 20, abs=0.01)  # a hundredth of 2000 down
    assert loop.shape == (1, 2000)


def test_where_the_recording_begins_there_is_less_to_fade_into():
    assert torch.equal(cut(NOISE, RATE, (0.0, 1.0), 0.1), NOISE[:, :1000])
    near = cut(NOISE, RATE, (0.02, 1.0), 0.1)
    assert torch.equal(near[:, :-20], NOISE[:, 20:980])
    assert torch.equal(near[:, -1], NOISE[:, 19])


def test_the_recording_is_left_alone():
    before = NOISE.clone()
    cut(NOISE, RATE, (1.0, 2.0), 0.5, 3)
    assert torch.equal(NOISE, before)


@pytest.mark.parametrize("span", [(2.0, 2.0), (3.0, 2.0), (-0.5, 1.0), (4.0, 5.1)])
def test_a_part_that_is_not_there_is_refused(span: tuple[float, float]):
    with pytest.raises(InvalidRequestError, match=r"a recording of 5\.00 seconds"):
        cut(NOISE, RATE, span)


@pytest.mark.parametrize(
    ("crossfade", "repeats", "named"),
    [(-0.1, 1, "crossfade"), (1.5, 1, "crossfade"), (0.0, 0, "repeats"), (0.0, 101, "repeats")],
)
def test_numbers_outside_their_range_are_refused(crossfade: float, repeats: int, named: str):
    with pytest.raises(InvalidRequestError, match=f"`{named}` is"):
        cut(NOISE, RATE, (1.0, 2.0), crossfade, repeats)


def test_sound_that_is_none_is_refused():
    with pytest.raises(InvalidAudioError):
        cut(torch.zeros(2, 0), RATE, (0.0, 1.0))

"""Levels at the beats of a video's sound."""

import pytest
import torch

from ace_core.audio.envelope import EnvelopeFollower
from ace_core.audio.pulses import pulses, switches
from ace_core.errors import InvalidRequestError

TIMES = (0.5, 1.0, 1.52)


def test_a_pulse_is_at_the_frame_that_begins_nearest_to_its_beat():
    assert pulses(TIMES, 48, 24.0).nonzero().flatten().tolist() == [12, 24, 36]  # 36.48
    assert pulses((1.53,), 48, 24.0).nonzero().item() == 37  # 36.72


def test_no_frame_is_added_by_rounding_at_a_fractional_rate():
    beats = [n * 1001 / 1000 for n in range(1, 600)]  # 30 frames each, at 30000/1001
    found = pulses(beats, 600 * 30, 29.97).nonzero().flatten()
    assert torch.equal(found, torch.arange(30, 600 * 30, 30))


def test_a_pulse_fades_as_release_says():
    levels = pulses((0.5,), 24, 12.0, EnvelopeFollower(release=0.25))
    expected = torch.exp(-(torch.arange(18) / 12) / 0.25)
    torch.testing.assert_close(levels[6:], expected, atol=1e-6, rtol=0)
    assert levels[:6].max() == 0


def test_levels_up_to_the_floor_are_0():
    levels = pulses((0.0,), 24, 12.0, EnvelopeFollower(release=0.25, floor=0.5))
    assert levels[0] == 1
    assert levels[4:].max() == 0  # exp(-4/3) is below


def test_a_switch_changes_at_each_beat_and_stays():
    levels = switches(TIMES, 48, 24.0)
    assert levels.tolist() == [0.0] * 12 + [1.0] * 12 + [0.0] * 12 + [1.0] * 12
    assert switches((0.0,), 4, 24.0).tolist() == [1.0] * 4


def test_two_beats_in_one_frame_switch_twice():
    assert switches((0.5, 0.51), 24, 24.0).tolist() == [0.0] * 24


def test_beats_behind_the_last_frame_are_left_out():
    assert pulses((0.5, 9.0), 24, 24.0).sum() == 1
    assert pulses((), 24, 24.0).sum() == switches((), 24, 24.0).sum() == 0


def test_a_frame_rate_outside_its_range_is_refused():
    with pytest.raises(InvalidRequestError, match="frames per second"):
        pulses(TIMES, 48, 0.5)

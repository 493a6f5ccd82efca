"""Which thirty seconds of a recording stand for its sound."""

import pytest
import torch

from ace_core.conditioning.context import (
    REFERENCE_SAMPLES,
    SEGMENT_SAMPLES,
    reference_segments,
    segment_starts,
)

MINUTE = 60 * 48_000


def test_each_third_gives_ten_seconds_that_stay_inside_it():
    for seed in range(50):
        starts = segment_starts(3 * MINUTE, seed)
        for index, start in enumerate(starts):
            assert index * MINUTE <= start <= (index + 1) * MINUTE - SEGMENT_SAMPLES


def test_the_same_seed_picks_the_same_places_and_another_seed_others():
    picks = {tuple(segment_starts(3 * MINUTE, seed)) for seed in (1, 1, 2, 3)}
    assert len(picks) == 3


def test_the_segments_are_the_recordings_own_samples_in_order():
    audio = torch.arange(2 * MINUTE, dtype=torch.float64).expand(1, 2, -1)
    chosen = reference_segments(audio, seed=5)
    assert chosen.shape == (1, 2, REFERENCE_SAMPLES)
    for index, start in enumerate(segment_starts(2 * MINUTE, 5)):
        piece = chosen[0, 0, index * SEGMENT_SAMPLES : (index + 1) * SEGMENT_SAMPLES]
        assert torch.equal(piece, audio[0, 0, start : start + SEGMENT_SAMPLES])


@pytest.mark.parametrize("seconds", [0.5, 7.0, 29.99])
def test_a_short_recording_is_repeated(seconds):
    audio = torch.randn(1, 2, int(seconds * 48_000), generator=torch.Generator().manual_seed(1))
    chosen = reference_segments(audio, seed=0)
    assert chosen.shape == (1, 2, REFERENCE_SAMPLES)
    assert chosen.unique().numel() <= audio.numel()


def test_exactly_thirty_seconds_are_used_whole():
    audio = torch.randn(1, 2, REFERENCE_SAMPLES, generator=torch.Generator().manual_seed(1))
    assert torch.equal(reference_segments(audio, seed=9), audio)

"""Regions: from seconds of a source to frames of its padded canvas."""

import math

import pytest
import torch

from ace_core.errors import InvalidRequestError
from ace_core.sampling.region import beats_to_seconds, region, spans
from ace_core.timing import frames_in

# source samples, start, end -> padding left and right, canvas frames, first frame, end frame;
# computed by the official prepare_padding_info and _build_chunk_masks_and_src_latents
OFFICIAL = [
    (576_000, 3, 7.5, 0, 0, 300, 75, 187),
    (576_000, -2, 3, 96_000, 0, 350, 0, 125),
    (576_000, -2, None, 96_000, 0, 350, 0, 350),
    (576_000, 10, 15.3, 0, 158_400, 382, 250, 382),
    (592_560, 2.2, None, 0, 0, 308, 55, 308),
    (576_000, 12, 20.04, 0, 385_919, 500, 300, 500),
    (576_000, -1.03, 14.07, 49_440, 99_360, 377, 0, 377),
    (576_000, 4, 4.01, 0, 0, 300, 100, 101),
]


@pytest.mark.parametrize(
    ("samples", "start", "end", "left", "right", "canvas", "first", "behind"), OFFICIAL
)
def test_a_region_has_the_official_frames_and_padding(
    samples: int,
    start: float,
    end: float | None,
    left: int,
    right: int,
    canvas: int,
    first: int,
    behind: int,
):
    made = region(start, end, samples)
    assert (made.pad_left, made.pad_right) == (left, right)
    assert frames_in(samples + made.pad_left + made.pad_right) == canvas
    assert made.frames(canvas) == (first, behind)


def test_the_mask_is_one_exactly_in_the_region():
    mask = region(3, 7.5, 576_000).mask(300)
    assert mask.shape == (1, 300, 1)
    assert (mask[:, 75:187] == 1).all() and mask.sum() == 187 - 75


def test_a_region_shorter_than_a_frame_still_plays_one():
    assert region(11.999, None, 576_000).mask(300).sum() == 1


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (5, 3, "ends at 3 s, which is not behind its start at 5 s"),
        (5, 5, "ends at 5 s, which is not behind"),
        (12, None, "ends at 12 s, which is not behind"),
        (12.5, 20, "starts at 12.5 s, but the source ends at 12.00 s"),
        (12.5, None, "starts at 12.5 s, but the source ends at 12.00 s"),
        (math.nan, 5, "not in numbers"),
        (0, math.inf, "not in numbers"),
        (0, 601, "the song 601.0 s long, but the models play 600 s"),
        (-300, 301, "the song 601.0 s long"),
    ],
)
def test_a_region_that_is_none_is_refused(start: float, end: float | None, message: str):
    with pytest.raises(InvalidRequestError, match=message):
        region(start, end, 576_000)


def test_every_region_of_a_mask_is_told_in_seconds():
    mask = torch.zeros(1, 100, 1)
    mask[:, 0:25] = 1
    mask[:, 50:75] = 1
    assert spans(mask) == [(0.0, 1.0), (2.0, 3.0)]
    assert spans(torch.ones(1, 100, 1)) == [(0.0, 4.0)]
    assert spans(torch.zeros(1, 100, 1)) == []


def test_beats_last_as_long_as_the_tempo_says():
    assert beats_to_seconds(8, 120) == 4.0
    with pytest.raises(InvalidRequestError, match="0 BPM"):
        beats_to_seconds(4, 0)

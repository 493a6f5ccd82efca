"""Repaint: regions on the canvas, what is kept to the bit, how the ramps run, what the modes do."""

import math

import pytest
import torch
from torch import Tensor

from ace_core.errors import InvalidRequestError
from ace_core.sampling.recipe import noise
from ace_core.sampling.repaint import (
    Preservation,
    RepaintMode,
    beats_to_seconds,
    blend,
    inject,
    injected_steps,
    mask_spans,
    preservation,
    region,
    soft_mask,
)
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import SolverStep, euler
from ace_core.timing import frames_in
from tests.ace_core.sampling.goldens import load
from tests.rounding import RECORDED, difference

T = 40


def _mask(*spans: tuple[int, int]) -> Tensor:
    mask = torch.zeros(1, T, 1)
    for start, end in spans:
        mask[:, start:end] = 1
    return mask


@pytest.mark.parametrize("frames", [0, 1, 7, 25])
def test_the_ramps_equal_the_official_ones(frames: int):
    golden = load("repaint")
    soft = soft_mask(golden["mask"], frames)
    assert difference(soft, golden[f"soft_{frames}"]) < RECORDED


def test_a_ramp_rises_in_even_steps_outside_the_region():
    soft = soft_mask(_mask((10, 20)), 4)[0, :, 0]
    steps = torch.tensor([0.2, 0.4, 0.6, 0.8])
    torch.testing.assert_close(soft[6:10], steps)
    torch.testing.assert_close(soft[20:24], steps.flip(0))
    assert (soft[10:20] == 1).all() and soft[:6].sum() == 0 and soft[24:].sum() == 0


def test_two_regions_each_have_their_ramps_and_the_larger_holds_between_them():
    one, other = _mask((5, 10)), _mask((14, 20))
    both = soft_mask(_mask((5, 10), (14, 20)), 6)
    torch.testing.assert_close(both, torch.maximum(soft_mask(one, 6), soft_mask(other, 6)))
    assert (both[0, 5:10] == 1).all() and (both[0, 14:20] == 1).all()


def test_frames_outside_the_blend_are_the_source_bit_for_bit():
    start, source, mask = noise([1], T), noise([2], T), _mask((15, 25))
    x = euler(lambda x, t: torch.tanh(x), start, timesteps(8, 3.0))
    blended = blend(x, source, mask, 5)
    assert torch.equal(blended[:, :10], source[:, :10])
    assert torch.equal(blended[:, 30:], source[:, 30:])
    assert torch.equal(blended[:, 15:25], x[:, 15:25])
    for ramp in (slice(10, 15), slice(25, 30)):
        assert not torch.equal(blended[:, ramp], source[:, ramp])


def test_repainting_nothing_changes_nothing():
    source = noise([2], T)
    assert torch.equal(blend(noise([1], T), source, _mask(), 25), source)


def test_repainting_everything_keeps_nothing():
    x = noise([1], T)
    assert torch.equal(blend(x, noise([2], T), _mask((0, T)), 25), x)
    after_step = inject(_mask((0, T)), noise([2], T), noise([3], T), 8)
    assert torch.equal(after_step(SolverStep(0, 0.6, 0.5, x), x), x)


def test_injection_puts_the_noised_source_outside_and_stops_in_time():
    x, source, start, mask = noise([1], T), noise([2], T), noise([3], T), _mask((15, 25))
    after_step = inject(mask, source, start, 3)
    injected = after_step(SolverStep(2, 0.4, 0.3, x), x)
    torch.testing.assert_close(injected[:, :15], 0.3 * start[:, :15] + 0.7 * source[:, :15])
    assert torch.equal(injected[:, 15:25], x[:, 15:25])
    assert torch.equal(after_step(SolverStep(3, 0.4, 0.3, x), x), x)


def test_the_last_step_is_left_to_the_blend():
    x = noise([1], T)
    assert torch.equal(
        inject(_mask((15, 25)), noise([2], T), noise([3], T), 8)(SolverStep(7, 0.3, 0.0, x), x), x
    )


@pytest.mark.parametrize(
    ("mode", "strength", "expected"),
    [
        (RepaintMode.AGGRESSIVE, 0.0, Preservation(0.0, 0, None)),
        (RepaintMode.CONSERVATIVE, 1.0, Preservation(1.0, 25, 0.05)),
        (RepaintMode.BALANCED, 0.0, Preservation(1.0, 25, 0.05)),
        (RepaintMode.BALANCED, 0.5, Preservation(0.5, 12, 0.025)),  # 12.5 rounds to even
        (RepaintMode.BALANCED, 1.0, Preservation(0.0, 0, 0.0)),
    ],
)
def test_a_mode_means_what_it_means_officially(
    mode: RepaintMode, strength: float, expected: Preservation
):
    assert preservation(mode, strength) == expected


def test_balanced_at_the_default_strength_injects_half_of_the_steps():
    assert injected_steps(preservation(RepaintMode.BALANCED), 8) == 4
    assert injected_steps(preservation(RepaintMode.CONSERVATIVE), 50) == 50
    assert injected_steps(preservation(RepaintMode.AGGRESSIVE), 50) == 0


@pytest.mark.parametrize("strength", [-0.01, 1.5, float("nan")])
@pytest.mark.parametrize("mode", RepaintMode)
def test_a_repaint_strength_outside_zero_to_one_is_refused(mode: RepaintMode, strength: float):
    with pytest.raises(InvalidRequestError, match=r"repaint strength of .* is outside 0 to 1"):
        preservation(mode, strength)


@pytest.mark.parametrize("frames", [1, T - 1, T + 1])
def test_a_mask_of_another_length_is_refused(frames: int):
    x, mask = noise([1], T), torch.ones(1, frames, 1)
    with pytest.raises(InvalidRequestError, match=f"covers {frames} latent frames, .* has {T}"):
        inject(mask, x, x, 3)
    with pytest.raises(InvalidRequestError, match=f"covers {frames} latent frames, .* has {T}"):
        blend(x, x, mask, 3)


# source samples, start, end -> padding left and right, canvas frames, start and stop frame;
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
    ("samples", "start", "end", "left", "right", "canvas", "start_frame", "stop"), OFFICIAL
)
def test_a_region_has_the_official_frames_and_padding(
    samples: int,
    start: float,
    end: float | None,
    left: int,
    right: int,
    canvas: int,
    start_frame: int,
    stop: int,
):
    found = region(start, end, samples)
    assert (found.pad_left, found.pad_right) == (left, right)
    assert frames_in(samples + found.pad_left + found.pad_right) == canvas
    assert found.frames(canvas) == (start_frame, stop)


def test_the_mask_is_one_exactly_in_the_region():
    mask = region(3, 7.5, 576_000).mask(300)
    assert mask.shape == (1, 300, 1)
    assert (mask[:, 75:187] == 1).all() and mask.sum() == 187 - 75


def test_a_region_shorter_than_a_frame_still_plays_one():
    assert region(11.999, None, 576_000).mask(300).sum() == 1


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (5, 3, "ends at 3 s, which is not after its start at 5 s"),
        (5, 5, "ends at 5 s, which is not after"),
        (12, None, "ends at 12 s, which is not after"),
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


def test_every_region_of_a_mask_is_given_in_seconds():
    mask = torch.zeros(1, 100, 1)
    mask[:, 0:25] = 1
    mask[:, 50:75] = 1
    assert mask_spans(mask) == [(0.0, 1.0), (2.0, 3.0)]
    assert mask_spans(torch.ones(1, 100, 1)) == [(0.0, 4.0)]
    assert mask_spans(torch.zeros(1, 100, 1)) == []


def test_beats_last_as_long_as_the_tempo_says():
    assert beats_to_seconds(8, 120) == 4.0
    with pytest.raises(InvalidRequestError, match="0 BPM"):
        beats_to_seconds(4, 0)

"""Repaint: the region of new music, what of the source is kept, and the blend at the edges.

A region in seconds of the source becomes frames of a canvas that may be longer: a start before the
source or an end after it extends the song, and silence is padded there. Masks are [B, T, 1]: 1 for
new music, 0 for the source.
Source: padding_utils.py, conditioning_masks.py, repaint_step_injection.py and
_resolve_repaint_config of the official handler.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import torch
from torch import Tensor

from ..constants import BPM_RANGE, LONGEST_SECONDS, SAMPLE_RATE
from ..errors import InvalidRequestError
from ..task import Preservation
from ..timing import frames_at, seconds_of
from .solvers import AfterStep, SolverStep


@dataclass(frozen=True, slots=True)
class Region:
    """The region on the padded canvas, and the padding of the source's waveform."""

    start: float  # seconds of the padded canvas
    end: float
    pad_left: int  # samples of silence before the source
    pad_right: int

    def frames(self, canvas: int) -> tuple[int, int]:
        """Start and stop (exclusive) of at least one frame on `canvas` frames."""
        start = min(frames_at(self.start), canvas - 1)
        return start, min(max(frames_at(self.end), start + 1), canvas)

    def mask(self, canvas: int) -> Tensor:
        """1 for new music, 0 for the source: [1, T, 1] on the CPU."""
        start, stop = self.frames(canvas)
        mask = torch.zeros(1, canvas, 1)
        mask[:, start:stop] = 1
        return mask


def region(start: float, end: float | None, source_samples: int) -> Region:
    """The region from `start` to `end` seconds of a source; None ends with the source.

    Raises:
        InvalidRequestError: not numbers, the end not after the start, the start after the end of
            the source, or a canvas longer than the models play.
    """
    source = source_samples / SAMPLE_RATE  # seconds
    stop = source if end is None else end
    check_region(start, stop, source)
    left, right = max(0.0, -start), max(0.0, stop - source)  # seconds
    if source + left + right > LONGEST_SECONDS:
        raise InvalidRequestError(
            f"The region from {start:g} to {stop:g} s makes the song "
            f"{source + left + right:.1f} s long, but the models play {LONGEST_SECONDS:g} s. "
            "Extend it by less, or cut the source first."
        )
    return Region(start + left, stop + left, int(left * SAMPLE_RATE), int(right * SAMPLE_RATE))


def beats_to_seconds(beats: float, bpm: float) -> float:
    """`beats` at a tempo of `bpm` in seconds.

    Raises:
        InvalidRequestError: a tempo that the models do not know.
    """
    slowest, fastest = BPM_RANGE
    if not slowest <= bpm <= fastest:
        raise InvalidRequestError(
            f"{bpm:g} BPM is outside {slowest} to {fastest}. Set `bpm` to the source's tempo."
        )
    return beats * 60 / bpm


def mask_spans(mask: Tensor) -> list[tuple[float, float]]:
    """Start and end in seconds of every region of `mask` [1, T, 1]."""
    row = (mask[0, :, 0] > 0.5).float()
    edges = torch.diff(row, prepend=row.new_zeros(1), append=row.new_zeros(1))
    starts, ends = (edges > 0).nonzero().flatten(), (edges < 0).nonzero().flatten()
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return [(seconds_of(start), seconds_of(stop)) for start, stop in pairs]


def check_region(start: float, stop: float, source: float = math.inf) -> None:
    """Check seconds of a source that is `source` seconds long, or of unknown length.

    Raises:
        InvalidRequestError: not numbers, the start after the source's end, the end not after it.
    """
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise InvalidRequestError(
            f"The region from {start} to {stop} s is not in numbers. Set both in seconds of the "
            "source."
        )
    if start > source:
        raise InvalidRequestError(
            f"The region starts at {start:g} s, but the source ends at {source:.2f} s. Start "
            "inside the source, or exactly at its end to extend it."
        )
    if stop <= start:
        raise InvalidRequestError(
            f"The region ends at {stop:g} s, which is not after its start at {start:g} s. Set "
            "the end after the start, or leave it open for the end of the source."
        )


MAX_BLEND_FRAMES: Final = 25  # one second of latent frames
MAX_AUDIO_BLEND: Final = 0.05  # seconds


class RepaintMode(Enum):
    """How firmly the source is kept outside the region."""

    CONSERVATIVE = "conservative"
    BALANCED = "balanced"
    AGGRESSIVE = "aggressive"


def preservation(mode: RepaintMode, strength: float = 0.5) -> Preservation:
    """The settings of `mode`; `strength` (0 keeps most, 1 changes most) is for BALANCED only.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise InvalidRequestError(
            f"A repaint strength of {strength} is outside 0 to 1. Set it to 0 to keep most of the "
            "source and to 1 to change most."
        )
    if mode is RepaintMode.AGGRESSIVE:
        return Preservation(injection=0.0, blend_frames=0, audio_blend=None)
    kept = 1.0 if mode is RepaintMode.CONSERVATIVE else 1 - strength
    return Preservation(kept, round(MAX_BLEND_FRAMES * kept), MAX_AUDIO_BLEND * kept)


def inject(mask: Tensor, source: Tensor, noise: Tensor, steps: int) -> AfterStep:
    """Restores the noised `source` [B, T, C] outside the mask after each of the first `steps`.

    `noise` is the initial noise of the run; `source` is not masked. A step that reaches t = 0 is
    left alone: the blend that follows sets those frames, and its ramp needs both sides.

    Raises:
        InvalidRequestError: the mask is not as long as the source.
    """
    _check_length(mask, source)
    inside = mask > 0.5  # [B, T, 1]

    def after_step(step: SolverStep, x: Tensor) -> Tensor:
        t = step.t_next
        if step.index >= steps or t == 0:
            return x
        return torch.where(inside, x, t * noise + (1 - t) * source)

    return after_step


@dataclass(frozen=True, slots=True, eq=False)
class KeptSource:
    """A source that is kept outside a mask while the rest is sampled."""

    source: Tensor  # [1, T, C], not masked
    mask: Tensor  # [1, T, 1]
    keep: Preservation

    def after_step(self, noise: Tensor, steps: int) -> AfterStep:
        """The injection for a run of `steps` from `noise` [B, T, C]."""
        return inject(self.mask, self.source, noise, injected_steps(self.keep, steps))

    def blended(self, x: Tensor) -> Tensor:
        """`x` [B, T, C] with the source outside the mask."""
        if not self.keep.blend_frames:
            return x
        return blend(x, self.source, self.mask, self.keep.blend_frames)


def injected_steps(keep: Preservation, steps: int) -> int:
    """How many of `steps` are followed by an injection."""
    return round(keep.injection * steps)


def blend(x: Tensor, source: Tensor, mask: Tensor, frames: int) -> Tensor:
    """`x` [B, T, C] inside the mask, `source` outside, and a ramp of `frames` beside each edge.

    Frames beyond the ramps are the source's, bit for bit.

    Raises:
        InvalidRequestError: the mask is not as long as the source.
    """
    _check_length(mask, source)
    soft = soft_mask(mask, frames).to(x)
    return soft * x + (1 - soft) * source


def soft_mask(mask: Tensor, frames: int) -> Tensor:
    """`mask` [B, T, 1] with linear ramps of `frames` outside each edge, shorter at the borders.

    Where the ramps of two regions overlap, the larger value counts.
    """
    hard = (mask > 0.5).float()
    soft = hard.clone()
    for item in range(mask.shape[0]):
        row, ramped = hard[item, :, 0], soft[item, :, 0]  # [T], views
        for start, end in _regions(row):
            before = ramped[max(start - frames, 0) : start]
            after = ramped[end : end + frames]
            before.copy_(torch.maximum(before, _ramp(before)))
            after.copy_(torch.maximum(after, _ramp(after).flip(0)))
    return soft


def _check_length(mask: Tensor, source: Tensor) -> None:
    if mask.shape[1] != source.shape[1]:
        raise InvalidRequestError(
            f"The mask covers {mask.shape[1]} latent frames, but the song has {source.shape[1]}. "
            "Make the mask for this source, at 25 frames per second."
        )


def _regions(row: Tensor) -> Iterator[tuple[int, int]]:
    """Start and stop (exclusive) of every run of ones in `row` [T]."""
    edges = torch.diff(row, prepend=row.new_zeros(1), append=row.new_zeros(1))
    starts, ends = (edges > 0).nonzero(), (edges < 0).nonzero()
    for start, end in zip(starts, ends, strict=True):
        yield int(start), int(end)


def _ramp(like: Tensor) -> Tensor:
    """Rising from above 0 to below 1, as long as `like`."""
    return torch.linspace(0, 1, like.shape[0] + 2, device=like.device, dtype=like.dtype)[1:-1]

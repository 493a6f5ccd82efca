"""Repaint: what of the source is kept while sampling, and how the seam is blended.

Masks are [B, T, 1]: 1 where new music is played, 0 where the source is kept.
Source: repaint_step_injection.py and _resolve_repaint_config of the official handler.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from ..task import Preservation
from .flow import AfterStep

LONGEST_BLEND: Final = 25  # latent frames: one second
LONGEST_AUDIO_BLEND: Final = 0.05  # seconds


class RepaintMode(Enum):
    """How much of the source outside the region holds while the region is written."""

    CONSERVATIVE = "conservative"
    BALANCED = "balanced"
    AGGRESSIVE = "aggressive"


def preservation(mode: RepaintMode, strength: float = 0.5) -> Preservation:
    """What `mode` means; `strength` (0 keeps most, 1 changes most) steers the balanced one only.

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
    return Preservation(kept, round(LONGEST_BLEND * kept), LONGEST_AUDIO_BLEND * kept)


def inject(mask: Tensor, source: Tensor, noise: Tensor, steps: int) -> AfterStep:
    """Puts the noised `source` [B, T, C] back outside the mask after each of the first `steps`.

    `noise` is the run's own starting noise; `source` has no hole. A step that reaches t = 0 is
    left alone: the blend that follows sets those frames, and needs both sides for its ramp.

    Raises:
        InvalidRequestError: the mask is not as long as the source.
    """
    _check_length(mask, source)
    play = mask > 0.5  # [B, T, 1]

    def after_step(step: int, t: float, x: Tensor) -> Tensor:
        if step >= steps or t == 0:
            return x
        return torch.where(play, x, t * noise + (1 - t) * source)

    return after_step


@dataclass(frozen=True, slots=True, eq=False)
class KeptSource:
    """A source that holds outside a mask while the rest is written."""

    source: Tensor  # [1, T, C], without its hole
    mask: Tensor  # [1, T, 1]
    keep: Preservation

    def after_step(self, noise: Tensor, steps: int) -> AfterStep:
        return inject(self.mask, self.source, noise, injected_steps(self.keep, steps))

    def blended(self, x: Tensor) -> Tensor:
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

    A region keeps its 1 everywhere; where the ramps of two regions meet, the larger value holds.
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
            "Make the mask for this source, at 25 frames a second."
        )


def _regions(row: Tensor) -> Iterator[tuple[int, int]]:
    """Start and end (exclusive) of every run of ones in `row` [T]."""
    edges = torch.diff(row, prepend=row.new_zeros(1), append=row.new_zeros(1))
    starts, ends = (edges > 0).nonzero(), (edges < 0).nonzero()
    for start, end in zip(starts, ends, strict=True):
        yield int(start), int(end)


def _ramp(like: Tensor) -> Tensor:
    """Rising from above 0 to below 1, as long as `like`."""
    return torch.linspace(0, 1, like.shape[0] + 2, device=like.device, dtype=like.dtype)[1:-1]

"""The region to write anew, from seconds of the source to frames of a canvas that may be longer.

A start before the source or an end behind it extends the song: silence is put there first.
Source: padding_utils.py and conditioning_masks.py of the official handler.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..constants import BPM_RANGE, LONGEST_SECONDS, SAMPLE_RATE
from ..errors import InvalidRequestError
from ..timing import frames_at, seconds_of


@dataclass(frozen=True, slots=True)
class Region:
    """Where new music goes on the padded canvas, and the padding of the source's waveform."""

    start: float  # seconds of the padded canvas
    end: float
    pad_left: int  # samples of silence before the source
    pad_right: int

    def frames(self, canvas: int) -> tuple[int, int]:
        """First frame and the one behind the last, at least one frame, on `canvas` frames."""
        first = min(frames_at(self.start), canvas - 1)
        return first, min(max(frames_at(self.end), first + 1), canvas)

    def mask(self, canvas: int) -> Tensor:
        """1 where new music is played, 0 where the source is kept: [1, T, 1] on the CPU."""
        first, behind = self.frames(canvas)
        mask = torch.zeros(1, canvas, 1)
        mask[:, first:behind] = 1
        return mask


def region(start: float, end: float | None, source_samples: int) -> Region:
    """The region from `start` to `end` seconds of a source; None ends with the source.

    Raises:
        InvalidRequestError: not numbers, the end not behind the start, the start behind the
            source, or a canvas longer than the models play.
    """
    source = source_samples / SAMPLE_RATE  # seconds
    stop = source if end is None else end
    _check(start, stop, source)
    left, right = max(0.0, -start), max(0.0, stop - source)  # seconds
    if source + left + right > LONGEST_SECONDS:
        raise InvalidRequestError(
            f"The region from {start:g} to {stop:g} s makes the song "
            f"{source + left + right:.1f} s long, but the models play {LONGEST_SECONDS:g} s. "
            "Extend it by less, or cut the source first."
        )
    return Region(start + left, stop + left, int(left * SAMPLE_RATE), int(right * SAMPLE_RATE))


def beats_to_seconds(beats: float, bpm: float) -> float:
    """
    Raises:
        InvalidRequestError: a tempo that no song has.
    """
    slowest, fastest = BPM_RANGE
    if not slowest <= bpm <= fastest:
        raise InvalidRequestError(
            f"{bpm:g} BPM is outside {slowest} to {fastest}. Set `bpm` to the source's tempo."
        )
    return beats * 60 / bpm


def spans(mask: Tensor) -> list[tuple[float, float]]:
    """Start and end in seconds of every region of `mask` [1, T, 1]."""
    row = (mask[0, :, 0] > 0.5).float()
    edges = torch.diff(row, prepend=row.new_zeros(1), append=row.new_zeros(1))
    starts, ends = (edges > 0).nonzero().flatten(), (edges < 0).nonzero().flatten()
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return [(seconds_of(first), seconds_of(behind)) for first, behind in pairs]


def _check(start: float, stop: float, source: float) -> None:
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
            f"The region ends at {stop:g} s, which is not behind its start at {start:g} s. Set "
            "the end behind the start, or leave it open for the end of the source."
        )

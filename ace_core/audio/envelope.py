"""How loud a sound is at each frame of a video, 0 to 1: what lets music move pictures.

Frame `i` is heard around its middle, (i + 0.5) / fps, through a window two frames long that rises
and falls as half a sine: the squares of neighbouring windows add up to one, so that every moment
counts once. Its level is the root of the power in there, weighted by ear as in `loudness.py`, and
of one band where that is asked for. The loudest frame becomes 1, silence is 0, half is 6 dB less.
"""

import math
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InvalidRequestError
from .loudness import ear_weights
from .waveform import SILENCE, check

FPS_RANGE: Final = (1.0, 120.0)
FINEST: Final = 1001  # the largest denominator of a video's rate: 29.97 is 30000/1001
QUIET_BAND: Final = 1e-3  # of the whole sound's level: a band 60 dB below it is silent
LARGEST_MASK: Final = 2**31  # bytes
CHUNK: Final = 2**20  # samples of windows at a time


class Band(Enum):
    """Which part of a sound is listened to, in Hz from where up to where."""

    WHOLE = (0.0, math.inf)
    BASS = (0.0, 250.0)
    MIDS = (250.0, 4_000.0)
    TREBLE = (4_000.0, math.inf)


@dataclass(frozen=True, slots=True)
class Follow:
    """How a level moves: it makes 63 % of a rise within `attack` seconds and of a fall within
    `release`, coming from silence; what does not exceed `floor` is 0 then, and the rest is
    stretched to 1.

    Raises:
        InvalidRequestError: a time is negative or no number, or the floor is outside [0, 1).
    """

    attack: float = 0.0
    release: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        for name, seconds in (("attack", self.attack), ("release", self.release)):
            if not (math.isfinite(seconds) and seconds >= 0):
                raise InvalidRequestError(
                    f"The {name} is {seconds:g} seconds. Set it to 0, which follows at once, or "
                    "above."
                )
        if not 0 <= self.floor < 1:
            raise InvalidRequestError(
                f"The floor is {self.floor:g}, but levels go from 0 to 1. Set it to 0 or above and "
                "below 1."
            )


def envelope(
    audio: Tensor, rate: int, fps: float, band: Band = Band.WHOLE, follow: Follow | None = None
) -> Tensor:
    """The level of each frame of one sound [C, N], [F]; as many as `frame_count` says.

    A band that is 60 dB or more below the whole sound is silent, and so all zeros.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        InvalidRequestError: no video has this many frames a second.
    """
    check(audio[None], rate)
    follow = follow or Follow()
    frames, hop = frame_count(audio.shape[1], rate, fps), rate / _frame_rate(fps)
    whole, levels = _levels(audio, rate, hop, frames, band).unbind(1)
    if float(levels.max()) <= max(SILENCE, QUIET_BAND * float(whole.max())):
        return torch.zeros(frames)
    moved = torch.tensor(_followed(levels.tolist(), fps, follow))
    moved = moved / moved.max()
    return (moved - follow.floor).clamp(min=0) / (1 - follow.floor)


def frame_count(samples: int, rate: int, fps: float) -> int:
    """The frames that cover all samples; the last one may reach beyond them.

    Raises:
        InvalidRequestError: no video has this many frames a second.
    """
    return math.ceil(samples * _frame_rate(fps) / rate)


def check_mask(frames: int, width: int, height: int) -> None:
    """
    Raises:
        InvalidRequestError: a mask of that many numbers would fill the memory.
    """
    size = 4 * frames * width * height
    if size > LARGEST_MASK:
        raise InvalidRequestError(
            f"A mask of {frames} frames of {width} x {height} takes {size / 1e9:.1f} GB; at most "
            f"{LARGEST_MASK / 1e9:.1f} GB are made. Make width and height smaller: every pixel of "
            "a frame is the same, so a small mask can be stretched to any picture."
        )


def mask_of(levels: Tensor, width: int, height: int) -> Tensor:
    """Each frame's level [F] in all of its pixels, [F, height, width].

    Raises:
        InvalidRequestError: it would fill the memory.
    """
    check_mask(len(levels), width, height)
    return levels[:, None, None].repeat(1, height, width)


def _frame_rate(fps: float) -> Fraction:
    """Exact, so that no frame is won or lost by rounding."""
    slowest, fastest = FPS_RANGE
    if not slowest <= fps <= fastest:
        raise InvalidRequestError(
            f"A video of {fps:g} frames a second was asked for. Set fps to {slowest:g} up to "
            f"{fastest:g}; 24 is usual."
        )
    return Fraction(fps).limit_denominator(FINEST)


def _levels(audio: Tensor, rate: int, hop: Fraction, frames: int, band: Band) -> Tensor:
    """RMS of the whole sound and of the band in each frame's window, [F, 2]."""
    half = max(1, round(hop))  # samples
    size = 2 * half
    place = torch.arange(size, device=audio.device)
    window = torch.sin(math.pi * (place + 0.5) / size)
    counts = _counts(size, rate, band).to(audio.device)
    sound = F.pad(audio.float(), (half, size))  # a window begins half before its middle
    starts = torch.tensor([round((n + Fraction(1, 2)) * hop) for n in range(frames)])
    powers = []
    for part in starts.to(audio.device).split(max(1, CHUNK // size)):
        heard = sound[:, part[:, None] + place] * window  # [C, part, size]
        powers.append((torch.fft.rfft(heard).abs().square() @ counts).mean(dim=0))
    return (torch.cat(powers) / (size * half)).sqrt().cpu()


def _counts(size: int, rate: int, band: Band) -> Tensor:
    """What each bin counts, by ear: in the whole sound, and in the band, [bins, 2]."""
    hertz = torch.fft.rfftfreq(size, 1 / rate, dtype=torch.float64)
    low, high = band.value
    inside = (low <= hertz) & (hertz < high)
    return ear_weights(size, rate)[:, None] * torch.stack([torch.ones_like(inside), inside], dim=1)


def _followed(levels: list[float], fps: float, follow: Follow) -> list[float]:
    rise, fall = _share(follow.attack, fps), _share(follow.release, fps)
    moved, level = [], 0.0
    for wanted in levels:
        level += (wanted - level) * (rise if wanted > level else fall)
        moved.append(level)
    return moved


def _share(seconds: float, fps: float) -> float:
    """How much of what is missing is made up for in one frame."""
    return 1.0 if seconds == 0 else -math.expm1(-1 / (fps * seconds))

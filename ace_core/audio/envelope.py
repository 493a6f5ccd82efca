"""The amplitude envelope of a waveform at the frames of a video, 0 to 1.

The level of frame `i` is the K-weighted RMS (see `loudness.py`) of the whole spectrum or of one
band in a window of two frames around (i + 0.5) / fps. Windows are half a sine, so the squares of
neighbouring ones add up to 1 and every sample has the same weight. Levels are scaled to a maximum
of 1: 0.5 is 6 dB below it.
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
from .loudness import k_weights
from .waveform import SILENCE, check_waveform

FPS_RANGE: Final = (1.0, 120.0)
LARGEST_DENOMINATOR: Final = 1001  # of a video's frame rate: 29.97 is 30000/1001
QUIET_BAND: Final = 1e-3  # share of the whole spectrum's level: a band 60 dB below it is silent
LARGEST_MASK: Final = 2**31  # bytes
CHUNK: Final = 2**20  # samples in windows that are transformed at once


class Band(Enum):
    """A part of the spectrum, from and up to a frequency in Hz."""

    WHOLE = (0.0, math.inf)
    BASS = (0.0, 250.0)
    MIDS = (250.0, 4_000.0)
    TREBLE = (4_000.0, math.inf)


@dataclass(frozen=True, slots=True)
class EnvelopeFollower:
    """Smoothing and threshold of the levels.

    `attack` and `release` are the time constants of a rise and of a fall in seconds (63 % of the
    way), from an initial 0. Levels up to `floor` become 0; the rest is scaled to end at 1.

    Raises:
        InvalidRequestError: a time is negative or not finite, or the floor is outside [0, 1).
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
    audio: Tensor,
    rate: int,
    fps: float,
    band: Band = Band.WHOLE,
    follow: EnvelopeFollower | None = None,
) -> Tensor:
    """The levels [F] of one item [C, N], F as `frame_count` says.

    A band that is 60 dB or more below the whole spectrum counts as silent: all zeros.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        InvalidRequestError: `fps` is outside `FPS_RANGE`.
    """
    check_waveform(audio[None], rate)
    follow = follow or EnvelopeFollower()
    frames, hop = frame_count(audio.shape[1], rate, fps), rate / frame_rate(fps)
    whole, levels = _levels(audio, rate, hop, frames, band).unbind(1)
    if float(levels.max()) <= max(SILENCE, QUIET_BAND * float(whole.max())):
        return torch.zeros(frames)
    smoothed = torch.tensor(followed(levels.tolist(), fps, follow))
    smoothed = smoothed / smoothed.max()
    return (smoothed - follow.floor).clamp(min=0) / (1 - follow.floor)


def frame_count(samples: int, rate: int, fps: float) -> int:
    """Frames that cover all samples; the last one may end after them.

    Raises:
        InvalidRequestError: `fps` is outside `FPS_RANGE`.
    """
    return math.ceil(samples * frame_rate(fps) / rate)


def check_mask_size(frames: int, width: int, height: int) -> None:
    """
    Raises:
        InvalidRequestError: the mask would exceed `LARGEST_MASK`.
    """
    size = 4 * frames * width * height
    if size > LARGEST_MASK:
        raise InvalidRequestError(
            f"A mask of {frames} frames of {width} x {height} takes {size / 1e9:.1f} GB; at most "
            f"{LARGEST_MASK / 1e9:.1f} GB are made. Make width and height smaller: every pixel of "
            "a frame is the same, so a small mask can be stretched to any picture."
        )


def frame_masks(levels: Tensor, width: int, height: int) -> Tensor:
    """Levels [F] as masks [F, height, width], uniform within each frame.

    Raises:
        InvalidRequestError: the mask would exceed `LARGEST_MASK`.
    """
    check_mask_size(len(levels), width, height)
    return levels[:, None, None].repeat(1, height, width)


def frame_rate(fps: float) -> Fraction:
    """An exact rate, so that rounding adds or drops no frame.

    Raises:
        InvalidRequestError: `fps` is outside `FPS_RANGE`.
    """
    slowest, fastest = FPS_RANGE
    if not slowest <= fps <= fastest:
        raise InvalidRequestError(
            f"{fps:g} frames per second is outside the range. Set fps to {slowest:g} up to "
            f"{fastest:g}; 24 is usual."
        )
    return Fraction(fps).limit_denominator(LARGEST_DENOMINATOR)


def _levels(audio: Tensor, rate: int, hop: Fraction, frames: int, band: Band) -> Tensor:
    """RMS of the whole spectrum and of the band in each frame's window, [F, 2]."""
    half = max(1, round(hop))  # samples
    size = 2 * half
    offset = torch.arange(size, device=audio.device)
    window = torch.sin(math.pi * (offset + 0.5) / size)
    weights = _bin_weights(size, rate, band).to(audio.device)
    padded = F.pad(audio.float(), (half, size))  # a window starts `half` before its middle
    starts = torch.tensor([round((n + Fraction(1, 2)) * hop) for n in range(frames)])
    powers = []
    for part in starts.to(audio.device).split(max(1, CHUNK // size)):
        windows = padded[:, part[:, None] + offset] * window  # [C, part, size]
        powers.append((torch.fft.rfft(windows).abs().square() @ weights).mean(dim=0))
    return (torch.cat(powers) / (size * half)).sqrt().cpu()


def _bin_weights(size: int, rate: int, band: Band) -> Tensor:
    """K-weights of the bins for the whole spectrum and for the band, [bins, 2]."""
    hertz = torch.fft.rfftfreq(size, 1 / rate, dtype=torch.float64)
    low, high = band.value
    inside = (low <= hertz) & (hertz < high)
    return k_weights(size, rate)[:, None] * torch.stack([torch.ones_like(inside), inside], dim=1)


def followed(levels: list[float], fps: float, follow: EnvelopeFollower) -> list[float]:
    """Levels smoothed from frame to frame."""
    rise, fall = _coefficient(follow.attack, fps), _coefficient(follow.release, fps)
    smoothed, level = [], 0.0
    for target in levels:
        level += (target - level) * (rise if target > level else fall)
        smoothed.append(level)
    return smoothed


def _coefficient(seconds: float, fps: float) -> float:
    """Share of the distance to the target that one frame covers, for a time constant."""
    return 1.0 if seconds == 0 else -math.expm1(-1 / (fps * seconds))

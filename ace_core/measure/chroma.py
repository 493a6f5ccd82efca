"""Chroma: how much of each pitch class sounds over time, and the tuning it is in.

It is made of spectral peaks alone, so that noise does not count.
Source: Gómez 2006, "Tonal description of polyphonic audio", for peaks instead of bins; the
compression and the circular mean for the tuning are ours.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW: Final = 0.19  # seconds
LOWEST, HIGHEST = 55.0, 2_000.0  # Hz
FLOOR: Final = 1e-3  # of a frame's largest magnitude: smaller peaks are not counted
SILENT: Final = 1e-6  # of full scale: frames below are not counted
COMPRESSION: Final = 0.5  # exponent of magnitudes
BASS: Final = 55  # MIDI number of the G below middle C: lower pitches are bass


@dataclass(frozen=True, slots=True)
class Chroma:
    """`whole` and `bass` [12, T] from C upwards, not scaled, of which one frame is centred at
    t / rate seconds; `tuning` in semitones above A = 440 Hz, -0.5 to 0.5."""

    whole: Tensor
    bass: Tensor
    rate: float
    tuning: float


def chroma(audio: Tensor, rate: int) -> Chroma:
    """Chroma of one item [C, N]."""
    size = 2 ** round(math.log2(WINDOW * rate))
    pitches, weights, frames, count = _peaks(audio.float().mean(dim=0), rate, size)
    tuning = _tuning(pitches, weights)
    classes = (pitches - tuning).round().long() % 12
    low = pitches < BASS
    return Chroma(
        whole=_summed(classes, frames, weights, count),
        bass=_summed(classes[low], frames[low], weights[low], count),
        rate=rate / (size // 4),
        tuning=tuning,
    )


def _summed(classes: Tensor, frames: Tensor, weights: Tensor, count: int) -> Tensor:
    """Weights by class and frame, [12, count]."""
    flat = torch.zeros(12 * count, dtype=torch.float64)
    return flat.index_add_(0, classes * count + frames, weights).unflatten(0, (12, count))


def _peaks(mono: Tensor, rate: int, size: int) -> tuple[Tensor, Tensor, Tensor, int]:
    """MIDI pitch, weight and frame of each spectral peak, and the number of frames."""
    mono = F.pad(mono, (0, max(0, size - len(mono))))
    window = torch.hann_window(size, device=mono.device)
    spectrum = torch.stft(mono, size, size // 4, window=window, return_complex=True)
    magnitude = spectrum.abs() / (size / 4)  # [bins, T], 1 for a sine at full scale
    first = max(1, math.ceil(LOWEST * size / rate))
    last = min(math.floor(HIGHEST * size / rate), magnitude.shape[0] - 1)
    logs = magnitude.clamp(min=1e-12).log()
    left, here, right = logs[first - 1 : last - 1], logs[first:last], logs[first + 1 : last + 1]
    largest = magnitude.amax(dim=0, keepdim=True)
    peaks = (here > left) & (here >= right) & (largest > SILENT)
    peaks &= magnitude[first:last] > FLOOR * largest
    offset = 0.5 * (left - right) / (left - 2 * here + right).clamp(max=-1e-9)  # of the parabola
    bins = torch.arange(first, last, device=mono.device)[:, None] + offset
    hertz = bins[peaks].double() * rate / size
    weights = magnitude[first:last][peaks].double() ** COMPRESSION
    frames = peaks.nonzero()[:, 1]
    return (69 + 12 * (hertz / 440).log2()).cpu(), weights.cpu(), frames.cpu(), peaks.shape[1]


def _tuning(pitches: Tensor, weights: Tensor) -> float:
    """Semitones by which the pitches lie above whole ones: their circular mean."""
    angles = 2 * math.pi * pitches
    y, x = (weights * angles.sin()).sum(), (weights * angles.cos()).sum()
    return float(torch.atan2(y, x)) / (2 * math.pi)

"""How much of each pitch class a recording has, for its key.

Each semitone's level is read from a spectrum whose window is long enough to tell it from the next:
longer for the bass. Where a bass is left out, its harmonics stand for another note. Every frame
counts as much as the others.
Source: Brown 1991, "Calculation of a constant Q spectral transform", for windows that grow as the
pitch falls; Müller 2015, "Fundamentals of Music Processing", for chroma scaled by frame. That three
windows are enough is ours.
"""

import math
from collections.abc import Iterator
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from .chroma import BASS, SILENT

WINDOWS: Final = ((0.74, 24, 48), (0.37, 48, 60), (0.19, 60, 97))  # seconds; MIDI numbers from, to
WIDTH: Final = 0.3  # semitones: standard deviation of the weights around a pitch
FRAMES_AT_ONCE: Final = 256  # of which a spectrum is held


def pitch_classes(audio: Tensor, rate: int, tuning: float) -> tuple[Tensor, Tensor]:
    """The sums of one item [C, N] and of its bass, each [12] from C upwards; `tuning` in semitones
    above A = 440 Hz."""
    mono = audio.float().mean(dim=0)
    hop = _size(WINDOWS[-1][0], rate) // 4
    parts = [
        _levels(mono, rate, hop, seconds, torch.arange(first, end) + tuning)
        for seconds, first, end in WINDOWS
    ]
    levels = torch.cat(parts)  # [pitches, T]
    pitches = torch.arange(WINDOWS[0][1], WINDOWS[-1][2])
    largest = _by_class(levels, pitches).amax(dim=0)
    levels = torch.where(largest > SILENT, levels / largest.clamp(min=SILENT), 0.0)
    low = pitches < BASS
    whole, bass = _by_class(levels, pitches), _by_class(levels[low], pitches[low])
    return whole.sum(dim=1), bass.sum(dim=1)


def _size(seconds: float, rate: int) -> int:
    return 2 ** round(math.log2(seconds * rate))


def _levels(mono: Tensor, rate: int, hop: int, seconds: float, pitches: Tensor) -> Tensor:
    """Mean magnitude around each of `pitches`, MIDI numbers, every `hop` samples, [pitches, T]."""
    size = _size(seconds, rate)
    weights = _weights(pitches, size, rate).to(mono)
    parts = [weights @ part.T for part in _spectra(mono, size, hop, weights.shape[1])]
    return torch.cat(parts, dim=1).double().cpu()


def _spectra(mono: Tensor, size: int, hop: int, bins: int) -> Iterator[Tensor]:
    """Magnitudes of the first `bins`, [some frames, bins]; a sine at full scale has 1."""
    window = torch.hann_window(size, device=mono.device) / (size / 4)
    padded = F.pad(mono, (size // 2, size - size // 2))
    frames = padded.unfold(0, size, hop)[: len(mono) // hop + 1]
    for part in frames.split(FRAMES_AT_ONCE):
        yield torch.fft.rfft(part * window)[:, :bins].abs()


def _weights(pitches: Tensor, size: int, rate: int) -> Tensor:
    """[pitches, bins up to the highest]: rows sum to 1, or are 0 above half the rate."""
    highest = min(rate / 2, 440 * 2 ** ((float(pitches[-1]) + 1 - 69) / 12))
    hertz = torch.arange(1, math.ceil(highest * size / rate)).double() * rate / size
    distances = 69 + 12 * (hertz / 440).log2() - pitches[:, None]
    weights = F.pad(torch.exp(-0.5 * (distances / WIDTH) ** 2), (1, 0))  # no pitch at 0 Hz
    sums = weights.sum(dim=1, keepdim=True)
    return torch.where(sums > 1e-6, weights / sums.clamp(min=1e-6), 0.0)


def _by_class(levels: Tensor, pitches: Tensor) -> Tensor:
    """[pitches, T] -> [12, T]."""
    classes = torch.zeros(12, levels.shape[1], dtype=levels.dtype)
    return classes.index_add_(0, pitches % 12, levels)

"""Phase vocoder: a recording made longer or shorter at its own pitch, with its attacks kept.

Each frame of the output is a frame of the input whose bins are turned by an angle. A peak of the
spectrum turns by what its phase advances in the time that is added or left out; all bins around
it turn alike, and so do all channels. Around an attack time runs as in the input, and the bins
that the attack raises are not turned at all, so that it sounds as it was.
Source: Puckette 1995, "Phase-locked vocoder", for the advance from two frames one hop apart, which
needs no unwrapping; Laroche and Dolson 1999, "Improved phase vocoder time-scale modification of
audio", for the locking to peaks; Röbel 2003, "A new approach to transient processing in the phase
vocoder", for new phases at attacks bin by bin. One angle for all channels, and the attacks' own
time are ours.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .attacks import attacks

WINDOW: Final = 0.0427  # seconds: 2048 samples at 48 kHz
OVERLAP: Final = 8
APART: Final = 1.75  # windows between two attacks that are both kept
RAISED: Final = 4.0  # in power: bins that an attack raises by this are its own
BLOCK: Final = 512  # frames that are transformed at once
PEAK: Final = 2  # bins on each side that a peak exceeds


@dataclass(frozen=True, slots=True)
class _Frames:
    """`centres` [K] of the input's frames; `attack` [K]: the number of the attack that a frame's
    window holds, or -1; `raised` [A, bins]: the bins of each attack."""

    centres: Tensor
    attack: Tensor
    raised: Tensor


def stretched(audio: Tensor, rate: int, factor: float, samples: int) -> Tensor:
    """One item [C, N] as float32 [C, samples], where the sound of time t is at t * factor."""
    size = 2 ** max(6, round(math.log2(WINDOW * rate)))
    hop, half = size // OVERLAP, size // 2
    audio = audio.float().cpu()
    found = attacks(audio, rate, round(APART * size))
    first = -(OVERLAP // 2)  # frames before the output begins, whose windows reach into it
    count = samples // hop + OVERLAP // 2 + 2 - first
    places = (torch.arange(count) + first) * hop
    margin = 4 * size + count + abs(int(samples / factor) - audio.shape[1])
    padded = F.pad(audio, (margin, margin))  # frames begin before the sound and end after it
    centres = _centres(places, found, factor, half)
    frames = _Frames(
        centres=centres.clamp(half + hop - margin, audio.shape[1] + margin - half) + margin,
        attack=_attack_of(centres, found, half),
        raised=_raised(padded, found + margin, size),
    )
    return _overlapped(padded, frames, size, hop)[:, half - first * hop :][:, :samples]


def _centres(places: Tensor, found: Tensor, factor: float, half: int) -> Tensor:
    """The input's sample for each of the output's `places`: 1 for 1 within `half` of an attack,
    evenly between attacks, so that attacks come at `factor` times their own time."""
    moved = found + torch.floor(found * (factor - 1) + 0.5).long()
    into = torch.stack([moved - half, moved + half], dim=1).flatten().double().numpy()
    outof = torch.stack([found - half, found + half], dim=1).flatten().double().numpy()
    if not len(found) or found[0] > 2 * half:  # else the first attack's own time from the start on
        into, outof = np.append(0.0, into), np.append(0.0, outof)
    u = places.double().numpy()
    centres = np.interp(u, into, outof)
    before = u - into[0] + outof[0]
    after = (u - into[-1]) / factor + outof[-1]
    centres = np.where(u < into[0], before, np.where(u > into[-1], after, centres))
    return torch.from_numpy(np.floor(centres + 0.5)).long()


def _attack_of(centres: Tensor, found: Tensor, half: int) -> Tensor:
    """The number of the attack within `half` of each frame, or -1, [K]."""
    if not len(found):
        return torch.full_like(centres, -1)
    after = torch.searchsorted(found, centres).clamp(max=len(found) - 1)
    before = (after - 1).clamp(min=0)
    nearest = torch.where(
        (found[after] - centres).abs() < (found[before] - centres).abs(), after, before
    )
    return torch.where((found[nearest] - centres).abs() <= half, nearest, -1)


def _raised(padded: Tensor, found: Tensor, size: int) -> Tensor:
    """Which peaks, with the bins around them, each attack raises, [A, bins]."""
    if not len(found):
        return torch.zeros(0, size // 2 + 1, dtype=torch.bool)
    half = size // 2
    before = _spectra(padded, found - half - size // 8, size).abs().square().sum(dim=0)
    after = _spectra(padded, found + half // 2, size).abs().square().sum(dim=0)
    return (after > RAISED * before).gather(1, _nearest_peaks(after))


def _spectra(padded: Tensor, centres: Tensor, size: int) -> Tensor:
    """Spectra of the frames at `centres`, [C, K, bins]."""
    windows = padded.unfold(1, size, 1)[:, centres - size // 2]  # [C, K, size]
    return torch.fft.rfft(windows * torch.hann_window(size))


def _overlapped(padded: Tensor, frames: _Frames, size: int, hop: int) -> Tensor:
    """The turned frames, windowed again and added `hop` apart, [C, samples]."""
    count = len(frames.centres)
    made = torch.zeros(padded.shape[0], (count - 1) * hop + size)
    window = torch.hann_window(size) / (OVERLAP * 3 / 8)  # squares of overlapping ones: 3/8 each
    angle = torch.zeros(size // 2 + 1, dtype=torch.float64)
    previous = frames.centres[:1] - hop
    for first in range(0, count, BLOCK):
        centres = frames.centres[first : first + BLOCK]
        earlier = torch.cat([previous, centres[:-1]])
        spectra = _spectra(padded, centres, size)
        advance = _advance(padded, centres, earlier, size, hop)
        peaks = _nearest_peaks(spectra.abs().square().sum(dim=0))
        numbers = frames.attack[first : first + BLOCK].tolist()
        angles = []
        for turned, peak, number in zip(advance, peaks, numbers, strict=True):
            angle = (angle + turned)[peak]
            if number >= 0:
                angle = angle.masked_fill(frames.raised[number], 0.0)
            angles.append(angle)
        rotation = torch.polar(torch.ones(()).double(), torch.stack(angles)).to(spectra)
        sound = torch.fft.irfft(spectra * rotation, size) * window  # [C, K, size]
        for index, frame in enumerate(sound.unbind(dim=1)):
            start = (first + index) * hop
            made[:, start : start + size] += frame
        previous = centres[-1:]
    return made


def _advance(padded: Tensor, centres: Tensor, earlier: Tensor, size: int, hop: int) -> Tensor:
    """By how much the phase of each bin advances from one hop before `centres` to `earlier`, over
    all channels, [K, bins]; 0 where that is the same place."""
    here, there = _spectra(padded, earlier, size), _spectra(padded, centres - hop, size)
    advance = (here * there.conj()).sum(dim=0).angle().double()
    return advance.masked_fill((centres - hop == earlier)[:, None], 0.0)


def _nearest_peaks(power: Tensor) -> Tensor:
    """The bin of the peak that is nearest to each bin of [K, bins]; its own without any peak."""
    bins = torch.arange(power.shape[1])
    largest = F.max_pool1d(power[:, None], 2 * PEAK + 1, 1, PEAK)[:, 0]
    is_peak = (power == largest) & (power > 0)
    none = power.shape[1] * 2
    left = torch.where(is_peak, bins, -none).cummax(dim=1).values
    right = torch.where(is_peak, bins, none).flip(1).cummin(dim=1).values.flip(1)
    nearest = torch.where(bins - left <= right - bins, left, right)
    return torch.where(is_peak.any(dim=1, keepdim=True), nearest, bins)

"""Tempo and beats of a recording with a steady pulse.

The tempo is the period whose multiples the onset strength repeats at most, weighted towards 120 BPM
as listeners tap; beats are then placed by dynamic programming, and their mean distance
is the tempo. A recording at twice or half the tempo repeats as well: such octave errors are what
remains, so the second candidate is returned, too.
Source: Ellis 2007, "Beat tracking by dynamic programming".
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from .onsets import Onsets

TEMPO_RANGE: Final = (40.0, 240.0)  # BPM that are looked for
CENTRE: Final = 120.0  # BPM
SPREAD: Final = 0.9  # octaves: standard deviation of the weight
TEMPI: Final = 1_500  # candidates, 0.12 % apart
MULTIPLES: Final = 8  # of a period that are added
TIGHTNESS: Final = 400.0  # of the beats to the period
LEAST_SECONDS: Final = 3.0
LEAST_BEATS: Final = 4


@dataclass(frozen=True, slots=True)
class Tempo:
    """`bpm` in beats per minute; `beats` in seconds; `confidence`, 0 to 1, is the autocorrelation
    of the onsets at the period; `other` is the next best tempo that is not within 4 % of it, None
    without one."""

    bpm: float
    beats: tuple[float, ...]
    confidence: float
    other: float | None


def tempo(onsets: Onsets) -> Tempo | None:
    """Tempo and beats; None where nothing repeats or fewer than `LEAST_SECONDS` are given."""
    strength = onsets.strength.double()
    if len(strength) < LEAST_SECONDS * onsets.rate or not strength.any():
        return None
    repeats = autocorrelation(strength)
    bpm, scores = _scores(repeats, onsets.rate)
    best = int(scores.argmax())
    if scores[best] <= 0:
        return None
    beats = _beats(strength.numpy(), 60 * onsets.rate / float(bpm[best]))
    if len(beats) < LEAST_BEATS:
        return None
    times = _refined(strength, beats) / onsets.rate
    measured = _mean_tempo(times)
    return Tempo(
        bpm=measured,
        beats=tuple(times.tolist()),
        confidence=float(_at(repeats, 60 * onsets.rate / bpm[best : best + 1]).clamp(0, 1)),
        other=_other(bpm, scores, best),
    )


def autocorrelation(values: Tensor) -> Tensor:
    """Unbiased and normalised, [T] -> [T / 2]: 1 at lag 0, about 0 where nothing repeats."""
    centred = values - values.mean()
    size = 2 ** math.ceil(math.log2(2 * len(values)))
    spectrum = torch.fft.rfft(centred, size)
    sums = torch.fft.irfft(spectrum.abs().square(), size)[: len(values) // 2]
    counts = len(values) - torch.arange(len(sums), dtype=values.dtype)
    means = sums / counts
    return means / means[0].clamp(min=1e-12)


def _scores(repeats: Tensor, rate: float) -> tuple[Tensor, Tensor]:
    """Candidate tempi and how well each repeats, weighted, [TEMPI] each."""
    lowest, highest = TEMPO_RANGE
    bpm = torch.logspace(math.log10(lowest), math.log10(highest), TEMPI, dtype=torch.float64)
    period = 60 * rate / bpm
    total, count = torch.zeros_like(period), torch.zeros_like(period)
    for multiple in range(1, MULTIPLES + 1):
        lag = period * multiple
        inside = lag < len(repeats) - 1
        total += torch.where(inside, _at(repeats, lag.clamp(max=len(repeats) - 1.001)), 0.0)
        count += inside
    weight = torch.exp(-0.5 * ((bpm / CENTRE).log2() / SPREAD).square())
    return bpm, total / count.clamp(min=1) * weight


def _at(values: Tensor, places: Tensor) -> Tensor:
    """Linear interpolation of `values` [T] at `places`."""
    places = places.clamp(0, len(values) - 1.001)
    low = places.long()
    part = places - low
    return values[low] * (1 - part) + values[low + 1] * part


def _other(bpm: Tensor, scores: Tensor, best: int) -> float | None:
    peaks = (scores[1:-1] > scores[:-2]) & (scores[1:-1] >= scores[2:]) & (scores[1:-1] > 0)
    places = peaks.nonzero().flatten() + 1
    places = places[(bpm[places] / bpm[best] - 1).abs() > 0.04]
    return float(bpm[places[scores[places].argmax()]]) if len(places) else None


def _beats(strength: np.ndarray, period: float) -> np.ndarray:
    """Frames of the beats: the chain of highest strength whose steps are near `period`."""
    smooth = np.convolve(strength, np.exp(-0.5 * (np.arange(-4, 5) / 1.5) ** 2), mode="same")
    smooth = smooth / (smooth.std() + 1e-12)
    steps = np.arange(-round(2 * period), -max(1, round(period / 2)) + 1)
    cost = -TIGHTNESS * np.log(-steps / period) ** 2
    scores, before = smooth.copy(), np.full(len(smooth), -1)
    for place in range(-steps[-1], len(smooth)):
        first = max(0, -(place + steps[0]))
        earlier = place + steps[first:]
        found = scores[earlier] + cost[first:]
        best = int(found.argmax())
        if found[best] > 0:
            scores[place] += found[best]
            before[place] = earlier[best]
    tail = max(1, round(period))
    place = len(scores) - tail + int(scores[-tail:].argmax())
    chain = []
    while place >= 0:
        chain.append(place)
        place = before[place]
    return np.array(chain[::-1])


def _refined(strength: Tensor, beats: np.ndarray) -> Tensor:
    """Places of the beats between frames, by the strengths beside them."""
    found = []
    for beat in beats:
        first, last = max(0, beat - 3), min(len(strength), beat + 4)
        part = strength[first:last]
        total = float(part.sum())
        where = torch.arange(first, last, dtype=torch.float64)
        found.append(float((part * where).sum() / total) if total > 0 else float(beat))
    return torch.tensor(found, dtype=torch.float64)


def _mean_tempo(times: Tensor) -> float:
    """BPM by the straight line through the times of the beats."""
    index = torch.arange(len(times), dtype=torch.float64)
    index = index - index.mean()
    slope = float((index * (times - times.mean())).sum() / index.square().sum())
    return 60 / slope

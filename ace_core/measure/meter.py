"""Meter and downbeats of a recording whose beats are known.

Bars are where the harmony changes and the bass is struck: the number of beats after which both
repeat is the length of the bar, and the beat on which they are strongest is the first. Beats in
three parts make 6/8 of two beats.
Source: Peeters and Papadopoulos 2011, "Simultaneous beat and downbeat-tracking using a
probabilistic framework", for the two features.
"""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from .chroma import Chroma
from .onsets import Onsets

LEAST_BARS: Final = 3
REACH: Final = 0.05  # seconds around a beat, or a part of it, in which its onset is
PERCENT_OF_BEAT: Final = 0.12  # and at most that share of a beat


@dataclass(frozen=True, slots=True)
class Meter:
    """`time_signature`: 2, 3 or 4 quarters, or 6 eighths; `downbeats` in seconds; `confidence`: by
    how much bars of this length repeat better than the next best, 0 to 1."""

    time_signature: int
    downbeats: tuple[float, ...]
    confidence: float


def meter(beats: tuple[float, ...], onsets: Onsets, chroma: Chroma) -> Meter | None:
    """None where the beats fill fewer than `LEAST_BARS` bars."""
    times = torch.tensor(beats, dtype=torch.float64)
    if len(times) < LEAST_BARS * 4:
        return None
    feature = _accents(times, onsets, chroma)
    scores = {length: _repetition(feature, length) for length in (3, 4)}
    length = max(scores, key=lambda each: scores[each])
    confidence = min(1.0, max(0.0, scores[length] - min(scores.values())))
    if length == 4 and _in_three_parts(times, onsets):
        length = 2
    first = max(range(length), key=lambda phase: float(feature[phase::length].mean()))
    signature = {2: 6, 3: 3, 4: 4}[length]
    return Meter(signature, tuple(times[first::length].tolist()), confidence)


def _accents(times: Tensor, onsets: Onsets, chroma: Chroma) -> Tensor:
    """How much of a downbeat each beat is, [beats], with mean 0."""
    bass = _onsets_at(onsets.low, times, times, onsets.rate)
    change = _harmonic_change(times, chroma)
    return _standard(change) + 0.5 * _standard(bass)


def _harmonic_change(times: Tensor, chroma: Chroma) -> Tensor:
    """1 minus the similarity of the chroma of a beat and of the one before, [beats]."""
    edges = (times * chroma.rate).round().long().clamp(0, chroma.whole.shape[1] - 1).tolist()
    ends = [*edges[1:], chroma.whole.shape[1]]
    both = chroma.whole + 2 * chroma.bass
    spans = [both[:, a : max(b, a + 1)].sum(dim=1) for a, b in zip(edges, ends, strict=True)]
    spans = F.normalize(torch.stack(spans), dim=1)  # [beats, 12]
    similar = (spans[1:] * spans[:-1]).sum(dim=1)
    return torch.cat([1 - similar[:1], 1 - similar])


def _onsets_at(strength: Tensor, places: Tensor, times: Tensor, rate: float) -> Tensor:
    """The largest strength near each of `places` in seconds; `times` are the beats."""
    beat = float(times.diff().median())
    reach = max(1, round(min(REACH, PERCENT_OF_BEAT * beat) * rate))
    wide = F.max_pool1d(strength[None, None].double(), 2 * reach + 1, 1, reach)[0, 0]
    return wide[(places * rate).round().long().clamp(0, len(wide) - 1)]


def _repetition(feature: Tensor, length: int) -> float:
    """Correlation of the accents with themselves one and two bars later."""
    found = [
        float((feature[lag:] * feature[:-lag]).mean() / feature.square().mean().clamp(min=1e-12))
        for lag in (length, 2 * length)
        if len(feature) > lag + length
    ]
    return sum(found) / max(1, len(found))


def _in_three_parts(times: Tensor, onsets: Onsets) -> bool:
    """Whether more begins at thirds of the beats than at their halves."""
    start, step = times[:-1], times.diff()
    thirds = torch.stack(
        [
            _onsets_at(onsets.strength, start + step * part / 3, times, onsets.rate)
            for part in (1, 2)
        ]
    )
    halves = _onsets_at(onsets.strength, start + step / 2, times, onsets.rate)
    return float(thirds.mean()) > float(halves.mean())


def _standard(values: Tensor) -> Tensor:
    return (values - values.mean()) / values.std().clamp(min=1e-9)

"""Tempo and meter of a roll, by where in a bar each part of the band begins its sounds.

How often it does so at each sixteenth of a bar is counted over composed pieces, once for each
meter. A roll is in the tempo, meter and phase under which its strokes are most likely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from ..world.channels import (
    BASS,
    CLAP,
    CRASH,
    FIRST_FRAME,
    HAT,
    KEY_CLICK,
    KEYBOARD,
    KICK,
    OPEN_HAT,
    SHAKER,
    SNARE,
    SYNTH,
    TOM,
    tempo,
)
from ..world.form import Bar, Section
from ..world.piece import compose
from ..world.request import CLOSE, METERS, Request, beats, draw
from .strokes import WHOLE, onsets

PARTS: Final = (  # channels that are counted together
    (KICK,),
    (SNARE, CLAP),
    (TOM,),
    (HAT, SHAKER),
    (OPEN_HAT,),
    (CRASH,),
    tuple(BASS),
    (KEY_CLICK,),
    tuple(KEYBOARD),
    tuple(SYNTH),
)
PIECES: Final = 200  # that the counts are made of, of 20 s
UNSEEN: Final = 0.3  # strokes added to each count
OCTAVES: Final = (1.0, 2.0, 0.5)
STRAY: Final = 0.03  # share of strokes that may lie anywhere


@dataclass(frozen=True, slots=True)
class Pulse:
    """The beat of a roll; `start` is the frame of a downbeat within the first bar."""

    beat_frames: int
    meter: int
    start: int

    @property
    def bpm(self) -> float:
        return tempo(self.beat_frames)


def pulse(roll: Tensor) -> Pulse | None:
    """The most likely pulse of a roll [T, 64]; None: it has no strokes."""
    begun = _parts(roll)
    if not begun.any():
        return None
    found = []
    for (beat_frames, meter), likelihood in _likelihoods().items():
        scores = _by_phase(_folded(begun, len(likelihood)), likelihood)
        score, start = scores.max(dim=0)
        found.append((float(score), Pulse(beat_frames, meter, int(start))))
    return max(found, key=lambda pair: pair[0])[1]


def tempo_kept(roll: Tensor, request: Request, octaves: bool = False) -> bool:
    """Whether a roll is within 4 % of the request's tempo; with `octaves` half and twice of it
    count, too."""
    found = pulse(roll)
    if found is None:
        return False
    ratios = [
        found.beat_frames / request.beat_frames * each for each in OCTAVES[: 3 if octaves else 1]
    ]
    return any(1 / CLOSE < ratio < CLOSE for ratio in ratios)


def on_grid(roll: Tensor, request: Request, within: slice = WHOLE) -> float | None:
    """Share of a roll's strokes `within` some frames that lie on sixteenths of the request's bars,
    counted from where pieces begin; None: it has no strokes there."""
    strokes = onsets(roll).sum(dim=1)
    total = int(strokes[within].sum())
    if not total:
        return None
    places = set(slots(request))
    on = [
        frame
        for frame in range(*within.indices(len(roll)))
        if (frame - FIRST_FRAME) % request.bar_frames in places
    ]
    return int(strokes[on].sum()) / total


def slots(request: Request) -> list[int]:
    """The frame of each sixteenth of a bar from its start; two may share one."""
    bar = Bar(request, Section("verse", 0, 1), 0, last=False)
    fine = 2 * bar.eighths
    return [min(bar.frame(place / 2) - bar.start, request.bar_frames - 1) for place in range(fine)]


def _parts(roll: Tensor) -> Tensor:
    """[T, parts]: whether each part begins a sound."""
    begun = onsets(roll)
    return torch.stack([begun[:, list(part)].any(dim=1) for part in PARTS], dim=1).float()


def _folded(begun: Tensor, length: int) -> Tensor:
    """[T, parts] summed over bars of `length` frames."""
    places = torch.arange(len(begun)) % length
    return torch.zeros(length, begun.shape[1]).index_add_(0, places, begun)


def _by_phase(folded: Tensor, likelihood: Tensor) -> Tensor:
    """Log likelihood with the downbeat at each frame of the bar, [length]."""
    counts, weights = torch.fft.rfft(folded, dim=0), torch.fft.rfft(likelihood, dim=0)
    return torch.fft.irfft((counts * weights.conj()).sum(dim=1), len(folded))


@lru_cache(maxsize=1)
def _likelihoods() -> Mapping[tuple[int, int], Tensor]:
    """By frames of a beat and meter: log of how much more likely a stroke of each part is at each
    frame of the bar than anywhere, [frames of the bar, parts]."""
    counts = _counts()
    found = {}
    for meter in METERS:
        shares = counts[meter] / counts[meter].sum(dim=0)
        for beat_frames in beats(meter):
            request = _request(beat_frames, meter)
            bar = request.bar_frames
            stray = STRAY + (1 - STRAY) * shares[-1]  # [parts]
            density = (stray / bar).repeat(bar, 1)
            density.index_add_(0, torch.tensor(slots(request)), (1 - STRAY) * shares[:-1])
            found[beat_frames, meter] = (density * bar).log()
    return found


def _counts() -> dict[int, Tensor]:
    """By meter: strokes at each sixteenth of the bar, and elsewhere, [sixteenths + 1, parts]."""
    counts: dict[int, Tensor] = {}
    for seed in range(PIECES):
        request = draw(seed)
        begun = _parts(compose(request).roll)[FIRST_FRAME:]
        places = slots(request)
        of_frame = torch.full((request.bar_frames,), len(places))
        for place in reversed(range(len(places))):
            of_frame[places[place]] = place
        at = of_frame[torch.arange(len(begun)) % request.bar_frames]
        empty = torch.full((len(places) + 1, len(PARTS)), UNSEEN)
        counts.setdefault(request.meter, empty).index_add_(0, at, begun)
    return counts


def _request(beat_frames: int, meter: int) -> Request:
    return Request(0, 20.0, beat_frames, meter, tonic=0, mode="major", stems=("drums",))

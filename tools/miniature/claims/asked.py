"""Held-out requests, and how well music keeps to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from torch import Tensor

from ace_core.constants import INSTRUMENTAL
from ace_core.types import Song

from ..codec.build import HELD_OUT
from ..evaluation.key import key
from ..evaluation.stems import auc, energies
from ..evaluation.tempo import on_grid, pulse, tempo_kept
from ..world.captions import caption
from ..world.channels import STEMS
from ..world.request import Request, draw
from .figure import Extent

FIRST: Final = HELD_OUT + 10_000  # seed of the first held-out request
SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class AsAsked:
    """Shares of the pieces, 0 to 1; `instruments` is an AUC."""

    tempo: float  # within 4 %
    octaves: float  # likewise, or half or twice of it
    meter: float
    grid: float  # strokes on the sixteenths of the request
    key: float
    instruments: float  # mean over the stems

    @property
    def mean(self) -> float:
        """Of tempo, key and instruments."""
        return (self.tempo + self.key + self.instruments) / 3


def requests(extent: Extent) -> list[Request]:
    """Held-out requests; every one has something to play in a key."""
    found: list[Request] = []
    seed = FIRST + 10_000 * extent.seed
    while len(found) < extent.requests:
        request = draw(seed, SECONDS)
        seed += 1
        if request.stems != ("drums",):
            found.append(request)
    return found


def song(request: Request, **changes: object) -> Song:
    """What a user asks for: caption and all metadata; `changes` are other fields of the song."""
    asked = Song(
        caption=caption(request),
        lyrics=INSTRUMENTAL,
        seconds=request.seconds,
        bpm=request.bpm,
        key=request.key,
        time_signature=request.meter,
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def as_asked(asked: Sequence[Request], rolls: Sequence[Tensor]) -> AsAsked:
    """How well rolls [T, 64] keep to their requests.

    Raises:
        ValueError: the requests all play one stem, or all leave one out.
    """
    both = list(zip(asked, rolls, strict=True))
    pulses = [pulse(roll) for _, roll in both]
    return AsAsked(
        tempo=fmean(tempo_kept(roll, request) for request, roll in both),
        octaves=fmean(tempo_kept(roll, request, octaves=True) for request, roll in both),
        meter=fmean(
            found is not None and found.meter == request.meter
            for request, found in zip(asked, pulses, strict=True)
        ),
        grid=fmean(on_grid(roll, request) or 0.0 for request, roll in both),
        key=fmean(key(roll) == request.key for request, roll in both),
        instruments=instruments(asked, rolls),
    )


def instruments(asked: Sequence[Request], rolls: Sequence[Tensor]) -> float:
    """Mean AUC of the stems' energy, over those that some requests have and some have not."""
    found = []
    for stem in STEMS:
        plays = [stem in request.stems for request in asked]
        if any(plays) and not all(plays):
            found.append(auc([energies(roll)[stem] for roll in rolls], plays))
    if not found:
        raise ValueError("every request has the same stems")
    return fmean(found)

"""What the tasks of base models are held to: lego, complete, extract."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

import torch
from torch import Tensor

from ace_core.conditioning import tasks
from ace_core.pipeline import Models
from ace_core.task import Task

from ..evaluation.key import in_key
from ..evaluation.likeness import kept
from ..evaluation.sound import roll_si_sdr
from ..evaluation.stems import playing
from ..evaluation.tempo import on_grid
from ..world.channels import STEMS
from ..world.piece import compose
from ..world.render import stem_rolls
from ..world.request import Request
from .asked import requests, song
from .figure import Extent, Figure, Unit
from .music import Family, How, length, played, with_source
from .regions import IN_KEY, IN_TIME
from .text import guided

KEPT: Final = 0.9  # share of the source's strokes that a completed mix has


@dataclass(frozen=True, slots=True, eq=False)
class StemCase:
    """A band that lacks a stem: its roll, and that of the stem [T, 64]."""

    request: Request  # of the whole band
    stem: str
    band: Tensor
    truth: Tensor


def cases(asked: Sequence[Request]) -> list[StemCase]:
    """For each request its whole band, and in turn another stem that it lacks."""
    found = []
    for place, request in enumerate(asked):
        whole = replace(request, stems=tuple(STEMS))
        stem = tuple(STEMS)[place % len(STEMS)]
        roll = compose(whole).roll
        truth = stem_rolls(roll)[stem]
        found.append(StemCase(whole, stem, roll - truth, truth))
    return found


def lego(models: Models, asked: Sequence[StemCase], how: How) -> list[Tensor]:
    """The stem alone that each band lacks."""
    return _played(models, [(tasks.lego, each, each.stem, each.band) for each in asked], how)


def complete(models: Models, asked: Sequence[StemCase], how: How) -> list[Tensor]:
    """Each band with the stem it lacks."""
    made = [(tasks.complete, each, (each.stem,), each.band) for each in asked]
    return _played(models, made, how)


def extract(models: Models, asked: Sequence[StemCase], how: How) -> list[Tensor]:
    """The stem out of each whole band."""
    made = [(tasks.extract, each, each.stem, each.band + each.truth) for each in asked]
    return _played(models, made, how)


def stems_alone(family: Family, extent: Extent) -> list[Figure]:
    """Lego by the base model."""
    asked = cases(requests(extent.slow))
    alone = added(asked, lego(family.base, asked, guided(extent)))
    return [Figure("lego: the stem alone, in time and key", alone, 0.9, chance=0.02)]


def stems_beside(family: Family, extent: Extent) -> list[Figure]:
    """Complete by the base model."""
    asked = cases(requests(extent.slow))
    beside = completed(asked, complete(family.base, asked, guided(extent)))
    return [
        Figure("complete: the stem beside the others, in time and key", beside, 0.9, chance=0.02)
    ]


def stems_extracted(family: Family, extent: Extent) -> list[Figure]:
    """Extract by the base model."""
    asked = cases(requests(extent.slow))
    gains = si_sdr_gains(asked, extract(family.base, asked, guided(extent)))
    return [
        Figure("extract: SI-SDR gained, mean", fmean(gains), 10.0, Unit.DB, chance=0.0),
        Figure("extract: SI-SDR gained, least", min(gains), unit=Unit.DB, chance=0.0),
    ]


def fits(case: StemCase, roll: Tensor) -> bool:
    """Whether the stem plays in a roll, in time and in key."""
    alone = torch.zeros_like(roll)
    channels = list(STEMS[case.stem])
    alone[:, channels] = roll[:, channels]
    time, notes = on_grid(alone, case.request), in_key(alone, case.request.key)
    in_time = time is not None and time >= IN_TIME
    return case.stem in playing(alone) and in_time and (notes is None or notes >= IN_KEY)


def added(asked: Sequence[StemCase], rolls: Sequence[Tensor]) -> float:
    """Share of the stems that were added alone: nothing else plays."""
    return fmean(
        fits(each, roll) and playing(roll) == (each.stem,)
        for each, roll in zip(asked, rolls, strict=True)
    )


def completed(asked: Sequence[StemCase], rolls: Sequence[Tensor]) -> float:
    """Share of the mixes that have the stem, and the strokes of the band."""
    found = []
    for each, roll in zip(asked, rolls, strict=True):
        same, total = kept(each.band, roll)
        found.append(fits(each, roll) and same >= KEPT * total)
    return fmean(found)


def si_sdr_gains(asked: Sequence[StemCase], rolls: Sequence[Tensor]) -> list[float]:
    """By how much an extracted stem is nearer to the true one than the mix is, dB each."""
    return [
        roll_si_sdr(roll, each.truth) - roll_si_sdr(each.band + each.truth, each.truth)
        for each, roll in zip(asked, rolls, strict=True)
    ]


def _played(
    models: Models, made: Sequence[tuple[Callable[..., Task], StemCase, object, Tensor]], how: How
) -> list[Tensor]:
    """Each task with its track or tracks on its source [T, 64]."""
    found = []
    for make, each, track, source in made:
        task = make(song(each.request), models.text, length(each.request), track)
        found.append(with_source(task, source))
    return played(models, found, how)

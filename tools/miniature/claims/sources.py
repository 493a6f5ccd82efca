"""What is held to about sources seen whole: covers, their strength, references, codes."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from torch import Tensor

from ace_core.conditioning import tasks
from ace_core.constants import TIMBRE_FRAMES
from ace_core.pipeline import Models

from ..evaluation.likeness import likeness
from ..world.channels import STEMS
from ..world.request import KEYBOARDS, Request
from .asked import instruments, requests, song
from .figure import Extent, Figure, Unit
from .music import Family, How, latent, length, played, truths, with_source

STRENGTHS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
SLACK: Final = -0.02  # of likeness: a step that falls by less does not count as falling


def other_sounds(request: Request) -> Request:
    """The request with other instruments: a cover's."""
    left = tuple(stem for stem in STEMS if stem not in request.stems)
    stems = tuple(stem for stem in STEMS if stem in left or stem == "keyboard")
    keyboard = KEYBOARDS[1 - KEYBOARDS.index(request.keyboard)]
    return replace(request, stems=stems, keyboard=keyboard)


def covers(
    models: Models, asked: Sequence[Request], how: How, strength: float = 1.0
) -> list[Tensor]:
    """Each request's piece as a cover for other instruments."""
    made = []
    for request, truth in zip(asked, truths(asked), strict=True):
        text = song(other_sounds(request))
        task = tasks.cover(text, models.text, length(request))
        task = tasks.with_cover_strength(task, strength, text, models.text, request.seconds)
        made.append(with_source(task, truth))
    return played(models, made, how)


def nearer_to_source(rolls: Sequence[Tensor], sources: Sequence[Tensor]) -> float:
    """Share of the pairs of a cover and another source in which the cover is more like its own."""
    won = []
    for place, roll in enumerate(rolls):
        own = likeness(roll, sources[place])
        won += [own > likeness(roll, each) for at, each in enumerate(sources) if at != place]
    return sum(won) / len(won)


def cover(family: Family, extent: Extent) -> list[Figure]:
    asked, how = requests(extent), How(extent.noise)
    rolls, sources = covers(family.turbo, asked, how), truths(asked)
    changed = instruments([other_sounds(request) for request in asked], rolls)
    return [
        Figure("cover: nearer to its source", nearer_to_source(rolls, sources), 0.95, chance=0.5),
        Figure("cover: plays the new instruments", changed, unit=Unit.AUC, chance=0.5),
    ]


def strengths(family: Family, extent: Extent) -> list[Figure]:
    """That likeness to the source rises with both strengths."""
    asked, how = requests(extent.slow), How(extent.noise)
    seen = list(by_cover_strength(family.turbo, asked, how).values())
    held = list(by_source_strength(family.turbo, asked, how).values())
    return [
        *_rise("cover strength", seen),
        *_rise("source in the starting noise", held),
    ]


def reference(family: Family, extent: Extent) -> list[Figure]:
    sounds = references(family.turbo, requests(extent), How(extent.noise))
    return [Figure("reference: its instruments play", sounds, unit=Unit.AUC, chance=0.5)]


def _rise(name: str, values: Sequence[float]) -> list[Figure]:
    """From the weakest to the strongest, and the smallest step."""
    steps = [after - before for before, after in pairwise(values)]
    return [
        Figure(f"{name}: likeness gained", values[-1] - values[0], 0.1, Unit.NUMBER, chance=0.0),
        Figure(f"{name}: smallest step of it", min(steps), SLACK, Unit.NUMBER),
    ]


def by_cover_strength(models: Models, asked: Sequence[Request], how: How) -> dict[float, float]:
    """Mean likeness to the source by cover strength."""
    return {
        strength: mean_likeness(covers(models, asked, how, strength), truths(asked))
        for strength in STRENGTHS
    }


def by_source_strength(models: Models, asked: Sequence[Request], how: How) -> dict[float, float]:
    """Mean likeness to the source by the share of it in the starting noise (audio to audio), under
    the words of the next request."""
    others = [*asked[1:], asked[0]]
    found = {}
    for strength in STRENGTHS[:-1]:
        made = []
        for request, other, truth in zip(asked, others, truths(asked), strict=True):
            task = tasks.audio_to_audio(
                song(other, seconds=request.seconds), models.text, length(request), strength
            )
            made.append(with_source(task, truth))
        found[strength] = mean_likeness(played(models, made, how), truths(asked))
    return found


def mean_likeness(rolls: Sequence[Tensor], sources: Sequence[Tensor]) -> float:
    values = [likeness(roll, source) for roll, source in zip(rolls, sources, strict=True)]
    return sum(values) / len(values)


def references(models: Models, asked: Sequence[Request], how: How) -> float:
    """AUC of the stems of a reference under a caption that names no instruments."""
    made = []
    for request, truth in zip(asked, truths(asked), strict=True):
        words = song(request, caption="lively tune" if request.lively else "calm tune")
        task = tasks.text_to_music(words, models.text)
        made.append(replace(task, timbre=clip(truth)))
    return instruments(asked, played(models, made, how))


def clip(roll: Tensor) -> Tensor:
    """A roll [T, 64] as 30 s of reference [1, 750, 64], repeated as the library does."""
    repeats = -(-TIMBRE_FRAMES // len(roll))
    return latent(roll.repeat(repeats, 1)[:TIMBRE_FRAMES])

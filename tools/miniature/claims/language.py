"""What the language model is held to: legal plans as asked, codes that play them, and codes
understood."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from ace_core.lm.functions import CodesOptions, TextOptions, compose_codes, think, understand
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata
from ace_core.lm.plan import CotFields, Plan
from ace_core.lm.sampling import DESCRIBING
from ace_core.measure.key import key_number
from ace_core.pipeline import Models, encode_codes
from ace_core.types import AudioCodes, Song

from ..world.captions import INSTRUMENTS, caption
from ..world.channels import STEMS
from ..world.request import CLOSE, KEYBOARDS, Request
from .asked import as_asked, requests, song
from .codes import hinted
from .figure import Extent, Figure
from .music import Family, How, from_text, latent, truths
from .text import as_asked_figures, guided

BATCH: Final = 8  # songs that codes are written for at a time


@dataclass(frozen=True, slots=True)
class Told:
    """Shares of what was right, 0 to 1."""

    legal: float
    bpm: float
    key: float
    meter: float
    instruments: float  # exactly those


def plans_and_understanding(family: Family, extent: Extent) -> list[Figure]:
    asked = requests(extent)
    plan = planned(asked, plans(family.lm, asked, extent.noise))
    found = understood(family.lm, family.turbo, asked, extent.noise)
    return [
        Figure("language model: metadata legal without a grammar", plan.legal, 0.9, chance=0.0),
        Figure(
            "language model: tempo, key as the caption says",
            min(plan.bpm, plan.key),
            0.9,
            chance=0.1,
        ),
        Figure("understand: tempo within 4 %", found.bpm, 0.9, chance=0.1),
        Figure("understand: key", found.key, 0.9, chance=0.1),
        Figure("understand: instruments, exactly", found.instruments, 0.9, chance=0.1),
    ]


def composed_codes(family: Family, extent: Extent) -> list[Figure]:
    """What the language model's codes play, by themselves and by the diffusion models, base on
    fewer."""
    asked = requests(extent)
    codes = composed(family.lm, asked, extent.noise)
    hints = as_asked(asked, [hinted(family.turbo, each) for each in codes])
    turbo = as_asked(asked, from_text(family.turbo, asked, How(extent.noise), codes))
    few = asked[: extent.fewer]
    base = as_asked(few, from_text(family.base, few, guided(extent), codes[: len(few)]))
    targets = {"tempo": 0.9, "key": 0.85}
    return [
        *as_asked_figures(hints, "codes alone", {"tempo": 0.7, "key": 0.7}),
        *as_asked_figures(turbo, "planned, turbo", targets),
        *as_asked_figures(base, "planned, base", targets),
    ]


def plans(lm: LanguageModel, asked: Sequence[Request], seed: int) -> list[Plan]:
    """The plan for each request's caption with its tempo and key in words, written without a
    grammar that would make it legal."""
    found = []
    for place, request in enumerate(asked):
        words = f"{caption(request)}, {request.key}, {request.bpm} bpm"
        options = TextOptions(seed=seed + place, constrained=False)
        found.append(think(lm, Song(words), CotFields(), options))
    return found


def planned(asked: Sequence[Request], made: Sequence[Plan]) -> Told:
    both = list(zip(asked, (plan.metadata for plan in made), strict=True))
    legal = [not plan.warnings and _complete(plan.metadata) for plan in made]
    return _told(both, legal)


def composed(lm: LanguageModel, asked: Sequence[Request], seed: int) -> list[AudioCodes]:
    """The codes of each request, its metadata given."""
    found: list[AudioCodes] = []
    for first in range(0, len(asked), BATCH):
        part = [song(request) for request in asked[first : first + BATCH]]
        options = CodesOptions(seeds=tuple(range(seed + first, seed + first + len(part))))
        found += compose_codes(lm, [Plan(each, Metadata.of(each)) for each in part], options)
    return found


def understood(lm: LanguageModel, models: Models, asked: Sequence[Request], seed: int) -> Told:
    """What is told of the codes of composed pieces."""
    both, legal = [], []
    for place, (request, truth) in enumerate(zip(asked, truths(asked), strict=True)):
        (codes,) = encode_codes(models, latent(truth))
        options = TextOptions(DESCRIBING, seed + place, constrained=False)
        reply = understand(lm, codes, options).reply
        both.append((request, reply.metadata))
        legal.append(not reply.warnings and _complete(reply.metadata))
    return _told(both, legal)


def named(words: str) -> tuple[str, ...]:
    """The stems that a caption names, in the order of STEMS."""
    found = []
    for stem in STEMS:
        names = KEYBOARDS if stem == "keyboard" else (stem,)
        if any(each in words for name in names for each in INSTRUMENTS[name]):
            found.append(stem)
    return tuple(found)


def _complete(metadata: Metadata) -> bool:
    return None not in (metadata.bpm, metadata.key, metadata.seconds, metadata.time_signature)


def _told(both: Sequence[tuple[Request, Metadata]], legal: Sequence[bool]) -> Told:
    return Told(
        legal=fmean(legal),
        bpm=fmean(_close(found.bpm, request.bpm) for request, found in both),
        key=fmean(
            found.key is not None and key_number(found.key) == key_number(request.key)
            for request, found in both
        ),
        meter=fmean(found.time_signature == request.meter for request, found in both),
        instruments=fmean(named(found.caption or "") == request.stems for request, found in both),
    )


def _close(bpm: int | None, asked: int) -> bool:
    return bpm is not None and 1 / CLOSE < bpm / asked < CLOSE

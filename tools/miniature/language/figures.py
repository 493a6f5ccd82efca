"""What the language model has learnt, on held-out pieces and through the functions that users call:
the rows of docs/miniature.md."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

import torch

from ace_core.lm.functions import (
    CodesOptions,
    TextOptions,
    compose_codes,
    create_sample,
    format_sample,
    think,
    understand,
)
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata
from ace_core.lm.plan import Plan
from ace_core.measure.key import key_number
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Song
from ace_core.weights.load import load_lm
from tools.miniature.codes import design
from tools.miniature.evaluation.key import key
from tools.miniature.evaluation.tempo import pulse, tempo_kept
from tools.miniature.world.captions import INSTRUMENTS, Caption, free_caption, written_tempo
from tools.miniature.world.channels import STEMS
from tools.miniature.world.request import CLOSE, KEYBOARDS, Request

from .songs import request_of, song_of

FIRST: Final = 300_000  # seed of the first piece
BATCH: Final = 8  # songs whose codes are written together
SAID: Final = frozenset({"bpm", "key"})  # what a query must say to be played

Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Query:
    """A request as somebody may type it."""

    request: Request
    bpm: int  # as the text names the tempo
    caption: Caption


def load(folder: Path) -> LanguageModel:
    """The model in the official layout, computing in single precision."""
    return LanguageModel(load_lm(folder).float(), load_tokenizer(folder))


def print_figures(lm: LanguageModel, pieces: int, show: Show) -> None:
    """A row for each thing that is measured."""
    show("| | pieces | right |")
    show("|---|---|---|")
    for name, right in measured(lm, pieces):
        show(f"| {name} | {len(right)} | {fmean(right):.0%} |")


def measured(lm: LanguageModel, pieces: int) -> Iterator[tuple[str, list[bool]]]:
    asked = queries(pieces)
    plans = [
        think(lm, Song(each.caption.text), options=TextOptions(seed=seed))
        for seed, each in enumerate(asked)
    ]
    free = TextOptions(constrained=False)
    unaided = [think(lm, Song(each.caption.text), options=free) for each in asked]
    yield "plan: legal without a grammar", [_legal(plan) for plan in unaided]
    yield from _as_asked("plan", asked, [plan.metadata for plan in plans])
    made = [create_sample(lm, each.caption.text, True).reply.metadata for each in asked]
    yield from _as_asked("create", asked, made)
    better = [format_sample(lm, Song(each.caption.text)).reply.metadata for each in asked]
    yield from _as_asked("format", asked, better)
    yield from _played(lm, [each for each in asked if each.caption.facts >= SAID])
    yield from _understood(lm, [each.request for each in asked])


def queries(pieces: int) -> list[Query]:
    """Every second one says tempo and key; none is for drums alone, which have no key."""
    found: list[Query] = []
    seed = FIRST
    while len(found) < pieces:
        seed += 1
        request = request_of(seed)
        if request.stems == ("drums",):
            continue
        choose = random.Random(f"query {seed}")
        bpm = written_tempo(request, choose)
        said = free_caption(request, bpm, choose)
        while len(found) % 2 and not said.facts >= SAID:
            said = free_caption(request, bpm, choose)
        found.append(Query(request, bpm, said))
    return found


def roll_of(codes: AudioCodes) -> torch.Tensor:
    """The roll [T, 64] that codes stand for."""
    return design.played(design.split(torch.tensor(codes.values))).flatten(0, 1)


def stems_of(caption: str) -> tuple[str, ...]:
    """The stems whose instruments a caption names, in the order of STEMS."""
    names = {stem: KEYBOARDS if stem == "keyboard" else (stem,) for stem in STEMS}
    return tuple(
        stem
        for stem in STEMS
        if any(words in caption for name in names[stem] for words in INSTRUMENTS[name])
    )


def same_key(found: str | None, asked: str) -> bool:
    return found is not None and key_number(found) == key_number(asked)


def _legal(plan: Plan) -> bool:
    found = plan.metadata
    whole = (found.bpm, found.caption, found.seconds, found.key, found.time_signature)
    return None not in whole and not plan.warnings


def _as_asked(
    name: str, asked: Sequence[Query], found: Sequence[Metadata]
) -> Iterator[tuple[str, list[bool]]]:
    """For each fact, the queries that say it."""
    both = list(zip(asked, found, strict=True))
    right: dict[str, Callable[[Query, Metadata], bool]] = {
        "bpm": lambda query, told: told.bpm == query.bpm,
        "key": lambda query, told: same_key(told.key, query.request.key),
        "meter": lambda query, told: told.time_signature == query.request.meter,
        "stems": lambda query, told: stems_of(told.caption or "") == query.request.stems,
    }
    for fact, fits in right.items():
        said = [each for each in both if fact in each[0].caption.facts]
        yield f"{name}: {fact} as asked", [fits(*each) for each in said]


def _played(lm: LanguageModel, asked: Sequence[Query]) -> Iterator[tuple[str, list[bool]]]:
    """Codes of queries, planned by the model itself but for their length."""
    tempo, octaves, meter, keys = list[bool](), list[bool](), list[bool](), list[bool]()
    for first in range(0, len(asked), BATCH):
        part = asked[first : first + BATCH]
        plans = [think(lm, Song(each.caption.text, seconds=each.request.seconds)) for each in part]
        seeds = tuple(range(first, first + len(part)))
        for query, codes in zip(part, compose_codes(lm, plans, CodesOptions(seeds)), strict=True):
            roll, request = roll_of(codes), query.request
            found = pulse(roll)
            tempo.append(tempo_kept(roll, request))
            octaves.append(tempo_kept(roll, request, octaves=True))
            meter.append(found is not None and found.meter == request.meter)
            keys.append(same_key(key(roll), request.key))
    yield "codes of a query: tempo within 4 %", tempo
    yield "codes of a query: tempo, or half or twice of it", octaves
    yield "codes of a query: meter", meter
    yield "codes of a query: key", keys


def _understood(lm: LanguageModel, requests: Sequence[Request]) -> Iterator[tuple[str, list[bool]]]:
    """Codes of composed pieces."""
    told: list[tuple[Request, Metadata]] = []
    for seed, request in enumerate(requests):
        codes = AudioCodes(tuple(song_of(request).codes.tolist()))
        told.append((request, understand(lm, codes, TextOptions(seed=seed)).reply.metadata))
    yield "understand: bpm within 4 %", [_close(found.bpm, request.bpm) for request, found in told]
    yield "understand: key", [same_key(found.key, request.key) for request, found in told]
    yield "understand: meter", [found.time_signature == request.meter for request, found in told]
    yield (
        "understand: instruments, exactly",
        [stems_of(found.caption or "") == request.stems for request, found in told],
    )


def _close(found: int | None, asked: int) -> bool:
    return found is not None and 1 / CLOSE < found / asked < CLOSE

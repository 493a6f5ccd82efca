"""How well audio codes fit their song, 0 to 1, as the language model hears it.

It is asked to understand the codes, and its answer is the song itself: nothing is written, only
the chance of each token is read. Facts are scored by how high their tokens rank; caption and
lyrics by how much likelier the codes make them.
Source: acestep/core/scoring/lm_score.py.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import InvalidRequestError
from ..types import AudioCodes, Song
from .codes import write_codes
from .language_model import LONGEST_TEXT, LanguageModel
from .metadata import NAMES, Metadata, think_block
from .prompts import NO_INPUT, understand_prompt

BEST: Final = 10  # ranks that count for a fact
SCALE: Final = 0.1  # of the gain in log probability; smaller judges more sharply
WEIGHTS: Final = MappingProxyType({"caption": 0.5, "lyrics": 0.3, "metadata": 0.2})
SLICE: Final = 32_768  # tokens of the vocabulary that are scored at a time
OnPass = Callable[[int, int], None]  # passes done, passes in all; may raise, which ends the run


@dataclass(frozen=True, slots=True)
class Quality:
    """`parts` by the model's names: bpm, duration, keyscale, ..., caption, lyrics."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """Caption, lyrics and the mean of the facts, weighted; what is missing weighs nothing."""
        facts = [value for name, value in self.parts.items() if name not in WEIGHTS]
        grouped = {name: self.parts[name] for name in ("caption", "lyrics") if name in self.parts}
        if facts:
            grouped["metadata"] = sum(facts) / len(facts)
        weight = sum(WEIGHTS[name] for name in grouped)
        return sum(WEIGHTS[name] * value for name, value in grouped.items()) / weight


@dataclass(frozen=True, slots=True)
class _Chances:
    """Of the tokens of one text: their log probabilities, and their ranks from 1."""

    logs: Tensor  # [N] float32
    ranks: Tensor  # [N]; above BEST: not among the best


_Question = tuple[str, str]  # a prompt, and the text whose chances are read


@torch.inference_mode()
def qualities(
    lm: LanguageModel,
    pieces: Sequence[AudioCodes],
    song: Song,
    scale: float = SCALE,
    on_pass: OnPass | None = None,
) -> list[Quality]:
    """How well each of the pieces fits `song`. What both ask of the model is asked once.

    Raises:
        InvalidRequestError: the song states nothing, or the codes are too long for the model.
    """
    texts = dict(_texts(song))
    if not texts:
        raise InvalidRequestError(
            "The song states nothing that its codes could be compared with. Give it a caption, "
            "lyrics, or facts such as a tempo."
        )
    prompts = [understand_prompt(write_codes(codes)) for codes in pieces]
    blank = understand_prompt(NO_INPUT)
    asked = [(prompt, text) for prompt in prompts for text in texts.values()]
    asked += [(blank, texts[name]) for name in ("caption", "lyrics") if name in texts]
    chances = _chances(lm, list(dict.fromkeys(asked)), on_pass)

    def judged(prompt: str) -> Quality:
        both = prompt, blank
        return Quality({n: _score(chances, n, both, text, scale) for n, text in texts.items()})

    return [judged(prompt) for prompt in prompts]


def _texts(song: Song) -> Iterator[tuple[str, str]]:
    """The answer of the model for each thing that the song states."""
    stated = Metadata.of(song)
    caption = song.caption if song.caption.strip() else None
    for field, name in NAMES.items():
        value = caption if field == "caption" else getattr(stated, field)
        if value is not None:
            yield name, f"{think_block(replace(Metadata(), **{field: value}))}\n"
    if song.lyrics.strip():
        yield "lyrics", f"<think>\n</think>\n# Lyric\n{song.lyrics}\n"


def _score(
    chances: Mapping[_Question, _Chances],
    name: str,
    prompts: tuple[str, str],
    text: str,
    scale: float,
) -> float:
    with_codes = chances[prompts[0], text]
    if name not in WEIGHTS:
        ranks = with_codes.ranks.double()
        return torch.where(ranks <= BEST, 1 - (ranks - 1) / BEST, 0.0).mean().item()
    gain = with_codes.logs.mean().item() - chances[prompts[1], text].logs.mean().item()
    return 1 / (1 + math.exp(-gain / scale))


def _chances(
    lm: LanguageModel, asked: Sequence[_Question], on_pass: OnPass | None
) -> dict[_Question, _Chances]:
    encoded = [_encoded(lm, *question) for question in asked]
    lm.make_room(_needed_bytes(lm, encoded))
    states, targets = [], []
    for done, (ids, start) in enumerate(encoded, start=1):
        row = torch.tensor([ids], device=lm.device)
        states.append(lm.model(lm.model.embed(row, lm.dtype))[0, start - 1 : -1])
        targets.append(row[0, start:])
        if on_pass is not None:
            on_pass(done, len(encoded))
    whole = _read(lm, torch.cat(states), torch.cat(targets))
    lengths = [len(each) for each in targets]
    parts = zip(whole.logs.split(lengths), whole.ranks.split(lengths), strict=True)
    return {q: _Chances(*part) for q, part in zip(asked, parts, strict=True)}


def _encoded(lm: LanguageModel, prompt: str, text: str) -> tuple[list[int], int]:
    """Ids of both, and where the text begins."""
    start = len(lm.vocabulary.encode(prompt))
    ids = lm.vocabulary.encode(prompt + text)
    if len(ids) > LONGEST_TEXT:
        raise InvalidRequestError(
            f"The codes and the song's text are {len(ids)} tokens long together, but the language "
            f"model reads at most {LONGEST_TEXT}. Judge a shorter piece."
        )
    return ids, start


def _needed_bytes(lm: LanguageModel, encoded: Sequence[tuple[list[int], int]]) -> int:
    """What the longest pass and a slice of the vocabulary take beside the weights."""
    config = lm.model.config
    longest = max(len(ids) for ids, _ in encoded)
    read = sum(len(ids) - start for ids, start in encoded)
    size = torch.empty((), dtype=lm.dtype).element_size()
    activations = longest * (3 * config.intermediate_size + 6 * config.hidden_size) * size
    return activations + SLICE * (read * 4 * 2 + config.hidden_size * size)


def _read(lm: LanguageModel, states: Tensor, targets: Tensor) -> _Chances:
    """Log probability and rank of `targets` [N] at `states` [N, E], a slice of the vocabulary at a
    time: whole, the logits of long lyrics would take gigabytes."""
    total = states.new_full((len(states),), -math.inf, dtype=torch.float32)
    own = torch.empty_like(total)
    best = states.new_empty(len(states), 0, dtype=torch.float32)
    names = targets.new_empty(len(states), 0)
    rows = lm.model.config.vocab_size
    for first in range(0, rows, SLICE):
        part = range(first, min(first + SLICE, rows))
        logits = F.linear(states, lm.model.head_rows(part, lm.device, lm.dtype)).float()
        total = torch.logaddexp(total, logits.logsumexp(dim=-1))
        here = (targets >= part.start) & (targets < part.stop)
        own[here] = logits[here, targets[here] - part.start]
        values, places = logits.topk(min(BEST, len(part)), dim=-1)
        best, kept = torch.cat((best, values), dim=1).topk(BEST, dim=-1)
        names = torch.cat((names, places + part.start), dim=1).gather(1, kept)
    hits = names == targets[:, None]  # [N, BEST]
    ranks = torch.where(hits.any(dim=1), hits.int().argmax(dim=1) + 1, BEST + 1)
    return _Chances((own - total).cpu(), ranks.cpu())

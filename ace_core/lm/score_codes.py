"""How well audio codes fit their song, 0 to 1, by the language model's own likelihoods.

The model is prompted to understand the codes, and the song is scored as its reply: nothing is
generated, only log probabilities and ranks of the reply's tokens are computed. Metadata are scored
by the ranks of their tokens; caption and lyrics by pointwise mutual information, which is how much
likelier the codes make them.
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
from ..memory import memory_for
from ..precision import check_finite
from ..types import AudioCodes, Song
from .codes import write_codes
from .language_model import MAX_LENGTH, LanguageModel
from .metadata import NAMES, Metadata, think_block
from .prompts import NO_INPUT, understand_prompt

TOP_K: Final = 10  # ranks up to this one count for metadata
SCALE: Final = 0.1  # of the gain in log probability; smaller spreads the scores further
WEIGHTS: Final = MappingProxyType({"caption": 0.5, "lyrics": 0.3, "metadata": 0.2})
VOCAB_CHUNK: Final = 32_768  # tokens of the vocabulary whose logits exist at a time
OnPass = Callable[[int, int], None]  # passes done, passes in all; may raise, which ends the run


@dataclass(frozen=True, slots=True)
class CodesScore:
    """`parts` by the model's names: bpm, duration, keyscale, ..., caption, lyrics."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """Weighted mean of caption, lyrics and the mean of the metadata, of those there are."""
        metadata = [value for name, value in self.parts.items() if name not in WEIGHTS]
        grouped = {name: self.parts[name] for name in ("caption", "lyrics") if name in self.parts}
        if metadata:
            grouped["metadata"] = sum(metadata) / len(metadata)
        weight = sum(WEIGHTS[name] for name in grouped)
        return sum(WEIGHTS[name] * value for name, value in grouped.items()) / weight


@dataclass(frozen=True, slots=True)
class _TokenScores:
    """Scores of the N tokens of one reply."""

    log_probs: Tensor  # [N] float32
    ranks: Tensor  # [N], from 1; TOP_K + 1 for all below the best


_Pair = tuple[str, str]  # a prompt, and the reply that is scored after it


@memory_for("Scoring the codes", "Score fewer pieces at once, or shorter ones.")
@torch.inference_mode()
def score_codes(
    lm: LanguageModel,
    pieces: Sequence[AudioCodes],
    song: Song,
    scale: float = SCALE,
    on_pass: OnPass | None = None,
) -> list[CodesScore]:
    """How well each of `pieces` fits `song`. A pair that several pieces share is run once.

    Raises:
        InvalidRequestError: the song states nothing, or the codes are too long for the model.
        InvalidCodesError: the codes are of another model.
        NonFiniteError: the model computes NaN or infinity.
    """
    replies = dict(_replies(song))
    if not replies:
        raise InvalidRequestError(
            "The song states nothing that its codes could be compared with. Give it a caption, "
            "lyrics, or facts such as a tempo."
        )
    for codes in pieces:
        lm.vocabulary.check_codes(codes)
    prompts = [understand_prompt(write_codes(codes)) for codes in pieces]
    no_codes = understand_prompt(NO_INPUT)
    pairs = [(prompt, reply) for prompt in prompts for reply in replies.values()]
    pairs += [(no_codes, replies[name]) for name in ("caption", "lyrics") if name in replies]
    scores = _token_scores(lm, list(dict.fromkeys(pairs)), on_pass)

    def part(prompt: str, name: str) -> float:
        with_codes = scores[prompt, replies[name]]
        if name not in WEIGHTS:
            return _rank_score(with_codes)
        return _pmi_score(with_codes, scores[no_codes, replies[name]], scale)

    return [CodesScore({name: part(prompt, name) for name in replies}) for prompt in prompts]


def _replies(song: Song) -> Iterator[tuple[str, str]]:
    """The model's reply for each thing that the song states, by its name."""
    metadata = Metadata.of(song)
    caption = song.caption if song.caption.strip() else None
    for field, name in NAMES.items():
        value = caption if field == "caption" else getattr(metadata, field)
        if value is not None:
            yield name, f"{think_block(replace(Metadata(), **{field: value}))}\n"
    if song.lyrics.strip():
        yield "lyrics", f"<think>\n</think>\n# Lyric\n{song.lyrics}\n"


def _rank_score(scores: _TokenScores) -> float:
    ranks = scores.ranks.double()
    return torch.where(ranks <= TOP_K, 1 - (ranks - 1) / TOP_K, 0.0).mean().item()


def _pmi_score(with_codes: _TokenScores, without: _TokenScores, scale: float) -> float:
    gain = with_codes.log_probs.mean().item() - without.log_probs.mean().item()
    return 1 / (1 + math.exp(-gain / scale))


def _token_scores(
    lm: LanguageModel, pairs: Sequence[_Pair], on_pass: OnPass | None
) -> dict[_Pair, _TokenScores]:
    encoded = [_encode(lm, *pair) for pair in pairs]
    lm.reserve_memory(_scoring_bytes(lm, encoded))
    hidden, targets = [], []
    for done, (ids, start) in enumerate(encoded, start=1):
        row = torch.tensor([ids], device=lm.device)
        states = lm.model(lm.model.embed(row, lm.dtype))[0, start - 1 : -1]
        hidden.append(check_finite(states, "language model"))
        targets.append(row[0, start:])
        if on_pass is not None:
            on_pass(done, len(encoded))
    all_tokens = _score_tokens(lm, torch.cat(hidden), torch.cat(targets))
    lengths = [len(each) for each in targets]
    parts = zip(all_tokens.log_probs.split(lengths), all_tokens.ranks.split(lengths), strict=True)
    return {pair: _TokenScores(*part) for pair, part in zip(pairs, parts, strict=True)}


def _encode(lm: LanguageModel, prompt: str, reply: str) -> tuple[list[int], int]:
    """Token ids of both, and the index where the reply starts."""
    start = len(lm.vocabulary.encode(prompt))
    ids = lm.vocabulary.encode(prompt + reply)
    if len(ids) > MAX_LENGTH:
        raise InvalidRequestError(
            f"The codes and the song's text are {len(ids)} tokens long together, but the language "
            f"model reads at most {MAX_LENGTH}. Judge a shorter piece."
        )
    return ids, start


def _scoring_bytes(lm: LanguageModel, encoded: Sequence[tuple[list[int], int]]) -> int:
    """Memory of the longest pass and of a chunk of the vocabulary, beside the weights."""
    config = lm.model.config
    length = max(len(ids) for ids, _ in encoded)
    targets = sum(len(ids) - start for ids, start in encoded)
    size = torch.empty((), dtype=lm.dtype).element_size()
    activations = length * (3 * config.intermediate_size + 6 * config.hidden_size) * size
    return activations + VOCAB_CHUNK * (targets * 4 * 2 + config.hidden_size * size)


def _score_tokens(lm: LanguageModel, hidden: Tensor, targets: Tensor) -> _TokenScores:
    """Scores of `targets` [N] after `hidden` [N, E], a chunk of the vocabulary at a time: all
    logits of long lyrics would take gigabytes."""
    logsumexp = hidden.new_full((len(hidden),), -math.inf, dtype=torch.float32)
    target_logits = torch.empty_like(logsumexp)
    top_logits = hidden.new_empty(len(hidden), 0, dtype=torch.float32)
    top_ids = targets.new_empty(len(hidden), 0)
    size = lm.model.config.vocab_size
    for start in range(0, size, VOCAB_CHUNK):
        chunk = range(start, min(start + VOCAB_CHUNK, size))
        logits = F.linear(hidden, lm.model.head_rows(chunk, lm.device, lm.dtype)).float()
        logsumexp = torch.logaddexp(logsumexp, logits.logsumexp(dim=-1))
        inside = (targets >= chunk.start) & (targets < chunk.stop)
        target_logits[inside] = logits[inside, targets[inside] - chunk.start]
        values, indices = logits.topk(min(TOP_K, len(chunk)), dim=-1)
        top_logits, order = torch.cat((top_logits, values), dim=1).topk(TOP_K, dim=-1)
        top_ids = torch.cat((top_ids, indices + chunk.start), dim=1).gather(1, order)
    hits = top_ids == targets[:, None]  # [N, TOP_K]
    ranks = torch.where(hits.any(dim=1), hits.int().argmax(dim=1) + 1, TOP_K + 1)
    return _TokenScores((target_logits - logsumexp).cpu(), ranks.cpu())

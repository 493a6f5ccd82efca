"""Text prompt and lyrics to the inputs of the condition encoder. Knows tokens and Qwen3, no tasks.

Each item is tokenised alone. The published tokenizer appends one end token to the one that
the template ends with; we append it ourselves, so that any Qwen tokenizer gives the same ids.
Source: acestep/core/generation/handler/conditioning_text.py.
"""

import logging
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor

from ..constants import END_OF_TEXT, LYRIC_TOKENS, TEXT_TOKENS
from ..memory import memory_for
from ..models.qwen3 import Qwen3
from ..precision import check_finite
from ..prompts import lyric_prompt, text_prompt
from ..tokens import Tokenizer, check_ids, required_id
from ..types import Song

EXCERPT: Final = 60  # characters of what the model does not read, in a warning
LONGEST_WORD: Final = 24  # characters given up at most, to cut a caption between two words
_memory_for_text = memory_for("The text encoder", "Free memory: other models, other programs.")

logger = logging.getLogger(__name__)


def prompt_ids(tokenizer: Tokenizer, text: str, limit: int, name: str) -> list[int]:
    """Token ids of `text`, cut to `limit` with the appended end token always kept."""
    ids = tokenizer.encode(text)
    content = ids[: limit - 1]
    if len(ids) > len(content):
        lost = _excerpt(tokenizer.decode(ids[len(content) :]))
        logger.warning("%s", _too_long(name, len(ids), len(content), lost))
    return [*content, required_id(tokenizer, END_OF_TEXT)]


class FittedSong(NamedTuple):
    """A song whose text prompt the model reads whole, and what was cut from it, for the user."""

    song: Song
    warnings: tuple[str, ...]


def fit_caption(
    tokenizer: Tokenizer, song: Song, instruction: str, seconds: float | None
) -> FittedSong:
    """`song` with its caption cut at a word to what fits the text prompt. The metadata stand behind
    the caption, so that a cut at the prompt's end would drop them first.

    An instruction that leaves no room for any caption changes nothing: the prompt's end is cut.
    """

    def tokens(length: int) -> int:
        part = replace(song, caption=song.caption[:length])
        return len(tokenizer.encode(text_prompt(part, instruction, seconds)))

    whole, room = len(song.caption), TEXT_TOKENS - 1
    excess = tokens(whole) - room
    if excess <= 0:
        return FittedSong(song, ())
    if tokens(0) > room:
        return FittedSong(song, (_too_long("text prompt", excess + room, room, "its end"),))
    kept = bisect_right(range(1, whole + 1), room, key=tokens)
    words = song.caption[: kept + 1].rsplit(maxsplit=1)[0].rstrip()
    if len(words) > kept - LONGEST_WORD and tokens(len(words)) <= room:
        kept = len(words)
    lost = _excerpt(song.caption[kept:])
    return FittedSong(
        replace(song, caption=song.caption[:kept]),
        (_too_long("text prompt", excess + room, room, f"{lost} of the caption"),),
    )


def lyric_warnings(tokenizer: Tokenizer, song: Song) -> tuple[str, ...]:
    """What the model does not read of the lyrics, for the user; empty if it reads all."""
    ids = tokenizer.encode(lyric_prompt(song))
    room = LYRIC_TOKENS - 1
    if len(ids) <= room:
        return ()
    lost = _excerpt(tokenizer.decode(ids[room:]).removesuffix(END_OF_TEXT))
    return (_too_long("lyric prompt", len(ids), room, f"{lost} of the lyrics"),)


def _too_long(name: str, given: int, read: int, lost: str) -> str:
    return f"The {name} has {given} tokens and the model reads {read}: it does not see {lost}."


def _excerpt(text: str) -> str:
    """The beginning of `text`, quoted."""
    return repr(text) if len(text) <= EXCERPT else f"{text[:EXCERPT]!r}…"


@dataclass(frozen=True, slots=True, eq=False)
class TextEncoder:
    """Qwen3-Embedding with its tokenizer.

    `device` is where token ids are put; None means beside the embedding table. `dtype` is what is
    computed in; None means the weights' own. A host whose layers move and cast their weights at
    every call names both. `keep_metadata` False cuts a long prompt at its end, as the official
    code does, in place of its caption.
    """

    tokenizer: Tokenizer
    model: Qwen3
    device: torch.device | None = None
    dtype: torch.dtype | None = None
    keep_metadata: bool = True

    def fit(self, song: Song, instruction: str, seconds: float | None) -> FittedSong:
        """`song` as far as the model reads it, and what it does not read of its caption."""
        if not self.keep_metadata:
            return FittedSong(song, ())
        return fit_caption(self.tokenizer, song, instruction, seconds)

    @_memory_for_text
    @torch.inference_mode()
    def states(self, prompt: str) -> Tensor:
        """Normed last hidden states of the text prompt, [1, L, 1024].

        Raises:
            NonFiniteError: the model computes NaN or infinity.
        """
        states = self.model(self._embedded(prompt, TEXT_TOKENS, "text prompt"))
        return check_finite(states, "text encoder")

    @_memory_for_text
    @torch.inference_mode()
    def embeddings(self, lyrics: str) -> Tensor:
        """Token embeddings of the lyric prompt, [1, L, 1024]; no transformer reads them."""
        return self._embedded(lyrics, LYRIC_TOKENS, "lyric prompt")

    def _embedded(self, text: str, limit: int, name: str) -> Tensor:
        ids = prompt_ids(self.tokenizer, text, limit, name)
        check_ids(self.tokenizer, ids, self.model.config.vocab_size)
        device = self.device or next(self.model.embed_tokens.parameters()).device
        return self.model.embed(torch.tensor([ids], device=device), self.dtype)

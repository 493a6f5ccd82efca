"""Timed tokens to timed lines and words, as they are shown while the song plays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .timing import Span
from .words import Words

_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u9fff"  # kana and Han: a word a character
_WORD: Final = re.compile(rf"[{_UNSPACED}][^\w\s]*|[^\s{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class Word:
    """`text` has no spaces around it."""

    text: str
    start: float  # seconds
    end: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the lyrics; `sung` is false for a section tag."""

    text: str
    start: float  # seconds, to the millisecond
    end: float
    words: tuple[Word, ...]
    sung: bool


def lines_of(words: Words, spans: Sequence[Span]) -> tuple[Line, ...]:
    """A line ends with the token that has its line end; blank lines are left out."""
    return tuple(_line(words, spans, part) for part in _parts(words))


def _parts(words: Words) -> Iterator[range]:
    """The tokens of each line that is not blank."""
    first = 0
    for place, piece in enumerate(words.pieces, start=1):
        if "\n" in piece or place == len(words.pieces):
            if "".join(words.pieces[first:place]).strip():
                yield range(first, place)
            first = place


def _line(words: Words, spans: Sequence[Span], part: range) -> Line:
    text = "".join(words.pieces[place] for place in part)
    token_of = [place for place in part for _ in words.pieces[place]]  # of each character
    found = tuple(
        Word(match[0], spans[token_of[match.start()]].start, spans[token_of[match.end() - 1]].end)
        for match in _WORD.finditer(text)
    )
    return Line(
        text=text.strip(),
        start=round(spans[part[0]].start, 3),
        end=round(spans[part[-1]].end, 3),
        words=found,
        sung=any(words.sung[place] for place in part if words.pieces[place].strip()),
    )

"""The grammar of the metadata block: the fields in their trained order, and what each may hold.

Built once a vocabulary, and put together anew for every request, which costs nothing.
Source: acestep/constrained_logits_processor.py of the official code (fields, order, ranges).
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from ..constants import BPM_RANGE, KEYS, LANGUAGES, SECONDS_RANGE, TIME_SIGNATURES
from .grammar import Allowed, Choice, Codes, Fixed, Free, Line, Place, Prose, ProseTokens
from .metadata import CONTROLS, NAMES, Metadata
from .vocabulary import THINK, THINK_END, Vocabulary

CAPTION_TOKENS: Final = 512
GENRE_TOKENS: Final = 64
VALUES: Final[Mapping[str, Collection[object]]] = {
    "bpm": range(BPM_RANGE[0], BPM_RANGE[1] + 1),
    "seconds": range(int(SECONDS_RANGE[0]), int(SECONDS_RANGE[1]) + 1),
    "key": KEYS,
    "language": LANGUAGES,
    "time_signature": TIME_SIGNATURES,
}
ODD_BREAKS: Final = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # readers disagree on what these are


class Fields:
    """Grammars of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.tries = {field: vocabulary.trie(values) for field, values in VALUES.items()}
        self.printable = frozenset(vocabulary.plain) - vocabulary.where(CONTROLS.search)
        self.prose = prose_tokens(vocabulary)
        self.line = self.prose.begin | {vocabulary.newline}
        self.last = frozenset((vocabulary.end,))
        self.free = self.printable | self.last
        # large sets are made once, so that the masks made of them are found again
        self._caption_ends: dict[Allowed, frozenset[int]] = {}

    def block(
        self, known: Metadata, skip: Collection[str] = (), then: Place | None = None
    ) -> Place:
        """The block up to, and without, its closing tag. Fields that are `known` are written so,
        those in `skip` not at all; tempo, length, key and time signature are always there."""
        place = then
        for field in reversed(NAMES):
            if field not in skip:
                place = self._field(field, getattr(known, field), place)
        return self._fixed("think", f"{THINK}\n", place)

    def reply(self, known: Metadata, skip: Collection[str] = ()) -> Place:
        """A block, its closing tag, and free text to the end of the turn."""
        free = Free("text", self.free, self.last)
        return self.block(known, skip, self._fixed("think", THINK_END, free))

    def unconstrained(self, last: int) -> Place:
        """Any text up to the token `last` or the end of the turn."""
        vocabulary = self.vocabulary
        return Free("text", vocabulary.text, frozenset((last, vocabulary.end)))

    def codes(self, count: int | None) -> Place:
        """Exactly `count` audio codes, or as many as the model likes."""
        vocabulary = self.vocabulary
        if count is not None:
            return Codes(vocabulary.codes, count)
        return Free("codes", frozenset(vocabulary.codes) | self.last, self.last)

    def _field(self, field: str, known: object, then: Place | None) -> Place:
        name = f"{NAMES[field]}:"
        if field in VALUES and known is not None:
            value: Place | None = self._fixed(field, f" {known}\n", then)
        elif field in VALUES:
            value = Choice(field, self.tries[field], then, greedy=field == "language")
        elif field == "caption":
            value = self._caption(then)
        else:
            value = Line(field, self.prose, self.line, then, GENRE_TOKENS)
        return self._fixed(field, name, value)

    def _caption(self, then: Place | None) -> Place:
        if not isinstance(then, Fixed):
            raise ValueError("a caption ends where fixed text follows it")
        following = then.allowed
        if following not in self._caption_ends:
            self._caption_ends[following] = self.prose.indented | frozenset(following)
        ends = self._caption_ends[following]
        return Prose("caption", self.prose, then, CAPTION_TOKENS, ends)

    def _fixed(self, name: str, text: str, then: Place | None) -> Fixed:
        return Fixed(name, tuple(self.vocabulary.encode(text)), then)


def prose_tokens(vocabulary: Vocabulary) -> ProseTokens:
    """The vocabulary sorted by what a caption may hold; the lone backtick is in none."""

    def where(holds: Callable[[str], Any]) -> frozenset[int]:
        return vocabulary.where(holds)

    odd = where(lambda text: text == "`" or any(letter in ODD_BREAKS for letter in text))
    odd |= where(CONTROLS.search)
    inside = where(lambda text: not re.search(r"\n[^ \t\n]", text)) - odd
    begin = inside & where(lambda text: "\n" not in text)
    return ProseTokens(
        begin=begin,
        visible=begin & where(lambda text: text.strip()),
        inside=inside,
        indented=inside & where(lambda text: text[:1] in (" ", "\t")),
        breaks=inside & where(lambda text: text.endswith("\n")),
        newline=vocabulary.newline,
    )

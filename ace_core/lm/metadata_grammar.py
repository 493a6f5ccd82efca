"""The grammar of the metadata block: the fields in their trained order, and the values of each.

Built once per vocabulary; the states of a request are composed of it at no cost.
Source: acestep/constrained_logits_processor.py of the official code (fields, order, ranges).
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from ..constants import BPM_RANGE, KEYS, LANGUAGES, SECONDS_RANGE, TIME_SIGNATURES
from .grammar import (
    Allowed,
    Choice,
    Codes,
    FreeText,
    LineText,
    Literal,
    MultilineText,
    State,
    TextTokens,
)
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
# parsers disagree on whether these end a line
AMBIGUOUS_NEWLINES: Final = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
OUTSIDE: Final = re.compile(  # of a caption: those, controls, a new line that is not indented
    rf"{CONTROLS.pattern}|[{AMBIGUOUS_NEWLINES}]|\n[^ \t\n]|\A`\Z"
)


class MetadataGrammar:
    """Grammars over one vocabulary; each method returns a first state."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.tries = {field: vocabulary.trie(values) for field, values in VALUES.items()}
        self.printable = frozenset(vocabulary.plain) - vocabulary.where(CONTROLS.search)
        self.text = text_tokens(vocabulary)
        self.line = self.text.first | {vocabulary.newline}
        self.stop = frozenset((vocabulary.end,))
        self.printable_or_stop = self.printable | self.stop
        # one object per large set, so that a MaskCache finds the mask made of it
        self._line_starts: dict[Allowed, frozenset[int]] = {}

    def block(
        self, given: Metadata, skip: Collection[str] = (), next_state: State | None = None
    ) -> State:
        """The block up to, and without, its closing tag. The values of `given` are literals,
        fields in `skip` are left out."""
        state = next_state
        for field in reversed(NAMES):
            if field not in skip:
                state = self._field(field, getattr(given, field), state)
        return self._literal("think", f"{THINK}\n", state)

    def reply(self, given: Metadata, skip: Collection[str] = ()) -> State:
        """A block, its closing tag, and free text to the end of the turn."""
        free = FreeText("text", self.printable_or_stop, self.stop)
        return self.block(given, skip, self._literal("think", THINK_END, free))

    def unconstrained(self, stop_token: int) -> State:
        """Any text up to `stop_token` or the end of the turn."""
        vocabulary = self.vocabulary
        return FreeText("text", vocabulary.text, frozenset((stop_token, vocabulary.end)))

    def codes(self, count: int | None) -> State:
        """Exactly `count` audio codes, or codes up to the end of the turn."""
        vocabulary = self.vocabulary
        if count is not None:
            return Codes(vocabulary.codes, count)
        return FreeText("codes", frozenset(vocabulary.codes) | self.stop, self.stop)

    def _field(self, field: str, given: object, next_state: State | None) -> State:
        name = f"{NAMES[field]}:"
        if field in VALUES and given is not None:
            value: State | None = self._literal(field, f" {given}\n", next_state)
        elif field in VALUES:
            value = Choice(field, self.tries[field], next_state, greedy=field == "language")
        elif field == "caption":
            value = self._caption(next_state)
        else:
            value = LineText(field, self.text, self.line, next_state, GENRE_TOKENS)
        return self._literal(field, name, value)

    def _caption(self, next_state: State | None) -> State:
        if not isinstance(next_state, Literal):
            raise ValueError("a caption ends where a literal follows it")
        first = next_state.allowed
        if first not in self._line_starts:
            self._line_starts[first] = self.text.indented | frozenset(first)
        line_starts = self._line_starts[first]
        return MultilineText("caption", self.text, next_state, CAPTION_TOKENS, line_starts)

    def _literal(self, name: str, text: str, next_state: State | None) -> Literal:
        return Literal(name, tuple(self.vocabulary.encode(text)), next_state)


def text_tokens(vocabulary: Vocabulary) -> TextTokens:
    """The vocabulary's tokens by where a caption may hold them; a lone backtick is in no set."""
    where = vocabulary.where
    inside = frozenset(vocabulary.plain) - where(OUTSIDE.search)
    first = inside - where(lambda text: "\n" in text)
    return TextTokens(
        first=first,
        visible=first & where(lambda text: text.strip()),
        inside=inside,
        indented=inside & where(lambda text: text[:1] in (" ", "\t")),
        line_ends=inside & where(lambda text: text.endswith("\n")),
        newline=vocabulary.newline,
    )

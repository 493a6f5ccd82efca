"""What a language model may write next. No tensors here, and nothing to reset.

A grammar is the place where writing begins. A place says which tokens are legal, and which place
follows each of them; `None` follows the last. Places never change, so a batch may share them and
a text can be walked again from its start: `walk` is a pure function of what was written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

Allowed = range | frozenset[int]


class Place(Protocol):
    """Where writing stands."""

    @property
    def name(self) -> str:
        """Of the field or phase that is being written."""
        ...

    @property
    def allowed(self) -> Allowed: ...

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken instead of a drawn one; only where few are legal."""
        ...

    def after(self, token: int) -> "Place | None":
        """Where writing stands after `token`, which must be legal."""
        ...


def walk(place: Place | None, written: Iterable[int]) -> Place | None:
    """Where writing stands after all of `written`.

    Raises:
        ValueError: a token was illegal, or came after the end.
    """
    for token in written:
        if place is None or token not in place.allowed:
            where = "the end" if place is None else place.name
            raise ValueError(f"token {token} is illegal in {where}")
        place = place.after(token)
    return place


@dataclass(frozen=True, slots=True)
class Fixed:
    """These tokens, one after the other."""

    name: str
    ids: tuple[int, ...]
    then: Place | None = None
    at: int = 0
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        return frozenset(self.ids[self.at : self.at + 1])

    def after(self, token: int) -> Place | None:
        at = self.at + 1
        return replace(self, at=at) if at < len(self.ids) else self.then


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a trie."""

    name: str
    trie: Mapping[int, Any]
    then: Place | None = None
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        return frozenset(self.trie)

    def after(self, token: int) -> Place | None:
        rest = self.trie[token]
        return replace(self, trie=rest) if rest else self.then


@dataclass(frozen=True, slots=True)
class ProseTokens:
    """The sets that prose is made of; built once a vocabulary."""

    begin: frozenset[int]  # may be the very first token: no newline
    visible: frozenset[int]  # shows something: what a text that is blank so far needs
    inside: frozenset[int]
    indented: frozenset[int]  # begins with a space or a tab: continues after a newline
    breaks: frozenset[int]  # ends with a newline
    newline: int


@dataclass(frozen=True, slots=True)
class Prose:
    """Text over several lines, until a line begins that is not indented.

    After a newline the model either indents, and goes on, or writes the first token of what
    follows, which is the end of the text. Both are decided by the token it writes, not by the
    one that was likeliest. After `longest` tokens the text is ended.
    """

    name: str
    tokens: ProseTokens
    then: Fixed
    longest: int
    ends: frozenset[int]  # `tokens.indented` and the first token of `then`
    count: int = 0
    blank: bool = True
    broken: bool = False  # the last token ended a line
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        tokens = self.tokens
        if self.count >= self.longest:
            return self.then.allowed if self.broken else frozenset((tokens.newline,))
        if self.blank:
            return tokens.visible if self.count else tokens.begin
        return self.ends if self.broken else tokens.inside

    def after(self, token: int) -> Place | None:
        if self.broken and token in self.then.allowed:
            return self.then.after(token)
        return replace(
            self,
            count=self.count + 1,
            blank=self.blank and token not in self.tokens.visible,
            broken=token in self.tokens.breaks,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """Text on one line, ended by a newline."""

    name: str
    tokens: ProseTokens
    inside: frozenset[int]  # no newline but the one that ends the line
    then: Place | None
    longest: int
    count: int = 0
    blank: bool = True
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        if self.count >= self.longest:
            return frozenset((self.tokens.newline,))
        if self.blank:
            return self.tokens.visible if self.count else self.tokens.begin
        return self.inside

    def after(self, token: int) -> Place | None:
        if token == self.tokens.newline:
            return self.then
        blank = self.blank and token not in self.tokens.visible
        return replace(self, count=self.count + 1, blank=blank)


@dataclass(frozen=True, slots=True)
class Free:
    """Anything in `allowed` until one of `ends`, which is part of it."""

    name: str
    allowed: Allowed
    ends: frozenset[int]
    then: Place | None = None
    greedy: bool = False

    def after(self, token: int) -> Place | None:
        return self.then if token in self.ends else self


@dataclass(frozen=True, slots=True)
class Codes:
    """Exactly `count` of the tokens `ids`, and what follows."""

    ids: range
    count: int
    then: Place | None = None
    done: int = 0
    name: str = "codes"
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        return self.ids

    def after(self, token: int) -> Place | None:
        done = self.done + 1
        return replace(self, done=done) if done < self.count else self.then

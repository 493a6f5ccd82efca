"""Constrained decoding: a grammar as a state machine over token ids. No tensors here.

A state says which tokens are allowed, and which state follows each of them; `None` follows the
last. `decoding.Batch.sample` draws each token from its state's `allowed`. States are immutable, so
a batch may share them and nothing has to be reset: `walk` is a pure function of the tokens.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

Allowed = range | frozenset[int]


class State(Protocol):
    """One state of a grammar; a grammar is its first state."""

    @property
    def name(self) -> str:
        """The metadata field or phase that is being generated."""
        ...

    @property
    def allowed(self) -> Allowed: ...

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken instead of a drawn one; for small sets only."""
        ...

    def advance(self, token: int) -> "State | None":
        """The state after `token`, which must be allowed."""
        ...


def walk(state: State | None, tokens: Iterable[int]) -> State | None:
    """The state after all `tokens`.

    Raises:
        ValueError: a token was not allowed, or came after the end.
    """
    for token in tokens:
        if state is None or token not in state.allowed:
            name = "the end" if state is None else state.name
            raise ValueError(f"token {token} is illegal in {name}")
        state = state.advance(token)
    return state


@dataclass(frozen=True, slots=True)
class Literal:
    """Exactly the tokens `ids`."""

    name: str
    ids: tuple[int, ...]
    next_state: State | None = None
    index: int = 0
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        return frozenset(self.ids[self.index : self.index + 1])

    def advance(self, token: int) -> State | None:
        index = self.index + 1
        return replace(self, index=index) if index < len(self.ids) else self.next_state


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a trie."""

    name: str
    trie: Mapping[int, Any]
    next_state: State | None = None
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        return frozenset(self.trie)

    def advance(self, token: int) -> State | None:
        rest = self.trie[token]
        return replace(self, trie=rest) if rest else self.next_state


@dataclass(frozen=True, slots=True)
class TextTokens:
    """The token sets of free text; made once per vocabulary."""

    first: frozenset[int]  # without a newline: may begin a text
    visible: frozenset[int]  # of those, the ones that are not whitespace
    inside: frozenset[int]
    indented: frozenset[int]  # begins with a space or a tab: continues after a newline
    line_ends: frozenset[int]  # ends with a newline
    newline: int


@dataclass(frozen=True, slots=True)
class MultilineText:
    """Text over several lines, until a line begins that is not indented.

    After a newline the model either indents, and goes on, or generates the first token of
    `next_state`, which ends the text. The generated token decides, not the one that was likeliest.
    After `max_tokens` only an end is allowed.
    """

    name: str
    tokens: TextTokens
    next_state: Literal
    max_tokens: int
    line_starts: frozenset[int]  # `tokens.indented` and the first token of `next_state`
    count: int = 0
    blank: bool = True
    after_newline: bool = False
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        tokens = self.tokens
        if self.count >= self.max_tokens:
            return self.next_state.allowed if self.after_newline else frozenset((tokens.newline,))
        if self.blank:
            return tokens.visible if self.count else tokens.first
        return self.line_starts if self.after_newline else tokens.inside

    def advance(self, token: int) -> State | None:
        if self.after_newline and token in self.next_state.allowed:
            return self.next_state.advance(token)
        return replace(
            self,
            count=self.count + 1,
            blank=self.blank and token not in self.tokens.visible,
            after_newline=token in self.tokens.line_ends,
        )


@dataclass(frozen=True, slots=True)
class LineText:
    """Text on one line, ended by a newline."""

    name: str
    tokens: TextTokens
    inside: frozenset[int]  # no newline but the one that ends the line
    next_state: State | None
    max_tokens: int
    count: int = 0
    blank: bool = True
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        if self.count >= self.max_tokens:
            return frozenset((self.tokens.newline,))
        if self.blank:
            return self.tokens.visible if self.count else self.tokens.first
        return self.inside

    def advance(self, token: int) -> State | None:
        if token == self.tokens.newline:
            return self.next_state
        blank = self.blank and token not in self.tokens.visible
        return replace(self, count=self.count + 1, blank=blank)


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any `allowed` tokens up to and with one of `stop_tokens`."""

    name: str
    allowed: Allowed
    stop_tokens: frozenset[int]
    next_state: State | None = None
    greedy: bool = False

    def advance(self, token: int) -> State | None:
        return self.next_state if token in self.stop_tokens else self


@dataclass(frozen=True, slots=True)
class Codes:
    """Exactly `count` of the tokens `ids`."""

    ids: range
    count: int
    next_state: State | None = None
    index: int = 0
    name: str = "codes"
    greedy: bool = False

    @property
    def allowed(self) -> Allowed:
        return self.ids

    def advance(self, token: int) -> State | None:
        index = self.index + 1
        return replace(self, index=index) if index < self.count else self.next_state

"""Texts of the miniature language model, cut short: random weights write captions as long as they
may be and lyrics of hundreds of tokens, which is most of what tests of planning take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final

import pytest

LIMITS: Final = {"CAPTION_TOKENS": 24, "GENRE_TOKENS": 8}
TEXT_TOKENS: Final = 24


@dataclass(frozen=True, slots=True)
class ShortText:
    """The grammar's state `free`, FreeText, with few tokens before it stops."""

    free: Any
    count: int = 0

    @property
    def name(self) -> str:
        return self.free.name

    @property
    def greedy(self) -> bool:
        return self.free.greedy

    @property
    def allowed(self) -> Any:
        return self.free.allowed if self.count < TEXT_TOKENS else self.free.stop_tokens

    def advance(self, token: int) -> Any:
        state = self.free.advance(token)
        return replace(self, count=self.count + 1) if state is self.free else state


@contextmanager
def short_texts(core: str = "ace_core") -> Iterator[None]:
    """In the block captions, genres and lyrics end soon; codes do not.

    `core`: the name under which `ace_core` is imported, in a host below that of the pack.
    """
    grammar = import_module(f"{core}.lm.metadata_grammar")
    real = grammar.FreeText

    def free_text(name: str, *more: Any) -> Any:
        return ShortText(real(name, *more)) if name == "text" else real(name, *more)

    with pytest.MonkeyPatch.context() as patch:
        for name, limit in LIMITS.items():
            patch.setattr(grammar, name, limit)
        patch.setattr(grammar, "FreeText", free_text)
        yield

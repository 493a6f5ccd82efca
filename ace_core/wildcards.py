"""Wildcards in a text: `{a|b|c}` becomes one of its choices, chosen by a seed.

Choices may be empty and may hold further wildcards. Braces without a bar between them, braces
without a partner, section tags such as `[Verse]` and what follows a backslash (`\\{`, `\\|`, `\\}`)
stay text.
"""

import random
import re
from dataclasses import dataclass, field
from typing import Final

from .errors import InvalidRequestError

DEEPEST: Final = 32  # wildcards within each other
_SIGN: Final = re.compile(r"[{|}]")
_SIGNS: Final = re.compile(r"(\\[{|}]|[{|}])")  # with the backslash that keeps one
_ESCAPED: Final = (r"\{", r"\|", r"\}")


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text without wildcards, and the choices that were made, in the order of the text."""

    text: str
    choices: tuple[str, ...]

    def note(self, name: str, seed: int) -> str:
        """What was chosen in the field `name`, as a sentence for the user."""
        chosen = ", ".join(repr(choice) for choice in self.choices)
        return f"Wildcards of `{name}`, seed {seed}: {chosen}."


def expand(text: str, seed: int, name: str = "") -> Expanded:
    """`text` with a choice in the place of each wildcard; equal arguments give equal texts.

    `name` is that of the field: the choices of a caption and of its lyrics differ under one seed.

    Raises:
        InvalidRequestError: wildcards nested too deep.
    """
    rng = random.Random(f"{seed} {name}")  # noqa: S311  to be repeated, not to be secret
    choices: list[str] = []
    return Expanded(_written(_parse(text), rng, choices), tuple(choices))


def literal(text: str) -> str:
    """`text` in a spelling that expands to `text`, whatever the seed."""
    return _SIGN.sub(r"\\\g<0>", text)


@dataclass(slots=True)
class _Wildcard:
    """Alternatives, each a list of texts and further wildcards."""

    options: list[list["str | _Wildcard"]] = field(default_factory=lambda: [[]])

    def as_text(self) -> list["str | _Wildcard"]:
        """What was read so far, where it turns out to be no wildcard."""
        parts: list[str | _Wildcard] = ["{"]
        for number, option in enumerate(self.options):
            parts += ["|", *option] if number else option
        return parts


def _parse(text: str) -> list[str | _Wildcard]:
    open_ones = [_Wildcard()]  # the first is the text itself
    for sign in _SIGNS.split(text):
        innermost = open_ones[-1]
        inside = len(open_ones) > 1
        if sign == "{":
            open_ones.append(_Wildcard())
        elif sign == "|" and inside:
            innermost.options.append([])
        elif sign == "}" and inside:
            if len(open_ones) > DEEPEST:
                raise InvalidRequestError(
                    f"Wildcards stand within each other {len(open_ones)} deep, but at most "
                    f"{DEEPEST} may. Close a brace, or write \\{{ for one that is text."
                )
            open_ones.pop()
            is_one = len(innermost.options) > 1
            open_ones[-1].options[-1] += [innermost] if is_one else [*innermost.as_text(), "}"]
        else:
            innermost.options[-1].append(sign[1:] if sign in _ESCAPED else sign)
    while len(open_ones) > 1:
        unclosed = open_ones.pop()
        open_ones[-1].options[-1] += unclosed.as_text()
    return open_ones[0].options[0]


def _written(parts: list[str | _Wildcard], rng: random.Random, choices: list[str]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        chosen = part.options[int(rng.random() * len(part.options))]
        place = len(choices)
        text += (written := _written(chosen, rng, choices))
        choices.insert(place, written)
    return text

"""Captions and lyrics as people paste them, without what only a page or an editor needed.

Removed or replaced are line ends of other systems, byte-order marks and zero-width characters,
no-break spaces and HTML entities: nobody sees them, but the models read them as signs of their own,
and a tag such as [Verse] is none behind one of them. Joiners stay in the scripts and emoji that
need them, direction marks in texts that run from right to left; quotes and all letters stay.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

_BOM: Final = "\ufeff"
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE_END: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ZERO_WIDTH: Final = re.compile("[\u00ad\u180e\u200b\u2060]")
_JOINER: Final = re.compile("[\u200c\u200d]")
_DIRECTION: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NO_BREAK: Final = re.compile("[\u00a0\u2007\u202f]")
_WITHOUT_JOINERS: Final = ("LATIN", "GREEK", "CYRILLIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_PLURALS: Final = {
    "HTML entity": "HTML entities",
    "line end of another system": "line ends of another system",
}


class Cleaned(NamedTuple):
    """A text, and how many of what were removed or replaced in it."""

    text: str
    counts: Mapping[str, int]

    def notes(self, name: str) -> tuple[str, ...]:
        """What was changed in the field `name`, as a sentence for the user; none for nothing."""
        if not self.counts:
            return ()
        parts = [
            f"{count} {kind if count == 1 else _PLURALS.get(kind, f'{kind}s')}"
            for kind, count in self.counts.items()
        ]
        return (f"`{name}` was cleaned: {', '.join(parts)}.",)


def clean(text: str) -> Cleaned:
    """`text` as the models are to read it. What is cleaned stays the same when cleaned again."""
    counts: dict[str, int] = {}

    def replaced(kind: str, pattern: re.Pattern[str], by: str | Callable[[Any], str]) -> None:
        nonlocal text
        before, count = text, 0

        def each(match: re.Match[str]) -> str:
            nonlocal count
            new = by if isinstance(by, str) else by(match)
            count += new != match[0]
            return new

        text = pattern.sub(each, before)
        if count:
            counts[kind] = counts.get(kind, 0) + count

    while (known := _without_entities(text)) != text:  # `&amp;nbsp;` was escaped twice
        replaced("HTML entity", _ENTITY, _character)
        text = known
    replaced("line end of another system", _LINE_END, "\n")
    replaced("byte-order mark", re.compile(_BOM), "")
    replaced("zero-width character", _ZERO_WIDTH, "")
    replaced("no-break space", _NO_BREAK, " ")
    if not _runs_from_right(text):
        replaced("direction mark", _DIRECTION, "")
    replaced("zero-width character", _JOINER, _kept_joiner)
    return Cleaned(text, counts)


def _without_entities(text: str) -> str:
    return _ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    """The text of one entity; a name that HTML does not know stays."""
    return html.unescape(entity[0])


def _runs_from_right(text: str) -> bool:
    """Whether any letter belongs to a script that is written from right to left."""
    return any(unicodedata.bidirectional(each) in ("R", "AL") and each.isalpha() for each in text)


def _kept_joiner(joiner: re.Match[str]) -> str:
    """The joiner behind a letter or a mark of a script that needs it, or between the parts of an
    emoji; nothing elsewhere."""
    before = joiner.string[: joiner.start()][-1:]
    after = joiner.string[joiner.end() :][:1]
    if not before or not after:
        return ""
    if unicodedata.category(before)[0] in "LM":
        name = unicodedata.name(before, "")
        if name.startswith("VARIATION SELECTOR"):
            return joiner[0]
        return "" if name.startswith((*_WITHOUT_JOINERS, "COMBINING")) else joiner[0]
    return joiner[0] if unicodedata.category(before) in ("So", "Sk") else ""

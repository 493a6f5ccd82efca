"""Section tags in other habits than the models': `Verse 1:`, `(Chorus)`, `**Bridge**`.

The models were trained on tags in brackets on a line of their own, as in `[Verse 1]`; written
otherwise they are sung. Nothing is changed here: the tag is offered.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

SECTIONS: Final = (
    *("intro", "verse", "pre-chorus", "chorus", "post-chorus", "refrain", "hook", "bridge"),
    *("interlude", "instrumental", "solo", "breakdown", "build", "drop", "outro", "ending"),
    *("guitar solo", "piano solo", "drum solo", "instrumental break", "final chorus"),
)
MOST_SHOWN: Final = 4  # tags of a song that a note names
_WORDS: Final = "|".join(
    re.escape(name).replace("\\-", "[ -]?").replace("\\ ", " ") for name in SECTIONS
)
_SECTION: Final = re.compile(rf"(?i)({_WORDS})\s*#?(\d{{1,2}})?\s*(?:[-–—:|,]\s*(.{{1,60}}))?")
_MARKED: Final = (  # what people put around a tag on a line of its own
    re.compile(r"[\[［【](?P<tag>[^\[\]］】]+)[\]］】]\s*:?"),
    re.compile(r"[(（](?P<tag>[^()（）]+)[)）]\s*:?"),
    re.compile(r"[*_]{1,3}[\[(]?(?P<tag>[^*_\[\]()]+?)[\])]?:?[*_]{1,3}\s*:?"),
    re.compile(r"#{1,6}\s*(?P<tag>[^#]+?)\s*#*"),
    re.compile(r"[{<](?P<tag>[^{}<>/]+)[}>]\s*:?"),
    re.compile(r"[-=~]{2,}\s*(?P<tag>.+?)\s*[-=~]{2,}"),
)
_PLAIN: Final = re.compile(rf"(?i)(?P<tag>(?:{_WORDS})\s*#?(?:\d{{1,2}})?)\s*:?")


class TagOffer(NamedTuple):
    """A line that looks like a section, and the tag that the models know."""

    line: int  # from 1
    written: str
    tag: str


def offered_tags(lyrics: str) -> list[TagOffer]:
    """The lines of `lyrics` that name a section in another form than the models were trained on."""
    return list(_offers(lyrics))


def tag_notes(lyrics: str, name: str = "lyrics") -> tuple[str, ...]:
    """The offers for the field `name`, as one sentence for the user; none for nothing."""
    offers = offered_tags(lyrics)
    if not offers:
        return ()
    listed = ", ".join(f"line {each.line} as {each.tag}" for each in offers[:MOST_SHOWN])
    more = "" if len(offers) <= MOST_SHOWN else f" and {len(offers) - MOST_SHOWN} more"
    return (
        f"`{name}` names sections in a form that would be sung; nothing was changed. Write "
        f"{listed}{more}.",
    )


def _offers(lyrics: str) -> Iterator[TagOffer]:
    for number, line in enumerate(lyrics.splitlines(), start=1):
        written = line.strip()
        tag = _tag_of(written) if 0 < len(written) <= 100 else None
        if tag is not None and tag != written:
            yield TagOffer(number, written, tag)


def _tag_of(written: str) -> str | None:
    """The tag that a line stands for; None for a line that is sung."""
    found = next((m for m in (each.fullmatch(written) for each in (*_MARKED, _PLAIN)) if m), None)
    section = found and _SECTION.fullmatch(found["tag"].strip().rstrip(":"))
    if not section:
        return None
    name = "-".join(part.capitalize() for part in _spelled(section[1]).split("-"))
    name = " ".join(word[:1].upper() + word[1:] for word in name.split(" "))
    number = f" {section[2]}" if section[2] else ""
    style = f" - {section[3].strip()}" if section[3] else ""
    return f"[{name}{number}{style}]"


def _spelled(name: str) -> str:
    """The spelling of `SECTIONS`: "pre chorus" and "prechorus" are "pre-chorus"."""
    bare = re.sub(r"[ -]", "", name.lower())
    return next(each for each in SECTIONS if re.sub(r"[ -]", "", each) == bare)

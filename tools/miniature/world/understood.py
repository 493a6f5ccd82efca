"""What the world understands of a caption that somebody typed, and what it plays instead of what it
cannot."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from ace_core.constants import BPM_RANGE, CAPTION_CHARACTERS
from ace_core.types import parse_key

from .captions import INSTRUMENTS, MOODS, NOUNS
from .channels import STEMS
from .request import METERS, MODES, Request, at_tempo, beats

TEMPO: Final = re.compile(r"\b(?:tempo )?(\d{1,3}(?:\.\d+)?) ?bpm\b|\btempo (\d{2,3})\b", re.I)
KEY: Final = re.compile(
    r"\b(?:key of |in )?([A-G](?:#|b|♯|♭|[ -]sharp|[ -]flat)?[ -](?:major|minor))\b", re.I
)
METER: Final = re.compile(r"(?<![\d/])([346])/(4|8)(?![\d/])|\b(waltz)\b", re.I)
LATIN: Final = re.compile(r"[A-Za-z]")
ARTICLES: Final = re.compile(r"^(?:an?|the) ")
PLAIN: Final = frozenset("a an and at by for from in is it of on or the to with time key".split())

T = TypeVar("T", str, int, float, bool)


class NotUnderstoodError(ValueError):
    """A caption that says nothing to the world."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a caption says; what it leaves open is None or empty."""

    caption: str
    bpm: float | None = None  # as it was asked
    key: str | None = None
    meter: int | None = None
    lively: bool | None = None
    stems: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # of the caption, as they stand in it
    others: tuple[str, ...] = ()  # that say nothing to the world

    @property
    def world_bpm(self) -> int | None:
        """The tempo that the world plays for `bpm`."""
        if self.bpm is None:
            return None
        meter = self.meter or 4
        plain = Request(0, 10.0, beats(meter)[0], meter, 0, MODES[0], tuple(STEMS))
        return at_tempo(plain, self.bpm).bpm

    def in_world(self) -> "Understood":
        """With the tempo that the world plays in the place of the one that was asked."""
        if self.bpm is None or self.bpm == self.world_bpm:
            return self
        caption = TEMPO.sub(f"{self.world_bpm} bpm", self.caption)
        return replace(self, caption=caption, bpm=float(self.world_bpm or 0))

    def lines(self) -> Iterator[str]:
        """What to tell the person who asked."""
        yield f"Understood: {', '.join(self.words)}."
        if self.bpm is not None and self.bpm != self.world_bpm:
            yield (
                f"{self.bpm:g} BPM is no tempo of the miniature's world: it plays "
                f"{self.world_bpm} BPM, the nearest{_octave(self.bpm, self.world_bpm or 0)}."
            )
        if self.others:
            yield f"Not understood: {', '.join(self.others)}. {vocabulary()}"


def understand(caption: str) -> Understood:
    """
    Raises:
        NotUnderstoodError: it is empty or too long, in another script, or holds nothing that the
            world knows; or it names two tempi or keys, or a tempo that no music has.
    """
    text = " ".join(caption.split())
    _check(text)
    found: list[tuple[int, int]] = []  # places of what was understood
    bpm = _only([float(each[1] or each[2]) for each in _found(TEMPO, text, found)], "tempi", text)
    keys = [_key(each[1]) for each in _found(KEY, text, found)]
    meters = [3 if each[3] else int(each[1]) for each in _found(METER, text, found)]
    stems = {name for name, words in _stem_words() if _named(words, text, found)}
    moods = [mood for mood, words in MOODS.items() if _named(words, text, found)]
    if bpm is not None and not BPM_RANGE[0] <= bpm <= BPM_RANGE[1]:
        raise NotUnderstoodError(
            f"{bpm:g} BPM is no tempo of music: choose {BPM_RANGE[0]} to {BPM_RANGE[1]}."
        )
    if not found:
        raise NotUnderstoodError(f"The miniature understands nothing of {text!r}. {vocabulary()}")
    return Understood(
        caption=text,
        bpm=bpm,
        key=_only(keys, "keys", text),
        meter=_only([each for each in meters if each in METERS], "meters", text),
        lively=_only(moods, "moods", text),
        stems=tuple(name for name in STEMS if name in stems),
        words=tuple(text[start:stop] for start, stop in sorted(found)),
        others=tuple(_rest(text, found)),
    )


def vocabulary() -> str:
    """What the world knows, in a sentence."""
    played = [words[0] for words in INSTRUMENTS.values()]
    moods = [words[0] for words in MOODS.values()]
    return (
        f"Its world, in English, has {', '.join(played)}; {' or '.join(moods)}; tempi from 60 to "
        "150 BPM; all major and minor keys; 3/4, 4/4 and 6/8."
    )


def _check(text: str) -> None:
    if not text:
        raise NotUnderstoodError(f"The caption is empty. {vocabulary()}")
    if len(text) > CAPTION_CHARACTERS:
        raise NotUnderstoodError(
            f"The caption has {len(text)} characters, and at most {CAPTION_CHARACTERS} are read."
        )
    if not LATIN.search(text):
        raise NotUnderstoodError(f"The miniature reads English only, not {text!r}. {vocabulary()}")


def _found(
    pattern: re.Pattern[str], text: str, places: list[tuple[int, int]]
) -> list[re.Match[str]]:
    matches = list(pattern.finditer(text))
    places += [each.span() for each in matches]
    return matches


def _named(words: tuple[str, ...], text: str, places: list[tuple[int, int]]) -> bool:
    """Whether one of `words`, without its article, stands in the text; longer ones come first."""
    plain = sorted({ARTICLES.sub("", each) for each in words}, key=len, reverse=True)
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, plain))})\b", re.I)
    return bool(_found(pattern, text, places))


def _stem_words() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, words in INSTRUMENTS.items():
        yield (name if name in STEMS else "keyboard"), words


def _rest(text: str, places: list[tuple[int, int]]) -> list[str]:
    """The words that were not understood; small words and names of pieces are none."""
    kept = list(text)
    for start, stop in places:
        kept[start:stop] = " " * (stop - start)
    words = re.findall(r"[^\s,.;:!?()\"]+", "".join(kept))
    return [word for word in words if word.lower() not in PLAIN and word.lower() not in NOUNS]


def _key(text: str) -> str:
    note, mode = re.split(r"[ -](?=major|minor)", text, flags=re.I)
    note = re.sub(r"[ -]sharp", "#", re.sub(r"[ -]flat", "b", note, flags=re.I), flags=re.I)
    return parse_key(f"{note[0].upper()}{note[1:]} {mode.lower()}")


def _only(values: Sequence[T], what: str, text: str) -> T | None:
    """The one value; None where there is none."""
    distinct = set(values)
    if len(distinct) > 1:
        said = " and ".join(sorted(f"{each}" for each in distinct))
        raise NotUnderstoodError(f"{text!r} names several {what} ({said}). Name one.")
    return values[0] if values else None


def _octave(asked: float, played: int) -> str:
    """How the tempi differ where it is not by a little."""
    times = played / asked
    if times > 1.5:
        return f" to {round(times)} times as fast"
    return f" to 1/{round(1 / times)} of it" if times < 1 / 1.5 else ""

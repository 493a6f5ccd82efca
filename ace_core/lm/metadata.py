"""The metadata block between `<think>` and `</think>`: its fields, its writer and its reader.

The writer gives byte for byte what the models were trained on, so it is PyYAML's. The reader is
lenient, and names what it could not parse.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import yaml

from ..constants import BPM_RANGE, LANGUAGES, SECONDS_RANGE, TIME_SIGNATURES
from ..errors import InvalidSongError
from ..types import Song, parse_key
from .vocabulary import CODE_PATTERN, IM_END, THINK, THINK_END

# the model's name of each field, in the order in which it writes them
NAMES: Final = {
    "bpm": "bpm",
    "caption": "caption",
    "seconds": "duration",
    "genres": "genres",
    "key": "keyscale",
    "language": "language",
    "time_signature": "timesignature",
}
NOT_GIVEN: Final = ("", "n/a", "none", "null", "unspecified")
CONTROLS: Final = re.compile(  # ASCII's, but tab and line ends, and halves of characters
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
)
LONGEST_NUMBER: Final = 18  # digits of a caption that is written as a number


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata in the model's words; `seconds` are whole ones. `None`: not given."""

    bpm: int | None = None
    caption: str | None = None
    seconds: int | None = None
    genres: str | None = None
    key: str | None = None
    language: str | None = None
    time_signature: int | None = None

    @classmethod
    def of(cls, song: Song) -> "Metadata":
        """The values that a song gives; its caption has its own part of a prompt."""
        return cls(
            bpm=song.bpm,
            seconds=None if song.seconds is None else int(song.seconds),
            key=song.key,
            language=song.language,
            time_signature=song.time_signature,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's reply, parsed. `warnings` names each thing that could not be used."""

    metadata: Metadata
    lyrics: str
    warnings: tuple[str, ...] = ()


def think_block(metadata: Metadata) -> str:
    """The block as in the models' training; genres are never in it."""
    values = {
        name: _scalar(getattr(metadata, field))
        for field, name in NAMES.items()
        if field != "genres" and getattr(metadata, field) is not None
    }
    text = yaml.dump(values, allow_unicode=True, sort_keys=True).strip() if values else ""
    return f"{THINK}\n{text}\n{THINK_END}"


def _scalar(value: object) -> object:
    """A text of digits is written as a number, whatever its field."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= LONGEST_NUMBER:
        return int(value)
    return value


def parse_reply(text: str) -> Reply:
    """Parses a reply as text, with or without its tags, quotes and end tokens."""
    reasoning, closed, rest = text.partition(THINK_END)
    if not closed:
        reasoning, closed, rest = text.partition("</reasoning>")
    reasoning = CODE_PATTERN.split(reasoning, maxsplit=1)[0]
    return parse_parts(reasoning, rest if closed else "")


def parse_parts(reasoning: str, rest: str) -> Reply:
    """Parses a reply that its tokens have divided into block and rest."""
    values: dict[str, Any] = {}
    warnings: list[str] = []
    if CONTROLS.search(reasoning + rest):
        # the tags of an audio file cannot hold them
        reasoning, rest = CONTROLS.sub("", reasoning), CONTROLS.sub("", rest)
        warnings.append("control characters, which were left out")
    by_name = {name: field for field, name in NAMES.items()}
    for name, value in _fields(reasoning):
        field = by_name.get(name)
        if field is None:
            warnings.append(f"{name}: not a field of the models")
            continue
        try:
            values[field] = _READERS[field](_plain(value))
        except (ValueError, InvalidSongError):
            warnings.append(f"{name}: {value.strip()!r} is not one")
    if not values and not warnings:
        warnings.append("no metadata was written")
    return Reply(Metadata(**values), parse_lyrics(rest), tuple(warnings))


def parse_lyrics(text: str) -> str:
    """The lyrics after a block: without the heading, a languages block and end tokens."""
    text = re.sub(r"<\|(im_end|endoftext)\|>", "", text).strip()
    text = re.sub(r"\A#[ \t]*Languages?[^\n]*\n[^#]*(?=#)", "", text, flags=re.IGNORECASE)
    return re.sub(r"\A#[ \t]*Lyri(cs?|s)?[ \t]*(\n|\Z)", "", text, flags=re.IGNORECASE).strip()


def _fields(reasoning: str) -> list[tuple[str, str]]:
    """Name and raw value of each field; an indented or blank line continues a value."""
    fields: list[tuple[str, str]] = []
    for line in reasoning.split("\n"):
        if line.strip() in (THINK, "<reasoning>", IM_END):
            continue
        if (not line.strip() or line[0] in " \t") and fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}\n{line}")
        elif ":" in line and line[0] not in " \t":
            name, value = line.removeprefix(THINK).removesuffix(IM_END).split(":", 1)
            fields.append((name.strip().lower(), value))
    return fields


def _plain(value: str) -> str:
    """A value on one line, without YAML's quotes."""
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        quoted = _quoted(text)
        if quoted is not None:
            return CONTROLS.sub("", quoted).strip()  # its escapes may stand for some
    return " ".join(line.strip() for line in text.split("\n") if line.strip())


def _quoted(text: str) -> str | None:
    """What YAML reads in quotes; None where the text goes on, which is not looked at."""
    tokens = islice(yaml.scan(text, Loader=yaml.BaseLoader), 3)
    try:
        match list(tokens):
            case [yaml.StreamStartToken(), yaml.ScalarToken(value=value), yaml.StreamEndToken()]:
                return value
    except (yaml.YAMLError, ValueError, OverflowError):
        pass  # quotes that are no YAML are part of the text
    return None


def _whole(low: float, high: float) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        if text.lower() in NOT_GIVEN:
            return None
        match = re.match(r"[+-]?\d+(\.\d+)?", text)
        if match is None or not low <= float(match[0]) <= high:
            raise ValueError(text)
        return int(float(match[0]))

    return read


def _key(text: str) -> str | None:
    return None if text.lower() in NOT_GIVEN else parse_key(text)


def _time_signature(text: str) -> int | None:
    if text.lower() in NOT_GIVEN:
        return None
    numerator = int(text.split("/")[0])
    if numerator not in TIME_SIGNATURES:
        raise ValueError(text)
    return numerator


def _language(text: str) -> str | None:
    if text.lower() in NOT_GIVEN:
        return None
    if text.lower() not in LANGUAGES:
        raise ValueError(text)
    return text.lower()


def _text(text: str) -> str | None:
    return text or None


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "bpm": _whole(*BPM_RANGE),
    "caption": _text,
    "seconds": _whole(*SECONDS_RANGE),
    "genres": _text,
    "key": _key,
    "language": _language,
    "time_signature": _time_signature,
}

"""What the language model settled on for a song, and how that joins what the user stated.

What the user stated always wins; "unknown" is no language and asks for one.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

from ..constants import INSTRUMENTAL
from ..types import Song
from .metadata import Metadata, Reply

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What thinking may add: the blanks among tempo, length, key and time signature; a better
    caption; the language."""

    metadata: bool = True
    caption: bool = True
    language: bool = True


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Plan:
    """A song as it was asked for, and what the model settled on. `text` is what it wrote."""

    song: Song
    metadata: Metadata
    text: str = ""
    unread: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        """Length of the song, to a fraction of a second where the user gave one."""
        return self.metadata.seconds if self.song.seconds is None else self.song.seconds

    @property
    def filled(self) -> Song:
        """The song with its blanks filled, and with the model's caption if it wrote one."""
        return fill(self.song, self.metadata)


@dataclass(frozen=True, slots=True)
class Sample:
    """A song that the model wrote, and its whole reply."""

    song: Song
    reply: Reply
    text: str


def sung(song: Song) -> str:
    """The lyrics as the models were trained to read them."""
    return INSTRUMENTAL if song.instrumental else song.lyrics


def known(song: Song) -> Metadata:
    """What is not to be asked: "unknown" asks for the language, as no language does."""
    metadata = Metadata.of(song)
    return replace(metadata, language=None) if song.language == UNKNOWN else metadata


def anything_to_write(stated: Metadata, wanted: Wanted) -> bool:
    """Whether the model is needed at all."""
    blanks = None in (stated.bpm, stated.seconds, stated.key, stated.time_signature)
    blank_language = wanted.language and stated.language is None
    return (wanted.metadata and blanks) or wanted.caption or blank_language


def settled(song: Song, found: Metadata, wanted: Wanted) -> Metadata:
    """What the user stated, completed by what was found and wanted."""
    if not wanted.metadata:
        found = Metadata(caption=found.caption, language=found.language)
    stated = known(song)
    given = {f.name: getattr(stated, f.name) for f in fields(Metadata)}
    both = replace(found, **{name: value for name, value in given.items() if value is not None})
    return both if both.language else replace(both, language=song.language)


def fill(song: Song, found: Metadata) -> Song:
    """`song` with its blanks taken from `found`, and the caption that was found, if any."""
    language = found.language if song.language in (None, UNKNOWN) else song.language
    seconds = None if found.seconds is None else float(found.seconds)
    return replace(
        song,
        caption=found.caption or song.caption,
        seconds=song.seconds if song.seconds is not None else seconds,
        bpm=song.bpm or found.bpm,
        key=song.key or found.key,
        time_signature=song.time_signature or found.time_signature,
        language=language or song.language,
    )

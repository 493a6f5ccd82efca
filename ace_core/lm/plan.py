"""The language model's metadata for a song, and how it is merged with what the user gave.

What the user gave always wins; the language "unknown" counts as not given.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

from ..constants import INSTRUMENTAL
from ..types import Song
from .metadata import Metadata, Reply

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class CotFields:
    """What the chain of thought may add: the open ones of tempo, length, key and time signature;
    a better caption; the language."""

    metadata: bool = True
    caption: bool = True
    language: bool = True


ALL_FIELDS: Final = CotFields()


@dataclass(frozen=True, slots=True)
class Plan:
    """A song as the user gave it, and its merged metadata. `text` is the model's reply."""

    song: Song
    metadata: Metadata
    text: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        """Length of the song, to a fraction of a second where the user gave one."""
        return self.metadata.seconds if self.song.seconds is None else self.song.seconds

    @property
    def filled(self) -> Song:
        """The song with its open fields filled, and with the model's caption if there is one."""
        return fill(self.song, self.metadata)


@dataclass(frozen=True, slots=True)
class Sample:
    """A song that the model generated, and its whole reply."""

    song: Song
    reply: Reply
    text: str


def lyrics_for_prompt(song: Song) -> str:
    """The lyrics as in the models' training."""
    return INSTRUMENTAL if song.instrumental else song.lyrics


def given_metadata(song: Song) -> Metadata:
    """The metadata that the model must not choose."""
    metadata = Metadata.of(song)
    return replace(metadata, language=None) if song.language == UNKNOWN else metadata


def needs_model(given: Metadata, cot: CotFields) -> bool:
    """Whether anything is left to generate."""
    open_fields = None in (given.bpm, given.seconds, given.key, given.time_signature)
    open_language = cot.language and given.language is None
    return (cot.metadata and open_fields) or cot.caption or open_language


def merge(song: Song, generated: Metadata, cot: CotFields) -> Metadata:
    """What the user gave, completed by those generated values that `cot` allows."""
    if not cot.metadata:
        generated = Metadata(caption=generated.caption, language=generated.language)
    given = given_metadata(song)
    values = {f.name: getattr(given, f.name) for f in fields(Metadata)}
    merged = replace(generated, **{name: v for name, v in values.items() if v is not None})
    return merged if merged.language else replace(merged, language=song.language)


def fill(song: Song, generated: Metadata) -> Song:
    """`song` with its open fields from `generated`, and the generated caption, if any."""
    language = generated.language if song.language in (None, UNKNOWN) else song.language
    seconds = None if generated.seconds is None else float(generated.seconds)
    return replace(
        song,
        caption=generated.caption or song.caption,
        seconds=song.seconds if song.seconds is not None else seconds,
        bpm=song.bpm or generated.bpm,
        key=song.key or generated.key,
        time_signature=song.time_signature or generated.time_signature,
        language=language or song.language,
    )

"""The texts of songs, cleaned, and with their wildcards drawn for each song by its own seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..cleaning import clean
from ..section_tags import tag_notes
from ..wildcards import expand, literal
from .types import GenerationParams

LYRICS: Final = ("lyrics", "flow_edit_source_lyrics")
TEXTS: Final = ("caption", "lyrics", "flow_edit_source_caption", "flow_edit_source_lyrics")


@dataclass(frozen=True, slots=True)
class DrawnTexts:
    """Songs of one text: their parameters without wildcards, and one seed per song.

    `stored` has the texts in a spelling that is drawn as the same text again, for the record of
    the song; `notes` say what was cleaned and chosen, and which lines look like section tags.
    """

    params: GenerationParams
    seeds: tuple[int, ...]
    stored: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def draw_texts(params: GenerationParams, seeds: Sequence[int]) -> list[DrawnTexts]:
    """One entry per song where there are wildcards, else one for all songs.

    Raises:
        InvalidRequestError: wildcards nested too deep.
    """
    cleaned = {name: clean(getattr(params, name)) for name in TEXTS}
    params = replace(params, **{name: each.text for name, each in cleaned.items()})
    notes = tuple(note for name, each in cleaned.items() for note in each.notes(name))
    first = _drawn(params, seeds[0])
    if first.notes:
        drawn = [first, *(_drawn(params, seed) for seed in seeds[1:])]
    else:
        drawn = [replace(first, seeds=tuple(seeds))]
    return [replace(each, notes=(*notes, *each.notes, *_offers(each.params))) for each in drawn]


def _offers(params: GenerationParams) -> list[str]:
    """The section tags that are offered for the lyrics of a song."""
    return [note for name in LYRICS for note in tag_notes(getattr(params, name), name)]


def _drawn(params: GenerationParams, seed: int) -> DrawnTexts:
    texts: dict[str, str] = {}
    stored: dict[str, str] = {}
    notes: list[str] = []
    for name in TEXTS:
        written = getattr(params, name)
        expanded = expand(written, seed, name)
        if expanded.text != written:
            texts[name] = expanded.text
        if expanded.choices:
            stored[name] = literal(expanded.text)
            notes.append(expanded.note(name, seed))
        elif name in texts:
            stored[name] = written
    return DrawnTexts(replace(params, **texts) if texts else params, (seed,), stored, tuple(notes))

"""The texts of songs with their wildcards drawn, for each song by its own seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..wildcards import expand, literal
from .types import GenerationParams

TEXTS: Final = ("caption", "lyrics", "flow_edit_source_caption", "flow_edit_source_lyrics")


@dataclass(frozen=True, slots=True)
class DrawnTexts:
    """Songs of one text: their parameters without wildcards, and one seed per song.

    `stored` has the texts in a spelling that is drawn as the same text again, for the record of
    the song; `notes` say what was chosen.
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
    first = _drawn(params, seeds[0])
    if not first.notes:
        return [replace(first, seeds=tuple(seeds))]
    return [first, *(_drawn(params, seed) for seed in seeds[1:])]


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

"""A song that remembers what the language model settled on for it.

The codes are written from the user's own caption, with the model's caption only inside the
thoughts; the diffusion model reads the model's caption. So a planned song is the filled one, for
every node, and keeps the plan for the node that composes codes.
"""

from dataclasses import dataclass, fields
from typing import Any

from ..ace_core.lm.metadata import Metadata
from ..ace_core.lm.plan import Plan
from ..ace_core.types import Song

_FIELDS = tuple(field.name for field in fields(Song))


@dataclass(frozen=True, slots=True)
class PlannedSong(Song):
    """A filled song and its plan."""

    plan: Plan | None = None


def planned(plan: Plan) -> PlannedSong:
    return PlannedSong(**_values(plan.filled), plan=plan)


def plain(song: Song) -> Song:
    """`song` as it stands, without memory."""
    return Song(**_values(song)) if isinstance(song, PlannedSong) else song


def plan_of(song: Song) -> Plan:
    """The plan that `song` came from; one that was changed since is a song of its own."""
    plan = song.plan if isinstance(song, PlannedSong) else None
    if plan is not None and _values(plan.filled) == _values(song):
        return plan
    song = plain(song)
    return Plan(song, Metadata.of(song))


def _values(song: Song) -> dict[str, Any]:
    return {name: getattr(song, name) for name in _FIELDS}

"""What to play, as one value that every later node takes, with the plan that it may have.

The codes are written from the user's own caption, with the model's caption only inside the chain of
thought; the diffusion model is given the model's caption. So a planned song is the completed one,
for every node, and keeps the plan for the node that composes codes.
"""

from dataclasses import dataclass, fields
from typing import Any

from comfy_api.latest import io

from ..ace_core.cleaning import clean
from ..ace_core.constants import (
    BPM_RANGE,
    INSTRUMENTAL,
    KEYS,
    LANGUAGES,
    SECONDS_RANGE,
    SEED_RANGE,
    TIME_SIGNATURES,
)
from ..ace_core.lm.metadata import Metadata
from ..ace_core.lm.plan import Plan
from ..ace_core.section_tags import tag_notes
from ..ace_core.types import Song
from ..ace_core.wildcards import expand
from .node_text import node_text
from .sockets import SongSocket
from .typed import check_zero_or, checked

CATEGORY = "audio/ACE-Step/plan"
AUTO = "auto"
METERS = {f"{beats}/{8 if beats == 6 else 4}": beats for beats in TIME_SIGNATURES}  # "6/8": 6
_FIELDS = tuple(field.name for field in fields(Song))


def check_seconds(seconds: float) -> None:
    """Refuse a length that is typed into a node.

    Raises:
        InvalidRequestError: the models play no song of it.
    """
    check_zero_or("seconds", seconds, SECONDS_RANGE, "the length is chosen for you")


class AceStepSong(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        shortest, longest = SECONDS_RANGE
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15Song",
            display_name="ACE-Step Song",
            category=CATEGORY,
            description="Describes the song to make. The model chooses what is left on auto.",
            search_aliases=[
                "ace step",
                "music",
                "song",
                "suno",
                "udio",
                "lyrics",
                "caption",
                "genre",
                "singing",
                "instrumental",
            ],
            inputs=[
                io.String.Input(
                    "caption",
                    multiline=True,
                    default="",
                    dynamic_prompts=False,  # the page would draw by no seed
                    tooltip="Style, mood, instruments and voice, in words or tags.",
                    placeholder="warm indie folk, fingerpicked guitar, soft female voice",
                ),
                io.String.Input(
                    "lyrics",
                    multiline=True,
                    default="",
                    dynamic_prompts=False,
                    tooltip="Words to sing, with section tags such as [Verse] and [Chorus].",
                    placeholder="[Verse]\n…",
                ),
                io.Float.Input(
                    "seconds",
                    default=120.0,
                    min=0.0,
                    max=longest,
                    step=0.1,
                    tooltip=f"Length of the song, {shortest:g} to {longest:g} seconds. 0: the "
                    "language model chooses it, or the codes.",
                ),
                io.Int.Input(
                    "bpm",
                    default=0,
                    min=0,
                    max=BPM_RANGE[1],
                    tooltip=f"Beats per minute, {BPM_RANGE[0]} to {BPM_RANGE[1]}. 0: automatic.",
                ),
                io.Combo.Input(
                    "key",
                    options=[AUTO, *KEYS],
                    default=AUTO,
                    tooltip="Key and mode of the song.",
                ),
                io.Combo.Input(
                    "time_signature",
                    options=[AUTO, *METERS],
                    default=AUTO,
                    tooltip="Beats in a bar.",
                ),
                io.Combo.Input(
                    "language",
                    options=[AUTO, *LANGUAGES],
                    default=AUTO,
                    tooltip="Language of the lyrics, by its code.",
                ),
                io.Boolean.Input(
                    "instrumental",
                    default=False,
                    tooltip="No vocals: the lyrics above are not used.",
                ),
                io.Int.Input(
                    "wildcard_seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    optional=True,
                    tooltip="Wildcards in caption and lyrics, choices in braces divided by bars, "
                    "are drawn by this seed: the same seed draws the same words.",
                ),
            ],
            outputs=[SongSocket.Output(display_name="song", tooltip="The song as one value.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, seconds: float | None) -> bool | str:
        return checked(check_seconds, seconds)

    @classmethod
    def execute(
        cls,
        caption: str,
        lyrics: str,
        seconds: float,
        bpm: int,
        key: str,
        time_signature: str,
        language: str,
        instrumental: bool,
        wildcard_seed: int = 0,
    ) -> io.NodeOutput:
        from ..ace_core.inference.limits import check_texts
        from . import host

        cleaned = {
            "caption": clean(caption),
            "lyrics": clean(INSTRUMENTAL if instrumental else lyrics),
        }
        drawn = {name: expand(each.text, wildcard_seed, name) for name, each in cleaned.items()}
        check_texts(drawn["caption"].text, drawn["lyrics"].text)
        song = Song(
            caption=drawn["caption"].text,
            lyrics=drawn["lyrics"].text,
            seconds=seconds or None,
            bpm=bpm or None,
            key=None if key == AUTO else key,
            time_signature=METERS.get(time_signature),
            language=None if language == AUTO else language,
        )
        notes = [note for name, each in cleaned.items() for note in each.notes(name)]
        notes += [each.note(name, wildcard_seed) for name, each in drawn.items() if each.choices]
        notes += [*tag_notes(song.lyrics), *host.length_warnings(song)]
        return io.NodeOutput(song, ui=node_text(notes))


class AceStepSongDetails(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SongDetails",
            display_name="ACE-Step Song Details",
            category=CATEGORY,
            description="Splits a song into plain values, which fit the widgets of ACE-Step Song. "
            "What is open comes out as 0 or auto.",
            search_aliases=["ace step", "split song", "metadata", "unpack"],
            inputs=[SongSocket.Input("song", tooltip="The song to split.")],
            outputs=[
                io.String.Output(display_name="caption", tooltip="Style, mood, instruments."),
                io.String.Output(display_name="lyrics", tooltip="Words and section tags."),
                io.Float.Output(display_name="seconds", tooltip="Length. 0: open."),
                io.Int.Output(display_name="bpm", tooltip="Beats per minute. 0: open."),
                io.Combo.Output(display_name="key", tooltip="Key and mode."),
                io.Combo.Output(display_name="time_signature", tooltip="Beats in a bar."),
                io.Combo.Output(display_name="language", tooltip="Language, by its code."),
            ],
        )

    @classmethod
    def execute(cls, song: Song) -> io.NodeOutput:
        meters = {numerator: written for written, numerator in METERS.items()}
        return io.NodeOutput(
            song.caption,
            song.lyrics,
            song.seconds or 0.0,
            song.bpm or 0,
            song.key or AUTO,
            AUTO if song.time_signature is None else meters[song.time_signature],
            song.language or AUTO,
        )


@dataclass(frozen=True, slots=True)
class PlannedSong(Song):
    """A filled song and its plan."""

    plan: Plan | None = None


def with_plan(plan: Plan) -> PlannedSong:
    return PlannedSong(**_values(plan.filled), plan=plan)


def without_plan(song: Song) -> Song:
    """`song` with its values as they are, and no plan."""
    return Song(**_values(song)) if isinstance(song, PlannedSong) else song


def plan_of(song: Song) -> Plan:
    """The plan that `song` came from; one that was changed since is a song of its own."""
    plan = song.plan if isinstance(song, PlannedSong) else None
    if plan is not None and _values(plan.filled) == _values(song):
        return plan
    song = without_plan(song)
    return Plan(song, Metadata.of(song))


def _values(song: Song) -> dict[str, Any]:
    return {name: getattr(song, name) for name in _FIELDS}

"""What to play, as one value that every later node reads."""

from comfy_api.latest import io

from ..ace_core.constants import (
    BPM_RANGE,
    INSTRUMENTAL,
    KEYS,
    LANGUAGES,
    SECONDS_RANGE,
    TIME_SIGNATURES,
)
from ..ace_core.types import Song
from .sockets import SongSocket

AUTO = "auto"
METERS = {f"{beats}/{8 if beats == 6 else 4}": beats for beats in TIME_SIGNATURES}  # "6/8": 6


class AceStepSong(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        shortest, longest = SECONDS_RANGE
        return io.Schema(
            node_id="AceStep15Song",
            display_name="ACE-Step Song",
            category="audio/ACE-Step/plan",
            description="Describes the song to make. What is left automatic, the model chooses.",
            search_aliases=["ace step", "music", "song", "suno", "udio", "lyrics", "caption"],
            inputs=[
                io.String.Input(
                    "caption",
                    multiline=True,
                    default="",
                    tooltip="Style, mood, instruments and voice, in words or tags.",
                    placeholder="warm indie folk, fingerpicked guitar, soft female voice",
                ),
                io.String.Input(
                    "lyrics",
                    multiline=True,
                    default="",
                    dynamic_prompts=False,  # its braces would be eaten as choices
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
                    tooltip="Nobody sings: the lyrics above are not used.",
                ),
            ],
            outputs=[SongSocket.Output(display_name="song", tooltip="The song as one value.")],
        )

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
    ) -> io.NodeOutput:
        song = Song(
            caption=caption,
            lyrics=INSTRUMENTAL if instrumental else lyrics,
            seconds=seconds or None,
            bpm=bpm or None,
            key=None if key == AUTO else key,
            time_signature=METERS.get(time_signature),
            language=None if language == AUTO else language,
        )
        return io.NodeOutput(song)

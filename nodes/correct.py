"""Tempo and key of finished audio changed by a little, by hand or to what was asked."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.tempo_key import KEY_LIMIT, TEMPO_LIMIT, Change, changed
from ..ace_core.constants import BPM_RANGE, KEYS
from ..ace_core.errors import InvalidRequestError
from ..ace_core.measure.correction import corrected, described
from ..ace_core.types import Song
from .node_text import node_text
from .sockets import SongSocket
from .typed import check_zero_or, checked
from .vae import CATEGORY

UNCHANGED = "unchanged"


class AceStepCorrect(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Correct",
            display_name="ACE-Step Correct",
            category=CATEGORY,
            description="Changes tempo and key of audio a little: to a requested tempo and key, "
            "from the measured ones, or by a given amount. As it is, it changes nothing.",
            search_aliases=["ace step", "time stretch", "pitch shift", "transpose", "fix bpm"],
            inputs=[
                io.Audio.Input("audio", tooltip="Each item of a batch is corrected on its own."),
                *_target_inputs(),
                *_amount_inputs(),
                SongSocket.Input(
                    "song",
                    optional=True,
                    tooltip="The song as requested: its bpm and key are used where the widgets "
                    "have none.",
                ),
            ],
            outputs=[
                io.Audio.Output(display_name="audio", tooltip="The same rate and channels."),
                io.String.Output(
                    display_name="report", tooltip="What was measured and what was changed."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, bpm: float | None) -> bool | str:
        return checked(_check_bpm, bpm)

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        bpm: float,
        key: str,
        tempo: float,
        semitones: float,
        song: Song | None = None,
    ) -> io.NodeOutput:
        change = Change(tempo, semitones)
        wanted_bpm = bpm or (song.bpm if song else None) or None
        wanted_key = (song.key if song else None) if key == UNCHANGED else key
        by_measure = wanted_bpm is not None or wanted_key is not None
        if by_measure and change != Change():
            raise InvalidRequestError(
                f"bpm or key ({wanted_bpm or 'none'}, {wanted_key or 'none'}) and a change by hand "
                f"({described(change)}) are both given. Set tempo and semitones to 0, or bpm to 0, "
                f"key to {UNCHANGED!r} and disconnect the song."
            )
        waveform, rate = unpack_audio(audio)
        if by_measure:
            made, done = corrected(waveform, rate, wanted_bpm, wanted_key)
            reports = ["\n".join(each.lines) for each in done]
        else:
            made, reports = changed(waveform, rate, change), [described(change)]
        report = _by_item(reports)
        sound = {"waveform": made, "sample_rate": rate}
        return io.NodeOutput(sound, report, ui=node_text([report]))


def _by_item(reports: list[str]) -> str:
    if len(reports) == 1:
        return reports[0]
    return "\n".join(f"item {place}: {text}" for place, text in enumerate(reports, start=1))


def _check_bpm(bpm: float) -> None:
    check_zero_or("bpm", bpm, BPM_RANGE, "the tempo stays as it is")


def _target_inputs() -> list[io.Input]:
    slowest, fastest = BPM_RANGE
    return [
        io.Float.Input(
            "bpm",
            default=0.0,
            min=0.0,
            max=fastest,
            step=0.1,
            tooltip=f"The tempo it shall have, {slowest} to {fastest}; its own is measured, and "
            f"half or twice counts as the same. At most {TEMPO_LIMIT:g} % away. 0: as it is.",
        ),
        io.Combo.Input(
            "key",
            options=[UNCHANGED, *KEYS],
            default=UNCHANGED,
            tooltip=f"The key it shall have; its own is measured. At most {KEY_LIMIT:g} semitones "
            "away. Major stays major: it gets the notes of the key.",
        ),
    ]


def _amount_inputs() -> list[io.Input]:
    return [
        io.Float.Input(
            "tempo",
            default=0.0,
            min=-TEMPO_LIMIT,
            max=TEMPO_LIMIT,
            step=0.01,
            tooltip="Change the tempo by this many percent instead, without measuring: above 0 is "
            "faster.",
        ),
        io.Float.Input(
            "semitones",
            default=0.0,
            min=-KEY_LIMIT,
            max=KEY_LIMIT,
            step=0.01,
            tooltip="Shift the pitch by this many semitones instead, without measuring: above 0 "
            "is higher.",
        ),
    ]

"""Measured beats: the input that other nodes have for them, what the page is sent, and loops."""

import json
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.cut import CROSSFADE_RANGE, REPEATS_RANGE, cut
from ..ace_core.errors import InvalidRequestError
from ..ace_core.measure.beats import BeatGrid, bar_span, beat_span, check_same_recording
from .sockets import BeatsSocket
from .vae import CATEGORY

Grids = tuple[BeatGrid, ...]
BEATS = "ace_step_beats"  # the key in web/waveform/grid.js
UNITS = {"bars": bar_span, "beats": beat_span}
LARGEST_NUMBER = 10_000  # of a bar or beat


def beats_input(tooltip: str, optional: bool = True) -> io.Input:
    return BeatsSocket.Input("beats", optional=optional, tooltip=tooltip)


def one_grid(beats: Grids, seconds: float) -> BeatGrid:
    """The beats of the one recording that a node works on.

    Raises:
        InvalidRequestError: several were measured, or one of another length.
    """
    if len(beats) != 1:
        raise InvalidRequestError(
            f"The beats of {len(beats)} recordings are connected, but one is cut or marked here. "
            "Measure that one alone."
        )
    check_same_recording(beats[0], seconds)
    return beats[0]


def check_one_take(waveform: Tensor, use: str) -> None:
    """`waveform` [B, C, N]; `use`: what a node does with one take.

    Raises:
        InvalidRequestError: there are several.
    """
    if len(waveform) != 1:
        raise InvalidRequestError(
            f"The audio has {len(waveform)} takes, but {use}. Keep one before decoding, with "
            "ACE-Step Keep Best or with Latent From Batch."
        )


def beats_json(beats: Grids) -> dict[str, list[str]]:
    """What the page draws and snaps to, as a result of a run."""
    texts = [
        json.dumps(
            {
                "seconds": grid.seconds,
                "beats": [round(time, 4) for time in grid.beat_lines],
                "bars": [round(time, 4) for time in grid.bar_lines],
            }
        )
        for grid in beats
    ]
    return {BEATS: texts}


class AceStepCutBars(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        fastest, slowest = CROSSFADE_RANGE
        fewest, most = REPEATS_RANGE
        return io.Schema(
            node_id="AceStep15CutBars",
            display_name="ACE-Step Cut Bars",
            category=CATEGORY,
            description="Cuts whole bars or beats out of a recording where they were measured, as "
            "a loop whose end leads into its beginning.",
            search_aliases=["ace step", "loop", "trim audio", "cut on the beat", "sample"],
            inputs=[
                io.Audio.Input("audio", tooltip="One recording."),
                beats_input("From ACE-Step Measure of the same recording.", optional=False),
                io.Combo.Input(
                    "unit", options=list(UNITS), default="bars", tooltip="What is counted."
                ),
                _count("first", 1, "The first bar or beat, counted from 1."),
                _count("count", 4, "How many."),
                io.Float.Input(
                    "crossfade",
                    default=0.01,
                    min=fastest,
                    max=slowest,
                    step=0.001,
                    tooltip="Seconds at the end that are faded into what comes before the "
                    "beginning, so that a repeat has no click. 0: the samples as they are.",
                ),
                io.Int.Input(
                    "repeats",
                    default=fewest,
                    min=fewest,
                    max=most,
                    tooltip="How often the loop is played.",
                ),
            ],
            outputs=[
                io.Audio.Output(display_name="audio", tooltip="The loop."),
                io.Float.Output(
                    display_name="start", tooltip="Where it begins in the recording, in seconds."
                ),
                io.Float.Output(display_name="seconds", tooltip="How long it is, once."),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        beats: Grids,
        unit: str,
        first: int,
        count: int,
        crossfade: float,
        repeats: int,
    ) -> io.NodeOutput:
        waveform, rate = unpack_audio(audio)
        check_one_take(waveform, "one is cut")
        start, end = UNITS[unit](one_grid(beats, waveform.shape[-1] / rate), first, count)
        loop = cut(waveform[0], rate, (start, end), crossfade, repeats)
        return io.NodeOutput({"waveform": loop[None], "sample_rate": rate}, start, end - start)


def _count(name: str, default: int, tooltip: str) -> io.Int.Input:
    return io.Int.Input(name, default=default, min=1, max=LARGEST_NUMBER, tooltip=tooltip)

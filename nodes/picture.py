"""Audio to images: waveform and spectrogram, and a level per video frame as MASK and numbers."""

from functools import partial
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.envelope import (
    FPS_RANGE,
    Band,
    EnvelopeFollower,
    check_mask_size,
    envelope,
    frame_count,
    frame_masks,
)
from ..ace_core.audio.picture import picture
from ..ace_core.audio.pulses import pulses, switches
from ..ace_core.measure.beats import BeatGrid, check_bars, check_beats
from ..ace_core.parallel import in_parallel
from .beats import Grids, beats_input, check_one_take, one_grid
from .vae import CATEGORY

BANDS = {band.name.lower(): band for band in Band}
PULSES = (_BEAT, _BAR, _SWITCH_BEAT, _SWITCH_BAR) = (
    "each beat",
    "each bar",
    "switch each beat",
    "switch each bar",
)
MASK_SIZE = 64  # pixels: Image Composite Masked stretches a mask, and a level has no details


class AceStepPicture(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Picture",
            display_name="ACE-Step Picture of Audio",
            category=CATEGORY,
            description="Draws the waveform and the spectrogram of audio.",
            search_aliases=["ace step", "waveform", "spectrogram", "visualize audio"],
            inputs=[io.Audio.Input("audio", tooltip="Each item of a batch becomes a picture.")],
            outputs=[io.Image.Output(display_name="image", tooltip="One picture per item.")],
        )

    @classmethod
    def execute(cls, audio: dict) -> io.NodeOutput:
        waveform, rate = unpack_audio(audio)
        drawn = in_parallel([partial(picture, item, rate) for item in waveform])
        return io.NodeOutput(torch.stack(drawn))  # [B, H, W, 3]


class AceStepEnvelope(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Envelope",
            display_name="ACE-Step Audio Envelope",
            category=CATEGORY,
            description="Measures how loud audio is at each frame of a video, as a mask and as "
            "numbers from 0 to 1, for audio-reactive video.",
            search_aliases=["ace step", "audio reactive", "amplitude", "music video", "beat mask"],
            inputs=[
                io.Audio.Input("audio", tooltip="One item. Its loudest frame becomes 1."),
                *_envelope_inputs(),
                _pixels_input("width"),
                _pixels_input("height"),
                beats_input(
                    "From ACE-Step Measure of the same audio: the levels follow its beats as "
                    "pulse says, in place of its loudness."
                ),
                io.Combo.Input(
                    "pulse",
                    options=list(PULSES),
                    default=_BEAT,
                    optional=True,
                    tooltip="With beats connected. each: 1 at each beat or bar, from there as "
                    "attack, release and floor say. switch: 0 and 1 in turn, from one to the next, "
                    "to cut between two pictures.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    display_name="mask",
                    tooltip="One frame after another, its level in every pixel. For Image "
                    "Composite Masked.",
                ),
                io.Float.Output(
                    display_name="levels",
                    tooltip="The same as one list of numbers, for nodes that take a list of "
                    "FLOATs. Not for inputs that take one number.",
                ),
                io.Int.Output(
                    display_name="frames",
                    tooltip="How many: seconds times fps, rounded up. For the batch size of "
                    "Empty Image.",
                ),
                io.Float.Output(display_name="fps", tooltip="As it was given. For Create Video."),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        fps: float,
        band: str,
        attack: float,
        release: float,
        floor: float,
        width: int,
        height: int,
        beats: Grids | None = None,
        pulse: str = _BEAT,
    ) -> io.NodeOutput:
        sound, rate = unpack_audio(audio)
        check_one_take(sound, "pictures follow one, and Create Video plays the first")
        follow = EnvelopeFollower(attack, release, floor)
        frames = frame_count(sound.shape[-1], rate, fps)
        check_mask_size(frames, width, height)
        if beats is None:
            levels = envelope(sound[0], rate, fps, BANDS[band], follow)
        else:
            grid = one_grid(beats, sound.shape[-1] / rate)
            levels = _pulsed(grid, pulse, frames, fps, follow)
        return io.NodeOutput(frame_masks(levels, width, height), levels.tolist(), len(levels), fps)


def _pulsed(
    grid: BeatGrid, pulse: str, frames: int, fps: float, follow: EnvelopeFollower
) -> Tensor:
    """Levels [frames] by the measured beats.

    Raises:
        InvalidRequestError: no beats, or no bars, were measured.
    """
    by_bars = pulse in (_BAR, _SWITCH_BAR)
    (check_bars if by_bars else check_beats)(grid)
    times = grid.downbeats if by_bars else grid.beats
    if pulse in (_SWITCH_BEAT, _SWITCH_BAR):
        return switches(times, frames, fps)
    return pulses(times, frames, fps, follow)


def _envelope_inputs() -> list[io.Input]:
    slowest, fastest = FPS_RANGE
    return [
        io.Float.Input(
            "fps",
            default=24.0,
            min=slowest,
            max=fastest,
            step=0.001,
            tooltip="Frames per second. Give the same to Create Video: connect fps.",
        ),
        io.Combo.Input(
            "band",
            options=list(BANDS),
            default="whole",
            tooltip="The frequency band: everything, bass below 250 Hz, treble above 4 kHz, or "
            "mids between them.",
        ),
        _seconds_input(
            "attack", 0.0, "Seconds in which a level rises most of the way. 0: at once."
        ),
        _seconds_input(
            "release", 0.15, "Seconds in which a level falls most of the way. 0: at once."
        ),
        io.Float.Input(
            "floor",
            default=0.0,
            min=0.0,
            max=0.99,
            step=0.01,
            tooltip="Levels up to this are 0 and the rest is stretched to 1: more contrast where "
            "music is loud throughout.",
        ),
    ]


def _seconds_input(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=10.0, step=0.01, tooltip=tooltip)


def _pixels_input(name: str) -> io.Int.Input:
    return io.Int.Input(
        name,
        default=MASK_SIZE,
        min=1,
        max=4096,
        advanced=True,
        tooltip="Size of the mask, in pixels. Small is enough where it is stretched, as Image "
        "Composite Masked does; give the video's size if the mask itself becomes the video.",
    )

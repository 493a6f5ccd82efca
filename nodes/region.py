"""Where in a recording: a mask from seconds, bars, beats or another mask, and a picture of it."""

from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor
from torch.nn.functional import pad

from ..ace_core.constants import BPM_RANGE, LONGEST_SECONDS
from ..ace_core.errors import InvalidRequestError
from ..ace_core.latents import mask_columns
from ..ace_core.measure.beats import BeatGrid, bar_span, beat_span
from ..ace_core.sampling.repaint import beats_to_seconds, mask_spans, region
from ..ace_core.sources import RepaintCanvas, SourceAudio, place_region
from ..ace_core.task import Length
from .beats import Grids, beats_input, one_grid
from .dynamic import chosen
from .song import METERS
from .task_inputs import CATEGORY, prepared_source
from .waveform_ui import source_waveform

_SECONDS, _BARS, _BEATS, _MASK = "seconds", "bars", "beats", "mask"
_PICTURE = (128, 768)  # pixels: height, width
_NEW, _KEPT = (1.0, 0.66, 0.36), (0.25, 0.29, 0.38)


def mask_frames(mask: Tensor, length: Length) -> Tensor:
    """A MASK [1, H, T] of the music as the core's [1, T, 1] of the canvas.

    Raises:
        InvalidRequestError: it is no mask, not as long as the source, or there are several.
    """
    frames, columns = length.music_frames, mask_columns(mask)
    if (mask.dim() == 3 and mask.shape[0] != 1) or len(columns) != frames:
        raise InvalidRequestError(
            f"The mask has the shape {list(mask.shape)}, but the source is {frames} latent frames "
            f"long and needs [1, 1, {frames}]. Make it with ACE-Step Region Mask for this source."
        )
    marked = (columns > 0.5).float()[None, :, None]
    return pad(marked, (0, 0, 0, length.padding))


def repaint_canvas(
    source: SourceAudio, start: float, end: float, mask: Tensor | None
) -> RepaintCanvas:
    """The source on its canvas; a MASK replaces `start` and `end`.

    Raises:
        InvalidRequestError: a region or a mask that does not fit the source.
    """
    if mask is not None:
        where = mask_frames(mask, source.length)
        return RepaintCanvas(source, where, mask_spans(where))
    return place_region(source, start, None if end < 0 else end)


class AceStepRegionMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15RegionMask",
            display_name="ACE-Step Region Mask",
            category=CATEGORY,
            description="Marks a part of a recording by seconds, bars or beats, or from a painted "
            "mask. Several in a row mark several parts.",
            search_aliases=["ace step", "repaint mask", "bars to seconds", "audio mask"],
            inputs=[
                io.Audio.Input("source", tooltip="The recording that the mask is for."),
                io.DynamicCombo.Input(
                    "by",
                    options=[
                        io.DynamicCombo.Option(_SECONDS, _second_inputs()),
                        io.DynamicCombo.Option(_BARS, _bar_inputs()),
                        io.DynamicCombo.Option(_BEATS, _beat_inputs()),
                        io.DynamicCombo.Option(_MASK, []),
                    ],
                    tooltip="Unit of the part; mask: only the mask below.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="More parts: from another Region Mask, or painted; time runs from "
                    "left to right and is stretched to the recording.",
                ),
                beats_input(
                    "From ACE-Step Measure of the same recording: bars and beats are the measured "
                    "ones, in place of bpm and time_signature, and the waveform snaps to them."
                ),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="For Repaint and Lego."),
                io.Image.Output(display_name="image", tooltip="What is marked, over time."),
            ],
        )

    @classmethod
    def execute(
        cls,
        source: dict[str, Any],
        by: dict[str, Any] | None = None,
        mask: Tensor | None = None,
        beats: Grids | None = None,
    ) -> io.NodeOutput:
        by = chosen(by, "by", (_MASK, _SECONDS, _BEATS, _BARS))
        if by["by"] == _MASK and mask is None:
            raise InvalidRequestError("No mask is connected. Connect one, or choose seconds.")
        given = prepared_source(source)
        frames = given.length.music_frames
        grid = None if beats is None else one_grid(beats, given.seconds)
        marked = torch.zeros(1, 1, frames)
        if by["by"] != _MASK:
            part = region(*_seconds(by, grid), given.audio.shape[-1])
            if part.pad_left or part.pad_right:
                raise InvalidRequestError(
                    f"The part leaves the recording, which is {given.seconds:.2f} seconds long. "
                    "Stay inside it; to extend it use start and end of ACE-Step Repaint."
                )
            marked = part.mask(frames).transpose(1, 2)
        if mask is not None:
            marked = torch.maximum(marked, _stretched(mask, frames))
        return io.NodeOutput(marked, _drawn(marked), ui=source_waveform(given.audio))


def _seconds(by: dict[str, Any], grid: BeatGrid | None) -> tuple[float, float | None]:
    """Start and end of the chosen part, by the measured `grid` if there is one; None: the end of
    the recording."""
    if by["by"] == _SECONDS:
        return by["start"], None if by["end"] < 0 else by["end"]
    if grid is not None:
        if by["by"] == _BEATS:
            return beat_span(grid, by["first_beat"], by["beats"])
        return bar_span(grid, by["first_bar"], by["bars"])
    if by["by"] == _BEATS:
        first, count = by["first_beat"] - 1, by["beats"]
    else:
        meter = METERS[by["time_signature"]]
        first, count = (by["first_bar"] - 1) * meter, by["bars"] * meter
    start, length = (beats_to_seconds(beats, by["bpm"]) for beats in (first, count))
    return start, start + length


def _stretched(mask: Tensor, frames: int) -> Tensor:
    """Any MASK as [1, 1, T]: a moment is marked when any pixel above it is."""
    columns = (mask_columns(mask) > 0.5).float()[None, None]
    return torch.nn.functional.interpolate(columns, size=frames, mode="nearest")


def _drawn(marked: Tensor) -> Tensor:
    """A bar over time, [1, H, W, 3], with a line at every tenth of the recording."""
    height, width = _PICTURE
    row = torch.nn.functional.interpolate(marked, size=width, mode="nearest")[0, 0]  # [W]
    colours = torch.where(row[:, None] > 0.5, torch.tensor(_NEW), torch.tensor(_KEPT))
    picture = colours.expand(1, height, width, 3).clone()
    picture[:, height - height // 8 :, :: width // 10] = 0
    return picture


def _second_inputs() -> list[io.Input]:
    return [
        io.Float.Input(
            "start",
            default=0.0,
            min=0.0,
            max=LONGEST_SECONDS,
            step=0.01,
            tooltip="Start, in seconds.",
        ),
        io.Float.Input(
            "end",
            default=-1.0,
            min=-1.0,
            max=LONGEST_SECONDS,
            step=0.01,
            tooltip="End, in seconds. -1: the recording's end.",
        ),
    ]


def _bar_inputs() -> list[io.Input]:
    return [
        _count("first_bar", 1, "Bars are counted from 1."),
        _count("bars", 4, "How many bars."),
        _tempo(),
        io.Combo.Input(
            "time_signature", options=list(METERS), default="4/4", tooltip="Beats in a bar."
        ),
    ]


def _beat_inputs() -> list[io.Input]:
    return [
        _count("first_beat", 1, "Beats are counted from 1."),
        _count("beats", 16, "How many beats."),
        _tempo(),
    ]


def _count(name: str, default: int, tooltip: str) -> io.Int.Input:
    return io.Int.Input(name, default=default, min=1, max=10_000, tooltip=tooltip)


def _tempo() -> io.Int.Input:
    slowest, fastest = BPM_RANGE
    return io.Int.Input(
        "bpm", default=120, min=slowest, max=fastest, tooltip="The recording's beats per minute."
    )

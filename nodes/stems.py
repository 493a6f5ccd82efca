"""Tasks about single instruments: add one, take one out, or add the others around one."""

from dataclasses import replace
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.conditioning import tasks
from ..ace_core.constants import TRACKS
from ..ace_core.errors import InvalidRequestError
from ..ace_core.sampling.region import spans
from ..ace_core.sampling.repaint import RepaintMode, preservation
from ..ace_core.sources import RepaintCanvas
from ..ace_core.types import Song
from .region import frames_of
from .sources import (
    CATEGORY,
    instruction_input,
    outputs_of,
    source_inputs,
    source_of,
    task_outputs,
)

_LATENT = "The source, as the place to start from."


def _track_input(tooltip: str) -> io.Combo.Input:
    return io.Combo.Input("track", options=list(TRACKS), default=TRACKS[0], tooltip=tooltip)


class AceStepLego(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Lego",
            display_name="ACE-Step Lego",
            category=CATEGORY,
            description="Plays one more track to the source. Needs a base model.",
            search_aliases=["ace step", "stems", "add instrument", "add track", "overdub"],
            inputs=[
                *source_inputs("How the new track sounds."),
                _track_input("What to add."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="From ACE-Step Region Mask: where the track plays. Not connected: "
                    "everywhere.",
                ),
                io.Boolean.Input(
                    "keep_source",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="With a mask: put the source back outside it, as the official code "
                    "does. Off: the track is silent or free there.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs(_LATENT),
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        source: dict,
        batch_size: int,
        track: str,
        mask: Tensor | None = None,
        keep_source: bool = False,
        instruction: str = "",
    ) -> io.NodeOutput:
        from . import host

        given = source_of(source, batch_size)
        where = None if mask is None else frames_of(mask, given.length.frames)
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.lego(song, encoder, given.length, track, where, instruction or None)
        if keep_source and where is not None:
            keep = preservation(RepaintMode.BALANCED)
            splice = RepaintCanvas(given, where, spans(where)).splice(keep)
            task = replace(task, keep=keep, splice=splice)
        return outputs_of(task, given, vae)


class AceStepExtract(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Extract",
            display_name="ACE-Step Extract",
            category=CATEGORY,
            description="Takes one track out of the source. Needs a base model.",
            search_aliases=["ace step", "stems", "stem separation", "isolate vocals", "karaoke"],
            inputs=[
                *source_inputs("The recording, as well as you can describe it."),
                _track_input("What to take out."),
                instruction_input(),
            ],
            outputs=task_outputs(_LATENT),
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        source: dict,
        batch_size: int,
        track: str,
        instruction: str = "",
    ) -> io.NodeOutput:
        from . import host

        given = source_of(source, batch_size)
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.extract(song, encoder, given.length, track, instruction or None)
        return outputs_of(task, given, vae)


class AceStepComplete(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Complete",
            display_name="ACE-Step Complete",
            category=CATEGORY,
            description="Plays the named tracks around the source: an arrangement for a voice or "
            "for one instrument. Needs a base model.",
            search_aliases=["ace step", "accompaniment", "arrange", "backing track"],
            inputs=[
                *source_inputs("The whole piece, as it is to sound."),
                *(
                    io.Boolean.Input(track, default=False, tooltip=f"Add {track}.")
                    for track in TRACKS
                ),
                instruction_input(),
            ],
            outputs=task_outputs(_LATENT),
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        source: dict,
        batch_size: int,
        instruction: str = "",
        **tracks: Any,
    ) -> io.NodeOutput:
        from . import host

        chosen = tuple(track for track in TRACKS if tracks[track])
        if not chosen and not instruction:
            raise InvalidRequestError(
                "No track is switched on. Switch on at least one to add, such as drums and bass."
            )
        given = source_of(source, batch_size)
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.complete(song, encoder, given.length, chosen, instruction or None)
        return outputs_of(task, given, vae)

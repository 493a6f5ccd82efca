"""Repaint: a part of a recording generated anew, or the recording made longer."""

from dataclasses import replace

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.conditioning import tasks
from ..ace_core.latents import latent_samples
from ..ace_core.sampling.repaint import RepaintMode, preservation
from ..ace_core.sources import with_latents
from ..ace_core.types import Song
from .beats import Grids, beats_input, one_grid
from .region import repaint_canvas
from .task_inputs import (
    CATEGORY,
    instruction_input,
    node_output,
    prepared_source,
    seconds_input,
    source_inputs,
    strength_input,
    task_outputs,
)
from .waveform_ui import source_waveform


class AceStepRepaint(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Repaint",
            display_name="ACE-Step Repaint",
            category=CATEGORY,
            description="Generates part of the source anew, or extends it at either end; the rest "
            "stays as it was.",
            search_aliases=[
                "ace step",
                "inpaint",
                "extend",
                "inpaint audio",
                "outpaint audio",
                "extend song",
                "edit section",
            ],
            inputs=[
                *source_inputs("What to play, and the lyrics of the whole song."),
                seconds_input(
                    "start", 0.0, "Start of the new part, in seconds. Below 0: before the source."
                ),
                seconds_input(
                    "end",
                    -1.0,
                    "End of the new part, in seconds. -1: the source's end. Beyond it: longer.",
                ),
                io.Combo.Input(
                    "mode",
                    options=[mode.value for mode in RepaintMode],
                    default=RepaintMode.BALANCED.value,
                    tooltip="How the rest is kept: conservative in every step, balanced as "
                    "strength says, aggressive not at all.",
                ),
                strength_input("strength", 0.5, "For balanced: 0 keeps most, 1 changes most."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="From ACE-Step Region Mask: replaces start and end.",
                ),
                instruction_input(),
                io.Latent.Input(
                    "source_latent",
                    optional=True,
                    tooltip="The latent that the source was decoded from, of a song made here: it "
                    "is then not encoded again. The region lies inside the source.",
                ),
                beats_input(
                    "From ACE-Step Measure of the same source: the waveform shows its beats and "
                    "bars and snaps to them. The song is the same."
                ),
            ],
            outputs=task_outputs("The source, silent where it is generated anew."),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        source: dict,
        batch_size: int,
        start: float,
        end: float,
        mode: str,
        strength: float,
        mask: Tensor | None = None,
        instruction: str = "",
        source_latent: dict | None = None,
        beats: Grids | None = None,
    ) -> io.NodeOutput:
        from . import host

        keep = preservation(RepaintMode(mode), strength)
        whole = prepared_source(source, batch_size, vae)
        if beats is not None:
            one_grid(beats, whole.seconds)
        canvas = repaint_canvas(whole, start, end, mask)
        if source_latent is not None:
            samples = latent_samples(source_latent)[..., : host.music_frames(source_latent)]
            latents = samples.transpose(1, 2)  # [B, T, C]
            canvas = with_latents(canvas, latents, (len(whole.audio),))
        given = canvas.source
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.repaint(song, encoder, given.length, canvas.mask, instruction or None)
        task = replace(task, keep=keep, splice=canvas.splice(keep))
        made = node_output(task, given, vae)
        return io.NodeOutput(*made.args, ui=source_waveform(whole.audio))

"""Morph: a recording whose words are exchanged, with everything else kept (flow edit)."""

from typing import Final

from comfy_api.latest import io

from ..ace_core.conditioning import tasks
from ..ace_core.conditioning.text import TextEncoder
from ..ace_core.task import EditWindow, Length, SourceUse, Task
from ..ace_core.types import Song
from .sockets import SongSocket
from .task_inputs import (
    CATEGORY,
    instruction_input,
    source_inputs,
    strength_input,
    task_output,
    task_outputs,
)

CONTEXTS: Final = {
    "silence": SourceUse.INIT_ONLY,
    "codes": SourceUse.QUANTIZED,
    "latent": SourceUse.WHOLE,
}
_MOST_DRAWS: Final = 32


class AceStepMorph(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Morph",
            display_name="ACE-Step Morph",
            category=CATEGORY,
            description="Exchanges the words of a recording and keeps the rest: the same song with "
            "other lyrics, or in another style.",
            search_aliases=["ace step", "flow edit", "flowedit", "edit lyrics", "change lyrics"],
            inputs=[
                *source_inputs("The recording as it is to be: new lyrics, or a new caption."),
                SongSocket.Input(
                    "source_song",
                    tooltip="The recording as it is: its caption and lyrics, and the same tempo, "
                    "key and language as the other song where they are to stay.",
                ),
                strength_input(
                    "n_min",
                    0.0,
                    "Share of the steps that are skipped at the start. Higher: closer to the "
                    "recording.",
                ),
                strength_input(
                    "n_max",
                    1.0,
                    "Share of the steps at which the edit ends; the rest is sampled under the new "
                    "words alone. Lower: farther from the recording.",
                ),
                io.Int.Input(
                    "n_avg",
                    default=1,
                    min=1,
                    max=_MOST_DRAWS,
                    tooltip="Draws of noise per step, averaged. More: steadier, and that many "
                    "times as slow.",
                ),
                io.Combo.Input(
                    "context",
                    options=list(CONTEXTS),
                    default="silence",
                    tooltip="What the model gets of the recording beside the words: silence "
                    "(nothing), its codes (melody and rhythm, as a cover), or its latent.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs("The recording."),
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
        source_song: Song,
        n_min: float,
        n_max: float,
        n_avg: int,
        context: str,
        instruction: str = "",
    ) -> io.NodeOutput:
        songs = tasks.SongEdit(source_song, song, EditWindow(n_min, n_max, n_avg))

        def build(encoder: TextEncoder, length: Length) -> Task:
            return tasks.morph(songs, encoder, length, CONTEXTS[context], instruction or None)

        return task_output(text_encoder, vae, source, batch_size, build)

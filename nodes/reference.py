"""Reference audio: the timbre of a recording, added to a task."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.waveform import source_audio
from ..ace_core.conditioning.context import reference_segments
from ..ace_core.constants import SEED_RANGE
from .task_inputs import CATEGORY


class AceStepReferenceAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15ReferenceAudio",
            display_name="ACE-Step Reference Audio",
            category=CATEGORY,
            description="Gives a task the timbre of a recording: its voices, instruments and mix, "
            "not its melody. Several nodes in a row mix several recordings.",
            search_aliases=["ace step", "timbre", "reference", "style reference", "voice"],
            inputs=[
                io.Conditioning.Input("positive", tooltip="The positive output of a task node."),
                io.Audio.Input("audio", tooltip="The recording; 30 seconds of it are used."),
                io.Vae.Input("vae", tooltip="Encodes the recording."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    tooltip="Chooses the 10 seconds of each third of the recording that are used.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive", tooltip="The task with the recording's timbre."
                )
            ],
        )

    @classmethod
    def execute(cls, positive: list, audio: dict[str, Any], vae, seed: int) -> io.NodeOutput:
        from . import host

        waveform, rate = unpack_audio(audio)
        sound = source_audio(waveform, rate, "reference")
        clip = host.encode_source(vae, reference_segments(sound, seed))
        return io.NodeOutput(host.with_timbre(positive, clip))

"""Tasks that change a recording: play it in another style, start from it, write part of it anew."""

from dataclasses import replace
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.source import source_audio
from ..ace_core.conditioning import tasks
from ..ace_core.conditioning.reference import reference_segments
from ..ace_core.constants import LONGEST_SECONDS, SEED_RANGE
from ..ace_core.sampling.region import spans
from ..ace_core.sampling.repaint import RepaintMode, preservation
from ..ace_core.sources import RepaintCanvas, SourceAudio, place_region
from ..ace_core.task import check_strength
from ..ace_core.types import Song
from .region import frames_of
from .sources import (
    CATEGORY,
    instruction_input,
    outputs_of,
    source_inputs,
    source_of,
    strength_input,
    task_outputs,
)
from .waves import wave_to_hear


class AceStepCover(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Cover",
            display_name="ACE-Step Cover",
            category=CATEGORY,
            description="The source in another style: its melody and rhythm, your words and sound.",
            search_aliases=["ace step", "cover song", "remix", "style transfer"],
            inputs=[
                *source_inputs("The new style, and the lyrics to sing."),
                io.Boolean.Input(
                    "quantize",
                    default=True,
                    tooltip="On: the source is heard as audio codes, its tune without its sound. "
                    "Off: heard whole, which stays closer to it (remix).",
                ),
                strength_input(
                    "cover_strength",
                    1.0,
                    "Share of the steps that hear the source; the rest follow the song alone.",
                ),
                strength_input(
                    "source_strength",
                    0.0,
                    "How much of the source is in the starting noise: 0 none, 0.1 to 0.25 is usual "
                    "for covers.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs("The source, as the place to start from."),
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        source: dict,
        batch_size: int,
        quantize: bool,
        cover_strength: float,
        source_strength: float,
        instruction: str = "",
    ) -> io.NodeOutput:
        from . import host

        check_strength("cover strength", cover_strength)
        check_strength("source strength", source_strength)
        given = source_of(source, batch_size)
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.cover(song, encoder, given.length, quantize, instruction or None)
        task = tasks.with_cover_strength(task, cover_strength, song, encoder, given.seconds)
        return outputs_of(replace(task, source_strength=source_strength), given, vae)


class AceStepAudioToAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15AudioToAudio",
            display_name="ACE-Step Audio to Audio",
            category=CATEGORY,
            description="A new song that begins as the source with noise over it: your words, and "
            "as much of the source as you leave.",
            search_aliases=["ace step", "audio2audio", "a2a", "ref_audio_strength", "variation"],
            inputs=[
                *source_inputs("The new song."),
                strength_input(
                    "ref_audio_strength",
                    0.5,
                    "How much of the source is left at the start: 0 none, which is text to music; "
                    "near 1 almost all.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs("The source, as the place to start from."),
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        source: dict,
        batch_size: int,
        ref_audio_strength: float,
        instruction: str = "",
    ) -> io.NodeOutput:
        from . import host

        check_strength("reference audio strength", ref_audio_strength)
        given = source_of(source, batch_size)
        encoder, words = host.text_encoder_of(text_encoder), instruction or None
        task = tasks.audio_to_audio(song, encoder, given.length, ref_audio_strength, words)
        return outputs_of(task, given, vae)


class AceStepRepaint(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Repaint",
            display_name="ACE-Step Repaint",
            category=CATEGORY,
            description="Writes part of the source anew, or extends it to either side; the rest "
            "stays as it was.",
            search_aliases=[
                "ace step",
                "inpaint audio",
                "outpaint audio",
                "extend song",
                "edit section",
            ],
            inputs=[
                *source_inputs("What to play, and the lyrics of the whole song."),
                _moment("start", 0.0, "Where new music begins, in seconds. Below 0: before it."),
                _moment("end", -1.0, "Where it ends. -1: with the source. Past it: longer."),
                io.Combo.Input(
                    "mode",
                    options=[mode.value for mode in RepaintMode],
                    default=RepaintMode.BALANCED.value,
                    tooltip="How firmly the rest is kept: conservative all the time, balanced as "
                    "strength says, aggressive not at all.",
                ),
                strength_input("strength", 0.5, "Of balanced: 0 keeps most, 1 changes most."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="From ACE-Step Region Mask: takes the place of start and end.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs("The source, silent where it is written anew."),
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
    ) -> io.NodeOutput:
        from . import host

        keep = preservation(RepaintMode(mode), strength)
        whole = source_of(source, batch_size)
        canvas = canvas_of(whole, start, end, mask)
        given = canvas.source
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.repaint(song, encoder, given.length, canvas.mask, instruction or None)
        task = replace(task, keep=keep, splice=canvas.splice(keep))
        made = outputs_of(task, given, vae)
        return io.NodeOutput(*made.args, ui=wave_to_hear(whole.audio))


def canvas_of(source: SourceAudio, start: float, end: float, mask: Tensor | None) -> RepaintCanvas:
    """The source on its canvas; a MASK takes the place of `start` and `end`.

    Raises:
        InvalidRequestError: a region or a mask that does not fit the source.
    """
    if mask is not None:
        where = frames_of(mask, source.length.frames)
        return RepaintCanvas(source, where, spans(where))
    return place_region(source, start, None if end < 0 else end)


def _moment(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=-LONGEST_SECONDS, max=LONGEST_SECONDS, step=0.01, tooltip=tooltip
    )


class AceStepReferenceAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15ReferenceAudio",
            display_name="ACE-Step Reference Audio",
            category=CATEGORY,
            description="Lets a task sound like a recording: its voices, instruments and mix, not "
            "its tune. Several nodes in a row mix several recordings.",
            search_aliases=["ace step", "timbre", "reference", "style reference", "voice"],
            inputs=[
                io.Conditioning.Input("positive", tooltip="The positive output of a task node."),
                io.Audio.Input("audio", tooltip="The recording; 30 seconds of it are heard."),
                io.Vae.Input("vae", tooltip="Encodes the recording."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    tooltip="Which 10 seconds of each third of the recording are heard.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive", tooltip="The task with the recording's sound."
                )
            ],
        )

    @classmethod
    def execute(cls, positive: list, audio: dict[str, Any], vae, seed: int) -> io.NodeOutput:
        from . import host

        sound = source_audio(audio["waveform"], audio["sample_rate"], "reference")
        clip = host.encode_source(vae, reference_segments(sound, seed))
        return io.NodeOutput(host.with_timbre(positive, clip))

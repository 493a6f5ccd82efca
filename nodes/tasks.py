"""One node per task: text to music, cover, audio to audio, lego, extract and complete;
`repaint.py` and `morph.py` have one more each.

Each builds the core's `Task` and hands it to the host as CONDITIONING and LATENT.
"""

from dataclasses import replace
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.conditioning import tasks
from ..ace_core.conditioning.text import TextEncoder
from ..ace_core.constants import TRACKS
from ..ace_core.errors import InvalidRequestError
from ..ace_core.sampling.repaint import RepaintMode, mask_spans, preservation
from ..ace_core.sources import RepaintCanvas, check_variations
from ..ace_core.task import Length, Task, check_strength
from ..ace_core.types import AudioCodes, Song
from .region import mask_frames
from .sockets import CodesSocket, SongSocket
from .task_inputs import (
    CATEGORY,
    batch_input,
    instruction_input,
    node_output,
    prepared_source,
    source_inputs,
    strength_input,
    task_output,
    task_outputs,
    text_encoder_input,
    track_input,
)

_LATENT = "The source, which sampling may start from."


class AceStepTextToMusic(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15TextToMusic",
            display_name="ACE-Step Text to Music",
            category=CATEGORY,
            description="A new song from its description.",
            search_aliases=[
                "ace step",
                "music",
                "song",
                "suno",
                "text2music",
                "empty latent audio",
            ],
            inputs=[
                text_encoder_input(),
                io.Vae.Input(
                    "vae", tooltip="Encodes silence when the model's file has no silence latent."
                ),
                SongSocket.Input("song", tooltip="What to play."),
                batch_input(),
                CodesSocket.Input(
                    "codes",
                    optional=True,
                    tooltip="Audio codes to follow: the song becomes as long as they are. Each of "
                    "several variations becomes one song.",
                ),
                strength_input(
                    "cover_strength",
                    1.0,
                    "With codes: share of the steps that follow them; the rest follow the song "
                    "alone.",
                    optional=True,
                ),
                instruction_input(),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="The song."),
                io.Conditioning.Output(
                    display_name="negative", tooltip="The unconditional task, for guidance."
                ),
                io.Latent.Output(display_name="latent", tooltip="Empty, as long as the song."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        batch_size: int,
        codes: tuple[AudioCodes, ...] = (),
        cover_strength: float = 1.0,
        instruction: str = "",
    ) -> io.NodeOutput:
        from . import host

        check_strength("cover strength", cover_strength)
        batch = _batch_for(codes, batch_size)
        encoder = host.text_encoder_of(text_encoder)
        first = codes[0] if codes else None
        task = tasks.text_to_music(song, encoder, first, instruction or None)
        if first is not None:
            task = tasks.with_cover_strength(task, cover_strength, song, encoder, first.seconds)
        positive = host.conditioning(task, host.silence_of(vae), codes)
        latent = host.empty_latent(task.frames, batch, task.padding)
        return io.NodeOutput(positive, host.unconditional(positive), latent)


def _batch_for(codes: tuple[AudioCodes, ...], batch_size: int) -> int:
    """How many songs to make: one for each of several variations, which must be of one length.

    Raises:
        InvalidRequestError: they are not, are too long, or another number is asked for.
    """
    check_variations(codes)
    if len(codes) < 2:
        return batch_size
    if batch_size not in (1, len(codes)):
        raise InvalidRequestError(
            f"There are {len(codes)} variations of codes, but a batch of {batch_size} is asked "
            f"for. Set `batch_size` to 1 or {len(codes)}."
        )
    return len(codes)


class AceStepCover(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Cover",
            display_name="ACE-Step Cover",
            category=CATEGORY,
            description="The source in another style: its melody and rhythm, with your lyrics and "
            "sound.",
            search_aliases=["ace step", "melody", "cover song", "remix", "style transfer"],
            inputs=[
                *source_inputs("The new style, and the lyrics to sing."),
                io.Boolean.Input(
                    "quantize",
                    default=True,
                    tooltip="On: the model gets the source as audio codes, its melody without its "
                    "timbre. Off: as its latent, which stays closer to it (remix).",
                ),
                strength_input(
                    "cover_strength",
                    1.0,
                    "Share of the steps that are conditioned on the source; the rest follow the "
                    "song alone.",
                ),
                strength_input(
                    "source_strength",
                    0.0,
                    "How much of the source is in the starting noise: 0 none, 0.1 to 0.25 is usual "
                    "for covers.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs("The source, which sampling may start from."),
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
        quantize: bool,
        cover_strength: float,
        source_strength: float,
        instruction: str = "",
    ) -> io.NodeOutput:
        check_strength("cover strength", cover_strength)
        check_strength("source strength", source_strength)

        def build(encoder: TextEncoder, length: Length) -> Task:
            task = tasks.cover(song, encoder, length, quantize, instruction or None)
            task = tasks.with_cover_strength(task, cover_strength, song, encoder, length.seconds)
            return replace(task, source_strength=source_strength)

        return task_output(text_encoder, vae, source, batch_size, build)


class AceStepAudioToAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15AudioToAudio",
            display_name="ACE-Step Audio to Audio",
            category=CATEGORY,
            description="A new song that starts from the source with noise added: your lyrics, "
            "and as much of the source as you keep.",
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
            outputs=task_outputs("The source, which sampling may start from."),
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
        check_strength("reference audio strength", ref_audio_strength)

        def build(encoder: TextEncoder, length: Length) -> Task:
            return tasks.audio_to_audio(
                song, encoder, length, ref_audio_strength, instruction or None
            )

        return task_output(text_encoder, vae, source, batch_size, build)


class AceStepLego(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Lego",
            display_name="ACE-Step Lego",
            category=CATEGORY,
            description="Adds one track to the source. Needs a base model.",
            search_aliases=["ace step", "drums", "stems", "add instrument", "add track", "overdub"],
            inputs=[
                *source_inputs("How the new track sounds."),
                track_input("What to add."),
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
                    "does. Off: the model decides what the track does there.",
                ),
                instruction_input(),
            ],
            outputs=task_outputs(_LATENT),
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
        track: str,
        mask: Tensor | None = None,
        keep_source: bool = False,
        instruction: str = "",
    ) -> io.NodeOutput:
        from . import host

        given = prepared_source(source, batch_size, vae)
        where = None if mask is None else mask_frames(mask, given.length)
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.lego(song, encoder, given.length, track, where, instruction or None)
        if keep_source and where is not None:
            keep = preservation(RepaintMode.BALANCED)
            splice = RepaintCanvas(given, where, mask_spans(where)).splice(keep)
            task = replace(task, keep=keep, splice=splice)
        return node_output(task, given, vae)


class AceStepExtract(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Extract",
            display_name="ACE-Step Extract",
            category=CATEGORY,
            description="Takes one track out of the source. Needs a base model.",
            search_aliases=[
                "ace step",
                "vocals",
                "acapella",
                "drums",
                "stems",
                "stem separation",
                "isolate vocals",
                "karaoke",
            ],
            inputs=[
                *source_inputs("The recording, as well as you can describe it."),
                track_input("What to take out."),
                instruction_input(),
            ],
            outputs=task_outputs(_LATENT),
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
        track: str,
        instruction: str = "",
    ) -> io.NodeOutput:
        def build(encoder: TextEncoder, length: Length) -> Task:
            return tasks.extract(song, encoder, length, track, instruction or None)

        return task_output(text_encoder, vae, source, batch_size, build)


class AceStepComplete(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Complete",
            display_name="ACE-Step Complete",
            category=CATEGORY,
            description="Adds the chosen tracks to the source: an arrangement for a voice or for "
            "one instrument. Needs a base model.",
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
        instruction: str = "",
        **tracks: Any,
    ) -> io.NodeOutput:
        chosen = tuple(track for track in TRACKS if tracks[track])
        if not chosen and not instruction:
            raise InvalidRequestError(
                "No track is switched on. Switch on at least one to add, such as drums and bass."
            )

        def build(encoder: TextEncoder, length: Length) -> Task:
            return tasks.complete(song, encoder, length, chosen, instruction or None)

        return task_output(text_encoder, vae, source, batch_size, build)

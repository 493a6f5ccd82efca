"""What the task nodes have in common: their inputs, and what comes out."""

from collections.abc import Callable
from typing import Any

from comfy_api.latest import io

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.decoded import decoded_of
from ..ace_core.conditioning.text import TextEncoder
from ..ace_core.constants import BATCH_RANGE, LONGEST_SECONDS, TRACKS
from ..ace_core.sources import SourceAudio, prepare_source, with_own_latents
from ..ace_core.task import Length, Task
from .sockets import SongSocket, TextEncoderInput

CATEGORY = "audio/ACE-Step/tasks"


def batch_input(
    tooltip: str = "How many songs to make at once, each from its own noise.",
) -> io.Int.Input:
    smallest, largest = BATCH_RANGE
    return io.Int.Input(
        "batch_size",
        default=smallest,
        min=smallest,
        max=largest,
        tooltip=tooltip,
    )


def text_encoder_input() -> io.Input:
    return TextEncoderInput.Input(
        "text_encoder",
        tooltip="Encodes the caption and the lyrics. ComfyUI's own CLIP of type ace fits, too.",
    )


def source_inputs(song: str) -> list[io.Input]:
    """The inputs that every such node begins with; `song` says what its words are for."""
    return [
        text_encoder_input(),
        io.Vae.Input("vae", tooltip="Encodes the source, and silence for padding."),
        SongSocket.Input("song", tooltip=f"{song} Its length is not used: the source has one."),
        io.Audio.Input(
            "source",
            tooltip="The music to start from: any rate, mono or stereo. Each item of a batch "
            "becomes its own song.",
        ),
        batch_input(),
    ]


def strength_input(
    name: str, default: float, tooltip: str, optional: bool = False
) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, optional=optional, tooltip=tooltip
    )


def seconds_input(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=-LONGEST_SECONDS, max=LONGEST_SECONDS, step=0.01, tooltip=tooltip
    )


def track_input(tooltip: str) -> io.Combo.Input:
    return io.Combo.Input("track", options=list(TRACKS), default=TRACKS[0], tooltip=tooltip)


def instruction_input() -> io.String.Input:
    return io.String.Input(
        "instruction",
        default="",
        optional=True,
        advanced=True,
        tooltip="Replaces the task's own instruction to the model. Empty: the trained one.",
    )


def task_outputs(latent: str) -> list[io.Output]:
    return [
        io.Conditioning.Output(display_name="positive", tooltip="The task."),
        io.Conditioning.Output(
            display_name="negative", tooltip="The unconditional task, for guidance."
        ),
        io.Latent.Output(display_name="latent", tooltip=latent),
    ]


def prepared_source(source: dict[str, Any], batch: int = 1, vae: Any = None) -> SourceAudio:
    """One source for `batch` songs, or several for one song each, with the latents that `vae` has
    decoded it from, where the AUDIO is still that sound.

    Raises:
        InvalidAudioError: an AUDIO that cannot be a source.
        InvalidRequestError: several sources, but another number of songs.
    """
    from . import host

    waveform, rate = unpack_audio(source)
    given, origin = prepare_source(waveform, rate, batch), decoded_of(source)
    if vae is None or origin is None or origin.vae != host.fingerprint_of(vae):
        return given
    latents = origin.of_sound(waveform, rate)
    return given if latents is None else with_own_latents(given, latents)


def task_output(
    text_encoder: Any,
    vae: Any,
    source: dict[str, Any],
    batch_size: int,
    build: Callable[[TextEncoder, Length], Task],
) -> io.NodeOutput:
    """The three outputs of a node whose task starts from the whole of a source; `build` makes the
    task of that length. A source that cannot be used is refused before any model."""
    from . import host

    given = prepared_source(source, batch_size, vae)
    return node_output(build(host.text_encoder_of(text_encoder), given.length), given, vae)


def node_output(task: Task, source: SourceAudio, vae: Any) -> io.NodeOutput:
    """The three outputs of a task node."""
    from . import host

    return io.NodeOutput(*host.task_outputs(task, source, vae))

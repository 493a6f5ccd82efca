"""Tasks: from a song to what the samplers run. One node each."""

from comfy_api.latest import io

from ..ace_core.conditioning import tasks
from ..ace_core.constants import BATCH_RANGE
from ..ace_core.errors import InvalidRequestError
from ..ace_core.sources import check_variations
from ..ace_core.types import AudioCodes, Song
from .sockets import CodesSocket, SongSocket, TextEncoderInput


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
        tooltip="Reads the caption and the lyrics. ComfyUI's own CLIP of type ace fits too.",
    )


class AceStepTextToMusic(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15TextToMusic",
            display_name="ACE-Step Text to Music",
            category="audio/ACE-Step/tasks",
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
                io.Vae.Input("vae", tooltip="Says what silence is when the model does not."),
                SongSocket.Input("song", tooltip="What to play."),
                batch_input(),
                CodesSocket.Input(
                    "codes",
                    optional=True,
                    tooltip="Audio codes to follow: the song becomes as long as they are. Of "
                    "several variations each is one song.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="The song."),
                io.Conditioning.Output(display_name="negative", tooltip="No song in particular."),
                io.Latent.Output(display_name="latent", tooltip="Empty, as long as the song."),
            ],
        )

    @classmethod
    def execute(
        cls,
        text_encoder,
        vae,
        song: Song,
        batch_size: int,
        codes: tuple[AudioCodes, ...] = (),
    ) -> io.NodeOutput:
        from . import host

        batch = _batch_for(codes, batch_size)
        encoder = host.text_encoder_of(text_encoder)
        task = tasks.text_to_music(song, encoder, codes[0] if codes else None)
        positive = host.conditioning(task, host.silence_of(vae), codes)
        return io.NodeOutput(positive, host.null(positive), host.canvas(task.frames, batch))


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

"""Tasks: from a song to what the samplers run. One node each."""

from comfy_api.latest import io

from ..ace_core.conditioning import tasks
from ..ace_core.constants import BATCH_RANGE
from ..ace_core.types import Song
from .sockets import SongSocket, TextEncoderSocket


def batch_input() -> io.Int.Input:
    smallest, largest = BATCH_RANGE
    return io.Int.Input(
        "batch_size",
        default=smallest,
        min=smallest,
        max=largest,
        tooltip="How many songs to make at once, each from its own noise.",
    )


class AceStepTextToMusic(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15TextToMusic",
            display_name="ACE-Step Text to Music",
            category="audio/ACE-Step/tasks",
            description="A new song from its description.",
            search_aliases=["ace step", "text2music", "song generation", "empty latent audio"],
            inputs=[
                SongSocket.Input("song", tooltip="What to play."),
                TextEncoderSocket.Input(
                    "text_encoder", tooltip="Reads the caption and the lyrics."
                ),
                io.Vae.Input("vae", tooltip="Says what silence is when the model does not."),
                batch_input(),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="The song."),
                io.Conditioning.Output(display_name="negative", tooltip="No song in particular."),
                io.Latent.Output(display_name="latent", tooltip="Empty, as long as the song."),
            ],
        )

    @classmethod
    def execute(cls, song: Song, text_encoder, vae, batch_size: int) -> io.NodeOutput:
        from . import host

        item = tasks.text_to_music(song, text_encoder)
        positive = host.conditioning(item, host.silence_of(vae))
        return io.NodeOutput(positive, host.null(positive), host.canvas(item.frames, batch_size))

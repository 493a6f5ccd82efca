"""Lyrics in time: when each word is sung, as text and as files."""

from comfy_api.latest import io, ui

from ..ace_core.alignment.lyric_tokens import lyric_tokens
from ..ace_core.alignment.timed_lyrics import FORMATS, TimedLine, timed_lines
from ..ace_core.alignment.timestamps import token_spans
from ..ace_core.errors import InvalidRequestError
from ..ace_core.timing import seconds_of
from ..ace_core.types import Song
from . import folders
from .sockets import LyricTimestampsSocket, SongSocket, TextEncoderInput
from .typed import checked
from .vae import CATEGORY

Timestamps = tuple[tuple[TimedLine, ...], ...]  # the lines of each item


def finished_inputs() -> list[io.Input]:
    """A finished song, and what it was made from."""
    return [
        io.Model.Input("model", tooltip="The diffusion model that made the song."),
        TextEncoderInput.Input("text_encoder", tooltip="Its tokenizer splits the lyrics."),
        SongSocket.Input("song", tooltip="The song that the task node was given."),
        io.Conditioning.Input("positive", tooltip="The task, as the sampler had it."),
        io.Latent.Input("latent", tooltip="The finished music, from the sampler."),
    ]


def heads_input() -> io.String.Input:
    return io.String.Input(
        "heads",
        default="",
        optional=True,
        advanced=True,
        tooltip="Layers and attention heads that follow the lyrics, as in 2: 6; 3: 10, 11. Empty: "
        "the published ones of the model.",
    )


class AceStepLyricTimes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LyricTimes",
            display_name="ACE-Step Lyric Timestamps",
            category=CATEGORY,
            description="Finds when each word of a finished song is sung, from the diffusion "
            "model's cross-attention. No other model is needed.",
            search_aliases=["ace step", "lrc", "karaoke", "subtitles", "synced lyrics"],
            inputs=[*finished_inputs(), heads_input()],
            outputs=[
                LyricTimestampsSocket.Output(
                    display_name="timestamps", tooltip="Lines and words in time."
                ),
                io.String.Output(display_name="lrc", tooltip="The first item's lines, as LRC."),
            ],
        )

    @classmethod
    def execute(
        cls, model, text_encoder, song: Song, positive: list, latent: dict, heads: str = ""
    ) -> io.NodeOutput:
        from . import host

        tokens = lyric_tokens(host.text_encoder_of(text_encoder).tokenizer, song)
        maps = host.lyric_maps(model, positive, latent, tokens, heads)
        seconds = seconds_of(host.music_frames(latent))
        timestamps = tuple(timed_lines(tokens, token_spans(each, seconds)) for each in maps)
        return io.NodeOutput(timestamps, lyric_text(timestamps[0], "lrc", False))


def lyric_text(lines: tuple[TimedLine, ...], form: str, sections: bool) -> str:
    """Timed lines in one of the formats, with section tags if `sections`."""
    _, write = FORMATS[form]
    return write([line for line in lines if sections or line.sung])


def _format_inputs() -> list[io.Input]:
    return [
        io.Combo.Input(
            "format",
            options=list(FORMATS),
            default="lrc",
            tooltip="lrc: one timestamp per line. karaoke: LRC with one per word. srt: subtitles.",
        ),
        io.Boolean.Input(
            "sections",
            default=False,
            tooltip="Keep the lines of section tags such as [Chorus].",
        ),
    ]


class AceStepLyricsText(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LyricsText",
            display_name="ACE-Step Lyrics to Text",
            category=CATEGORY,
            description="Writes timed lyrics as text: LRC, karaoke or subtitles.",
            search_aliases=["ace step", "lrc text", "srt text", "karaoke text"],
            inputs=[
                LyricTimestampsSocket.Input(
                    "timestamps", tooltip="From ACE-Step Lyric Timestamps."
                ),
                *_format_inputs(),
                io.Int.Input("item", default=1, min=1, max=64, tooltip="Which item of the batch."),
            ],
            outputs=[io.String.Output(display_name="text", tooltip="The lyrics with times.")],
        )

    @classmethod
    def execute(
        cls, timestamps: Timestamps, format: str, sections: bool, item: int
    ) -> io.NodeOutput:
        if item > len(timestamps):
            raise InvalidRequestError(
                f"Item {item} is asked for, but the batch has {len(timestamps)}. Lower `item`."
            )
        return io.NodeOutput(lyric_text(timestamps[item - 1], format, sections))


class AceStepSaveLyrics(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SaveLyrics",
            display_name="ACE-Step Save Lyrics",
            category=CATEGORY,
            description="Saves timed lyrics to the output folder: LRC, karaoke or subtitles.",
            search_aliases=["ace step", "export lrc", "export srt", "save karaoke"],
            inputs=[
                LyricTimestampsSocket.Input(
                    "timestamps", tooltip="Each item of a batch becomes a file."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="audio/ACE-Step",
                    tooltip="Name of the file, with folders inside the output folder if you like.",
                ),
                *_format_inputs(),
            ],
            outputs=[io.String.Output(display_name="text", tooltip="What the first file holds.")],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None) -> bool | str:
        return checked(folders.check_prefix, filename_prefix)

    @classmethod
    def execute(
        cls, timestamps: Timestamps, filename_prefix: str, format: str, sections: bool
    ) -> io.NodeOutput:
        suffix, _ = FORMATS[format]
        texts = [lyric_text(lines, format, sections) for lines in timestamps]
        place = folders.output(filename_prefix)
        contents = [{f"_.{suffix}": folders.text_content(f"{text}\n")} for text in texts]
        files = [write()[0] for write in place.writes(contents)]
        shown = "\n\n".join(f"{path.name}\n{text}" for path, text in zip(files, texts, strict=True))
        return io.NodeOutput(texts[0], ui=ui.PreviewText(shown))

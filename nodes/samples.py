"""Songs that the language model words: from an idea, from a draft, or from what codes play."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.constants import BATCH_RANGE, LANGUAGES, SECONDS_RANGE
from ..ace_core.errors import InvalidRequestError
from ..ace_core.lm import functions
from ..ace_core.lm.picking import CALM
from ..ace_core.lm.plan import Sample
from ..ace_core.types import AudioCodes, Song
from .plan import CATEGORY
from .planned import plain
from .sockets import CodesSocket, SongSocket
from .song import AUTO
from .writing import lm_input, report, text_inputs, text_options, writer


class AceStepCreateSample(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15CreateSample",
            display_name="ACE-Step Create Sample",
            category=CATEGORY,
            description="Makes a whole song of an idea: caption, lyrics, tempo, key and all.",
            search_aliases=["ace step", "inspiration", "idea", "simple mode", "write lyrics"],
            inputs=[
                lm_input(),
                io.String.Input(
                    "query",
                    multiline=True,
                    default="",
                    tooltip="The idea, in a sentence or two. Empty: the model surprises.",
                    placeholder="a song for a rainy Sunday morning",
                ),
                io.Boolean.Input("instrumental", default=False, tooltip="Nobody sings."),
                io.Combo.Input(
                    "language",
                    options=[AUTO, *LANGUAGES],
                    default=AUTO,
                    tooltip="Language of the lyrics, by its code.",
                ),
                io.Float.Input(
                    "seconds",
                    default=0.0,
                    min=0.0,
                    max=SECONDS_RANGE[1],
                    step=0.1,
                    tooltip=f"Length, {SECONDS_RANGE[0]:g} to {SECONDS_RANGE[1]:g} seconds. 0: the "
                    "model chooses it.",
                ),
                *text_inputs(),
            ],
            outputs=_outputs("The whole song."),
        )

    @classmethod
    def execute(
        cls,
        lm,
        query: str,
        instrumental: bool,
        language: str,
        seconds: float,
        **writing: Any,
    ) -> io.NodeOutput:
        lm = writer(lm)
        sample = functions.create_sample(
            lm,
            query,
            instrumental,
            None if language == AUTO else language,
            text_options(lm, writing),
            seconds or None,
        )
        return _said(sample)


class AceStepFormatSample(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15FormatSample",
            display_name="ACE-Step Format Sample",
            category=CATEGORY,
            description="Words a draft as the models were trained: a richer caption, lyrics with "
            "section tags, and what was left open. What the song states stays as it is.",
            search_aliases=["ace step", "polish", "enhance prompt", "structure lyrics"],
            inputs=[
                lm_input(),
                SongSocket.Input("song", tooltip="The draft."),
                *text_inputs(),
            ],
            outputs=_outputs("The song, polished."),
        )

    @classmethod
    def execute(cls, lm, song: Song, **writing: Any) -> io.NodeOutput:
        lm = writer(lm)
        return _said(functions.format_sample(lm, plain(song), text_options(lm, writing)))


class AceStepUnderstand(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = BATCH_RANGE
        return io.Schema(
            node_id="AceStep15Understand",
            display_name="ACE-Step Understand",
            category=CATEGORY,
            description="Describes what audio codes play: style, tempo, key, language and lyrics.",
            search_aliases=["ace step", "analyse", "transcribe", "caption audio", "detect bpm"],
            inputs=[
                lm_input(),
                CodesSocket.Input("codes", tooltip="The music, from Encode Codes."),
                *text_inputs(CALM.temperature),
                io.Int.Input(
                    "item",
                    default=smallest,
                    min=smallest,
                    max=largest,
                    advanced=True,
                    tooltip="Which of several pieces to describe.",
                ),
            ],
            outputs=_outputs("What was heard, as a song."),
        )

    @classmethod
    def execute(cls, lm, codes: tuple[AudioCodes, ...], item: int, **writing: Any) -> io.NodeOutput:
        if item > len(codes):
            raise InvalidRequestError(
                f"Piece {item} was asked for, but there are {len(codes)}. Set `item` to 1 to "
                f"{len(codes)}."
            )
        lm = writer(lm)
        return _said(functions.understand(lm, codes[item - 1], text_options(lm, writing)))


def _outputs(tooltip: str) -> list[io.Output]:
    return [
        SongSocket.Output(display_name="song", tooltip=tooltip),
        io.String.Output(display_name="report", tooltip="Metadata and lyrics, in words."),
        io.String.Output(display_name="text", tooltip="What the model wrote, word for word."),
    ]


def _said(sample: Sample) -> io.NodeOutput:
    found = sample.reply
    words = report(found.metadata, found.unread, sample.song.lyrics)
    return io.NodeOutput(sample.song, words, sample.text)

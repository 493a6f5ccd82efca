"""Audio codes as material: from audio, to text and back, cut, joined and repeated.

The socket carries one `AudioCodes` a piece, as a tuple: one piece, or several variations.
"""

from typing import Any

from comfy_api.latest import io

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.waveform import model_audio
from ..ace_core.conditioning.context import check_code_frames
from ..ace_core.constants import BPM_RANGE, CODE_RATE, LONGEST_SECONDS
from ..ace_core.errors import InvalidCodesError, InvalidRequestError
from ..ace_core.latents import latent_samples
from ..ace_core.lm import codes as material
from ..ace_core.measure.beats import bar_span
from ..ace_core.timing import frames_in
from ..ace_core.types import AudioCodes
from .beats import Grids, beats_input
from .dynamic import chosen
from .sockets import CodesSocket
from .song import CATEGORY, METERS
from .typed import checked

Pieces = tuple[AudioCodes, ...]
_TOKENS, _NUMBERS = "tokens", "numbers"
_SECONDS, _BARS = "seconds", "bars"
_LONGEST_NUMBER = 10_000


class AceStepEncodeCodes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15EncodeCodes",
            display_name="ACE-Step Encode Codes",
            category=CATEGORY,
            description="Encodes music as audio codes, five per second: its melody, rhythm and "
            "arrangement without its timbre. Connect audio or a latent.",
            search_aliases=["ace step", "audio to codes", "tokenize audio"],
            inputs=[
                io.Model.Input(
                    "model", tooltip="The diffusion model, which holds the code tokenizer."
                ),
                io.Vae.Input("vae", tooltip="Encodes the audio, and silence for padding."),
                io.Audio.Input("audio", optional=True, tooltip="Any rate, mono or stereo."),
                io.Latent.Input("latent", optional=True, tooltip="Instead of audio."),
            ],
            outputs=[CodesSocket.Output(display_name="codes", tooltip="One piece per item.")],
        )

    @classmethod
    def execute(
        cls, model, vae, audio: dict | None = None, latent: dict | None = None
    ) -> io.NodeOutput:
        from . import host

        if (audio is None) == (latent is None):
            raise InvalidRequestError(
                "Codes are encoded from audio or from a latent, one of them. Connect exactly one."
            )
        if audio is not None:
            sound = model_audio(*unpack_audio(audio))
            check_code_frames(frames_in(sound.shape[-1]))
            latent = host.encode(vae, sound)
        samples = latent_samples(latent)
        check_code_frames(samples.shape[-1])
        return io.NodeOutput(host.encode_codes(model, samples, host.silence_of(vae)))


class AceStepCodesToText(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15CodesToText",
            display_name="ACE-Step Codes to Text",
            category=CATEGORY,
            description="Writes audio codes as text, to keep, edit or share them.",
            search_aliases=["ace step", "print codes", "save codes"],
            inputs=[
                CodesSocket.Input("codes", tooltip="The codes to write."),
                io.Combo.Input(
                    "format",
                    options=[_TOKENS, _NUMBERS],
                    default=_TOKENS,
                    tooltip="tokens: as the official tools write them. numbers: 123, 456.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="text", tooltip="Variations are separated by an empty line."
                )
            ],
        )

    @classmethod
    def execute(cls, codes: Pieces, format: str) -> io.NodeOutput:
        write = material.write_codes if format == _TOKENS else _numbers
        return io.NodeOutput("\n\n".join(write(piece) for piece in codes))


def _numbers(codes: AudioCodes) -> str:
    return ", ".join(map(str, codes.values))


class AceStepTextToCodes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15TextToCodes",
            display_name="ACE-Step Text to Codes",
            category=CATEGORY,
            description="Reads audio codes from text.",
            search_aliases=["ace step", "parse codes", "load codes"],
            inputs=[
                io.String.Input(
                    "text",
                    multiline=True,
                    default="",
                    dynamic_prompts=False,
                    tooltip="Codes as tokens, or as numbers: 123, 456; 0 to 63999. An empty line "
                    "begins another variation.",
                    placeholder="<|audio_code_123|><|audio_code_456|>",
                )
            ],
            outputs=[CodesSocket.Output(display_name="codes", tooltip="The codes as one value.")],
        )

    @classmethod
    def validate_inputs(cls, text: str | None) -> bool | str:
        return checked(_read, text)

    @classmethod
    def execute(cls, text: str) -> io.NodeOutput:
        return io.NodeOutput(_read(text))


def _read(text: str) -> Pieces:
    """The codes of every paragraph.

    Raises:
        InvalidCodesError: there are none, or something in the text is no code.
    """
    paragraphs = [part for part in _paragraphs(text) if part.strip()] or [""]
    return tuple(material.read_codes(part) for part in paragraphs)


def _paragraphs(text: str) -> list[str]:
    return "\n".join(line.strip() for line in text.splitlines()).split("\n\n")


class AceStepSliceCodes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SliceCodes",
            display_name="ACE-Step Slice Codes",
            category=CATEGORY,
            description="Cuts a piece out of audio codes, by seconds or by bars.",
            search_aliases=["ace step", "cut codes", "trim codes"],
            inputs=[
                CodesSocket.Input("codes", tooltip="The codes to cut."),
                io.DynamicCombo.Input(
                    "by",
                    options=[
                        io.DynamicCombo.Option(_SECONDS, _second_inputs()),
                        io.DynamicCombo.Option(_BARS, _bar_inputs()),
                    ],
                    tooltip="Unit of the start and the length.",
                ),
                beats_input(
                    "For bars, from ACE-Step Measure of the recording that was encoded: they are "
                    "the measured ones, in place of bpm and time_signature."
                ),
            ],
            outputs=[CodesSocket.Output(display_name="codes", tooltip="The piece.")],
        )

    @classmethod
    def execute(
        cls, codes: Pieces, by: dict[str, Any] | None = None, beats: Grids | None = None
    ) -> io.NodeOutput:
        by = chosen(by, "by", (_SECONDS, _BARS))
        if by["by"] == _BARS and beats is not None:
            return io.NodeOutput(_by_measured_bars(codes, by, beats))
        cut = _by_seconds if by["by"] == _SECONDS else _by_bars
        return io.NodeOutput(tuple(cut(piece, by) for piece in codes))


def _by_seconds(piece: AudioCodes, by: dict[str, Any]) -> AudioCodes:
    return material.slice_codes(piece, by["start"], by["end"] or piece.seconds)


def _by_bars(piece: AudioCodes, by: dict[str, Any]) -> AudioCodes:
    meter = METERS[by["time_signature"]]
    return material.slice_bars(piece, by["first_bar"], by["bars"], by["bpm"], meter)


def _by_measured_bars(codes: Pieces, by: dict[str, Any], beats: Grids) -> Pieces:
    """One recording's bars serve all variations.

    Raises:
        InvalidRequestError: another number of recordings was measured, or one has no such bars.
    """
    if len(beats) not in (1, len(codes)):
        raise InvalidRequestError(
            f"The beats of {len(beats)} recordings are connected, but there are {len(codes)} "
            "pieces of codes. Measure the recordings that were encoded, or one for all."
        )
    spans = [bar_span(grid, by["first_bar"], by["bars"]) for grid in beats]
    spans = spans * len(codes) if len(spans) == 1 else spans
    return tuple(material.slice_nearest(*pair) for pair in zip(codes, spans, strict=True))


def _second_inputs() -> list[io.Input]:
    return [
        _seconds_input("start", "Start of the piece, in seconds."),
        _seconds_input("end", "End of the piece, in seconds. 0: the end of the codes."),
    ]


def _seconds_input(name: str, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=0.0, min=0.0, max=LONGEST_SECONDS, step=1 / CODE_RATE, tooltip=tooltip
    )


def _bar_inputs() -> list[io.Input]:
    slowest, fastest = BPM_RANGE
    return [
        io.Int.Input(
            "first_bar", default=1, min=1, max=_LONGEST_NUMBER, tooltip="Bars are counted from 1."
        ),
        io.Int.Input("bars", default=4, min=1, max=_LONGEST_NUMBER, tooltip="How many bars."),
        io.Int.Input("bpm", default=120, min=slowest, max=fastest, tooltip="Beats per minute."),
        io.Combo.Input(
            "time_signature", options=list(METERS), default="4/4", tooltip="Beats in a bar."
        ),
    ]


class AceStepJoinCodes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15JoinCodes",
            display_name="ACE-Step Join Codes",
            category=CATEGORY,
            description="Concatenates two pieces of audio codes, and repeats the result.",
            search_aliases=["ace step", "concatenate codes", "repeat codes", "loop"],
            inputs=[
                CodesSocket.Input("first", tooltip="The first piece."),
                CodesSocket.Input("second", optional=True, tooltip="The second piece."),
                io.Int.Input(
                    "repeats",
                    default=1,
                    min=1,
                    max=100,
                    tooltip="How often the result is repeated.",
                ),
            ],
            outputs=[CodesSocket.Output(display_name="codes", tooltip="All of it as one.")],
        )

    @classmethod
    def execute(cls, first: Pieces, repeats: int, second: Pieces | None = None) -> io.NodeOutput:
        follow = _for_each(first, second)
        joined = (material.join_codes(pair) for pair in follow)
        return io.NodeOutput(tuple(material.repeat_codes(piece, repeats) for piece in joined))


def _for_each(first: Pieces, second: Pieces | None) -> list[tuple[AudioCodes, ...]]:
    """What is to be joined, by variation; one piece serves all variations of the other side."""
    if second is None:
        return [(piece,) for piece in first]
    count = max(len(first), len(second))
    if {len(first), len(second)} - {1, count}:
        raise InvalidCodesError(
            f"{len(first)} variations cannot be joined with {len(second)}. Give as many on both "
            "sides, or one on one side."
        )
    left, right = (pieces * count if len(pieces) == 1 else pieces for pieces in (first, second))
    return list(zip(left, right, strict=True))

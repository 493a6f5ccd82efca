"""Audio codes as text and as sequences: read, write, slice, join, repeat.

A code is five frames, a fifth of a second. Nothing here knows a model: audio is encoded and codes
are decoded by `models/codes.py`.
"""

import math
import re
from collections.abc import Sequence

from ..constants import BPM_RANGE, CODE_RATE, TIME_SIGNATURES
from ..errors import InvalidCodesError
from ..timing import codes_for
from ..types import AudioCodes
from .vocabulary import CODE_PATTERN, code_token

END_TOKENS = re.compile(r"<\|(im_end|endoftext)\|>")


def write_codes(codes: AudioCodes) -> str:
    """`<|audio_code_N|>` for each code: the tokens of the language model as text."""
    return "".join(code_token(code) for code in codes.values)


def read_codes(text: str) -> AudioCodes:
    """Codes from `<|audio_code_N|>` tokens or from numbers with commas or spaces between them.

    Raises:
        InvalidCodesError: there is no code in the text, something else is, or a code is out of
            range.
    """
    text = END_TOKENS.sub(" ", text)
    if "<|audio_code_" in text:
        numbers, rest = CODE_PATTERN.findall(text), CODE_PATTERN.sub(" ", text)
    else:
        number = r"(?<![\w.-])-?\d{1,9}(?![\w.-])"
        numbers, rest = re.findall(number, text), re.sub(number, " ", text)
    stray = re.sub(r"[\s,;\[\]]+", " ", rest).split()
    if stray:
        raise InvalidCodesError(
            f"{stray[0][:40]!r} is no audio code. Write codes as <|audio_code_123|> or as numbers "
            "with commas between them, and nothing else."
        )
    if not numbers:
        raise InvalidCodesError(
            "There are no audio codes in this text. Write them as <|audio_code_123|> or as "
            "numbers with commas between them."
        )
    return AudioCodes(tuple(int(number) for number in numbers))


def slice_codes(codes: AudioCodes, start: float, stop: float) -> AudioCodes:
    """The codes from `start` to `stop`, in seconds.

    Raises:
        InvalidCodesError: the piece lies outside the codes or holds none.
    """
    if not (math.isfinite(start * CODE_RATE) and math.isfinite(stop * CODE_RATE)):
        raise InvalidCodesError(
            f"There is no piece from {start} to {stop} seconds. Give numbers of seconds."
        )
    first, end = codes_for(start), codes_for(stop)
    if not 0 <= first < end <= len(codes):
        raise InvalidCodesError(
            f"There is no piece from {start:g} to {stop:g} seconds in {len(codes)} codes, which "
            f"play {codes.seconds:g} seconds. Choose a later end than beginning, at least "
            f"{1 / CODE_RATE:g} seconds apart and inside the codes."
        )
    return AudioCodes(codes.values[first:end])


def slice_nearest(codes: AudioCodes, span: tuple[float, float]) -> AudioCodes:
    """The codes that begin nearest to the start of `span`, in seconds, as many as come nearest to
    its length, so that repeats keep its tempo. Where that is one code more than there are, it is
    left out.

    Raises:
        InvalidCodesError: the span lies outside the codes or is shorter than half a code.
    """
    start, stop = span
    first, count = round(start * CODE_RATE), round((stop - start) * CODE_RATE)
    end = first + count
    if end == len(codes) + 1 and round(stop * CODE_RATE) <= len(codes):
        end -= 1
    if not 0 <= first < end <= len(codes):
        raise InvalidCodesError(
            f"There is no piece from {start:.2f} to {stop:.2f} seconds in {len(codes)} codes, "
            f"which play {codes.seconds:g} seconds. Measure the recording that was encoded."
        )
    return AudioCodes(codes.values[first:end])


def slice_bars(
    codes: AudioCodes, first: int, count: int, bpm: int, time_signature: int
) -> AudioCodes:
    """`count` bars from bar `first`, counted from 1; their times are rounded down to codes.

    Raises:
        InvalidCodesError: the bars lie outside the codes.
    """
    if first < 1 or count < 1:
        raise InvalidCodesError(
            f"{count} bars from bar {first} are no piece. Bars are counted from 1; take at least 1."
        )
    bar = bar_seconds(bpm, time_signature)
    return slice_codes(codes, (first - 1) * bar, (first - 1 + count) * bar)


def bar_seconds(bpm: int, time_signature: int) -> float:
    """Seconds of a bar of 2, 3 or 4 beats; 6 stands for 6/8, whose six eighths are three beats.

    Raises:
        InvalidCodesError: there is no such tempo or time signature.
    """
    slowest, fastest = BPM_RANGE
    if not slowest <= bpm <= fastest or time_signature not in TIME_SIGNATURES:
        raise InvalidCodesError(
            f"{bpm} BPM in time signature {time_signature} has no bars. Give {slowest} to "
            f"{fastest} BPM and one of {', '.join(map(str, TIME_SIGNATURES))}."
        )
    beats = 3 if time_signature == 6 else time_signature
    return beats * 60 / bpm


def join_codes(pieces: Sequence[AudioCodes]) -> AudioCodes:
    """The pieces, one after the other.

    Raises:
        InvalidCodesError: there is nothing to join.
    """
    if not pieces:
        raise InvalidCodesError("There are no audio codes to join. Connect at least one piece.")
    return AudioCodes(tuple(code for piece in pieces for code in piece.values))


def repeat_codes(codes: AudioCodes, times: int) -> AudioCodes:
    """The codes `times` times over.

    Raises:
        InvalidCodesError: `times` is below 1.
    """
    if times < 1:
        raise InvalidCodesError(f"Codes cannot be repeated {times} times. Repeat them 1 or more.")
    return AudioCodes(codes.values * times)

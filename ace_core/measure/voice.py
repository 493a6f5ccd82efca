"""When somebody sings, from a stem that has the vocals alone.

Whether there is a voice in a mix is not measured: see docs/measure.md for what was tried.
"""

from typing import Final

import torch
from torch import Tensor

from ..audio.waveform import check_waveform
from ..errors import InvalidRequestError
from .beats import SAME_LENGTH
from .levels import BLOCK, block_levels, runs_of

QUIETEST: Final = -50.0  # dB of full scale: what a separation leaves of other parts is below
RANGE: Final = 30.0  # dB below the stem's loud blocks that still count
LOUD: Final = 0.95  # share of the blocks that are quieter than a loud one
BREATH: Final = 0.3  # seconds: a shorter pause is within a phrase
SHORTEST: Final = 0.1  # seconds of a phrase

Spans = tuple[tuple[float, float], ...]  # start and end in seconds


def phrases(vocals: Tensor, rate: int) -> Spans:
    """When the stem [C, N] sounds; pauses shorter than `BREATH` are filled.

    Raises:
        InvalidAudioError: see `check_waveform`.
    """
    check_waveform(vocals[None], rate)
    size = max(1, round(BLOCK * rate))
    levels, step = block_levels(vocals.float().cpu(), size), size / rate
    loud = float(torch.quantile(levels, LOUD, interpolation="higher"))
    found: list[tuple[float, float]] = []
    for first, end in runs_of(levels > max(QUIETEST, loud - RANGE)):
        if found and first * step - found[-1][1] < BREATH:
            found[-1] = (found[-1][0], end * step)
        else:
            found.append((first * step, end * step))
    seconds = vocals.shape[-1] / rate
    return tuple((a, min(b, seconds)) for a, b in found if b - a >= SHORTEST)


def check_same_music(audio: Tensor, rate: int, vocals: Tensor, vocals_rate: int) -> None:
    """`audio` and `vocals`, the stem, each [B, C, N].

    Raises:
        InvalidRequestError: they are not as many or not as long.
    """
    seconds, sung = audio.shape[-1] / rate, vocals.shape[-1] / vocals_rate
    if len(vocals) != len(audio) or abs(seconds - sung) > SAME_LENGTH:
        raise InvalidRequestError(
            f"The vocals are {len(vocals)} of {sung:.2f} seconds, but the audio is {len(audio)} of "
            f"{seconds:.2f} seconds. Give the vocals of the same recording."
        )


def phrase_lines(spans: Spans, seconds: float) -> list[str]:
    """Spans of singing as text."""
    if not spans:
        return ["vocals: none"]
    total = sum(end - start for start, end in spans)
    times = ", ".join(f"{start:.1f}–{end:.1f}" for start, end in spans)
    return [f"vocals: {total:.1f} s, {total / seconds:.0%} of the recording: {times} s"]

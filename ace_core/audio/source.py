"""The audio that a task starts from: what is refused, and how it is brought to the models' form."""

from typing import Final

from torch import Tensor

from ..constants import CODE_RATE, LONGEST_SECONDS, SAMPLE_RATE
from ..errors import InvalidAudioError
from .waveform import check, model_audio, silent

SHORTEST_SOURCE: Final = 1 / CODE_RATE  # seconds: one audio code


def source_audio(waveform: Tensor, rate: int, name: str = "source") -> Tensor:
    """`waveform` [1, C, N] as the models hear it, [1, 2, N] at 48 kHz; `name` is for messages.

    Raises:
        InvalidAudioError: no audio, several items, silent, or of a length that cannot be used.
    """
    check(waveform, rate)
    if waveform.shape[0] != 1:
        raise InvalidAudioError(
            f"The {name} has {waveform.shape[0]} items, but one song starts from one. Pick one of "
            "them first."
        )
    seconds = waveform.shape[-1] / rate
    if not SHORTEST_SOURCE <= seconds <= LONGEST_SECONDS:
        raise InvalidAudioError(
            f"The {name} is {seconds:.2f} seconds long, but the models hear {SHORTEST_SOURCE:g} to "
            f"{LONGEST_SECONDS:g}. Give a clip of a length in between."
        )
    if silent(waveform):
        raise InvalidAudioError(f"The {name} is silent. Give a clip with sound in it.")
    return model_audio(waveform, rate)


def padded(audio: Tensor, left: int, right: int) -> Tensor:
    """`audio` [B, 2, N] with `left` and `right` samples of digital silence around it."""
    empty = audio.new_zeros(*audio.shape[:-1], left + audio.shape[-1] + right)
    empty[..., left : left + audio.shape[-1]] = audio
    return empty


def seconds_of_audio(audio: Tensor) -> float:
    """Playing time of 48 kHz audio [B, 2, N]."""
    return audio.shape[-1] / SAMPLE_RATE

"""The audio that a task starts from: what is refused, and how it is brought to the models' form."""

from typing import Final

from torch import Tensor

from ..constants import BATCH_RANGE, CODE_RATE, LONGEST_SECONDS, SAMPLE_RATE
from ..errors import InvalidAudioError
from .waveform import check, model_audio, silent

SHORTEST_SOURCE: Final = 1 / CODE_RATE  # seconds: one audio code


def source_audio(waveform: Tensor, rate: int, name: str = "source", most: int = 1) -> Tensor:
    """`waveform` [B, C, N] as the models hear it, [B, 2, N] at 48 kHz; `name` is for messages.

    Raises:
        InvalidAudioError: no audio, more than `most` items, one of them silent, or of a length
            that cannot be used.
    """
    check(waveform, rate)
    count = waveform.shape[0]
    if count > most:
        takes = "one song starts from one" if most == 1 else f"at most {most} are made at once"
        raise InvalidAudioError(
            f"The {name} has {count} items, but {takes}. Pick some of them first."
        )
    seconds = waveform.shape[-1] / rate
    if not SHORTEST_SOURCE <= seconds <= LONGEST_SECONDS:
        raise InvalidAudioError(
            f"The {name} is {seconds:.2f} seconds long, but the models hear {SHORTEST_SOURCE:g} to "
            f"{LONGEST_SECONDS:g}. Give a clip of a length in between."
        )
    for item, clip in enumerate(waveform.split(1), start=1):
        if silent(clip):
            which = name if count == 1 else f"{name}'s item {item} of {count}"
            raise InvalidAudioError(f"The {which} is silent. Give a clip with sound in it.")
    return model_audio(waveform, rate)


def sources_audio(waveform: Tensor, rate: int) -> Tensor:
    """One source for all songs of a batch, or one for each, [B, 2, N] at 48 kHz.

    Raises:
        InvalidAudioError: as `source_audio`.
    """
    return source_audio(waveform, rate, most=BATCH_RANGE[1])


def padded(audio: Tensor, left: int, right: int) -> Tensor:
    """`audio` [B, 2, N] with `left` and `right` samples of digital silence around it."""
    empty = audio.new_zeros(*audio.shape[:-1], left + audio.shape[-1] + right)
    empty[..., left : left + audio.shape[-1]] = audio
    return empty


def seconds_of_audio(audio: Tensor) -> float:
    """Playing time of 48 kHz audio [B, 2, N]."""
    return audio.shape[-1] / SAMPLE_RATE

"""All measurements of one recording, and what they say of a song that was asked for."""

from dataclasses import dataclass

from torch import Tensor

from ..audio.waveform import check_waveform
from .chroma import chroma
from .key import Key, key
from .levels import Levels, levels
from .meter import Meter, meter
from .onsets import onsets
from .pitch_classes import pitch_classes
from .tempo import Tempo, tempo


@dataclass(frozen=True, slots=True)
class Measurement:
    """`seconds` of playing time; a part is None where the recording has too little of it."""

    seconds: float
    tempo: Tempo | None
    meter: Meter | None
    key: Key | None
    levels: Levels


def measure(audio: Tensor, rate: int) -> Measurement:
    """Measure one item [C, N] at `rate` Hz.

    Raises:
        InvalidAudioError: see `check_waveform`.
    """
    check_waveform(audio[None], rate)
    begun, pitches = onsets(audio, rate), chroma(audio, rate)
    pulse = tempo(begun)
    return Measurement(
        seconds=audio.shape[1] / rate,
        tempo=pulse,
        meter=None if pulse is None else meter(pulse.beats, begun, pitches),
        key=key(pitch_classes(audio, rate, pitches.tuning), pitches.tuning),
        levels=levels(audio, rate),
    )

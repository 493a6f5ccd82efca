"""Tempo and key of a finished recording changed by small amounts, each without the other.

The recording is stretched at its own pitch and then played faster or slower, which moves the
pitch. What is changed more than a little sounds changed, so the limits are narrow.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InvalidRequestError
from .vocoder import stretched
from .waveform import check_waveform

TEMPO_LIMIT: Final = 6.0  # percent, up and down
KEY_LIMIT: Final = 2.0  # semitones, up and down
ZERO_CROSSINGS: Final = 24  # of the sinc on each side
ROLLOFF: Final = 0.95  # cutoff as a part of the lower Nyquist frequency
PHASES: Final = 1_024  # filters between two samples; between them is interpolated
BLOCK: Final = 2**16  # samples that are made at once


@dataclass(frozen=True, slots=True)
class Change:
    """`tempo` in percent, 2 is 2 % faster; `semitones` up.

    Raises:
        InvalidRequestError: outside `TEMPO_LIMIT` or `KEY_LIMIT`, or not finite.
    """

    tempo: float = 0.0
    semitones: float = 0.0

    def __post_init__(self) -> None:
        for name, value, limit, unit in (
            ("tempo", self.tempo, TEMPO_LIMIT, "%"),
            ("key", self.semitones, KEY_LIMIT, "semitones"),
        ):
            if not abs(value) <= limit + 1e-9:
                raise InvalidRequestError(
                    f"The {name} of a recording cannot be changed by {value:+.4g} {unit}: at most "
                    f"{limit:g} {unit} up or down are. For more, make the song again."
                )

    @property
    def speed(self) -> float:
        """New tempo over old tempo."""
        return 1 + self.tempo / 100

    @property
    def pitch(self) -> float:
        """New frequency over old frequency."""
        return 2 ** (self.semitones / 12)


def changed(audio: Tensor, rate: int, change: Change) -> Tensor:
    """`audio` [B, C, N] with `change`, [B, C, round(N / speed)] on the same device; without any
    change the same tensor.

    Raises:
        InvalidAudioError: see `check_waveform`.
    """
    check_waveform(audio, rate)
    if change == Change():
        return audio
    samples = max(1, round(audio.shape[-1] / change.speed))
    needed = math.ceil(samples * change.pitch)
    factor = change.pitch / change.speed
    made = torch.stack(
        [played(stretched(item, rate, factor, needed), change.pitch, samples) for item in audio]
    )
    return made.to(audio)


def played(audio: Tensor, step: float, samples: int) -> Tensor:
    """[C, N] at the places 0, `step`, 2 `step` ..., [C, samples], by a windowed sinc: the sound of
    a record that turns `step` times as fast. Beyond its ends is silence."""
    if step == 1.0:
        return F.pad(audio, (0, max(0, samples - audio.shape[1])))[:, :samples]
    filters = _filters(min(1.0, 1 / step) * ROLLOFF).to(audio)  # [PHASES + 1, taps]
    taps = filters.shape[1]
    left = taps // 2 - 1
    padded = F.pad(audio, (left, taps + math.ceil(samples * step)))
    made = []
    for first in range(0, samples, BLOCK):
        places = torch.arange(first, min(first + BLOCK, samples), dtype=torch.float64) * step
        whole = places.long()
        phase = (places - whole) * PHASES
        lower = phase.long()
        part = (phase - lower).to(audio)[:, None]
        kernel = torch.lerp(filters[lower], filters[lower + 1], part)  # [n, taps]
        windows = padded.unfold(1, taps, 1)[:, whole]  # [C, n, taps]
        made.append(torch.einsum("cnk,nk->cn", windows, kernel))
    return torch.cat(made, dim=1)


def _filters(cutoff: float) -> Tensor:
    """Filter for each part of a sample, [PHASES + 1, taps]: row p is at p / PHASES after the
    middle tap."""
    half = math.ceil(ZERO_CROSSINGS / cutoff)
    taps = torch.arange(1 - half, half + 1, dtype=torch.float64)
    parts = torch.arange(PHASES + 1, dtype=torch.float64) / PHASES
    time = (taps - parts[:, None]) * cutoff  # in zero crossings
    window = torch.cos((time / ZERO_CROSSINGS).clamp(-1, 1) * math.pi / 2).square()
    rows = torch.sinc(time) * window
    return rows / rows.sum(dim=1, keepdim=True)

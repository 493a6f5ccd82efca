"""Any sample rate to any other by a windowed sinc, as torchaudio's Resample with its defaults.

Written here because the official code resamples with torchaudio, its numbers are the ones to
match, and nothing else would need that package.
"""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InvalidAudioError

ZERO_CROSSINGS: Final = 6  # of the sinc on each side
ROLLOFF: Final = 0.99  # cutoff as a part of the lower Nyquist frequency
LARGEST_KERNEL: Final = 2**26  # numbers; rates with no common divisor would need gigabytes


def resample(audio: Tensor, rate: int, new_rate: int) -> Tensor:
    """Audio [B, C, N] at `rate` Hz to [B, C, ceil(N * new_rate / rate)].

    Raises:
        InvalidAudioError: the two rates have too small a common divisor.
    """
    divisor = math.gcd(rate, new_rate)
    old, new = rate // divisor, new_rate // divisor
    if old == new:
        return audio
    width = math.ceil(ZERO_CROSSINGS * old / (min(old, new) * ROLLOFF))
    if new * (2 * width + old) > LARGEST_KERNEL:
        raise InvalidAudioError(
            f"{rate} Hz cannot be resampled to {new_rate} Hz: their common divisor is only "
            f"{divisor}. Convert the file to a usual rate (44100, 48000, 96000) first."
        )
    items, channels, samples = audio.shape
    rows = F.pad(audio.reshape(items * channels, 1, samples), (width, width + old))
    phases = F.conv1d(rows, _kernel(old, new, width).to(audio), stride=old)  # [B * C, new, N']
    resampled = phases.transpose(1, 2).reshape(items, channels, -1)
    return resampled[..., : math.ceil(samples * new / old)]


def _kernel(old: int, new: int, width: int) -> Tensor:
    """One filter a phase: `new` output samples from every `old` input samples, [new, 1, taps]."""
    cutoff = min(old, new) * ROLLOFF
    places = torch.arange(-width, width + old, dtype=torch.float64) / old
    phases = torch.arange(new, dtype=torch.float64) / new
    time = (places[None] - phases[:, None]) * cutoff  # [new, taps], in zero crossings
    time = time.clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS)
    window = torch.cos(time * math.pi / ZERO_CROSSINGS / 2).square()
    return (torch.sinc(time) * window * (cutoff / old))[:, None]

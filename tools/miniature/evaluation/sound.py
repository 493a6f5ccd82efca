"""What rolls sound like, and clicks in audio."""

from functools import lru_cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ace_core.constants import LATENT_HOP, SAMPLE_RATE

from ..codec.figures import si_sdr
from ..world.channels import ONSET
from ..world.sounds import sounds

ABOVE: Final = 14_000.0  # Hz: no sound of the world reaches it, a break in a wave does
NEAR: Final = 0.01  # seconds on either side of a place
WINDOW: Final = 512  # samples of one spectrum
CLICK: Final = -50.0  # dB; a crossfade of 5 ms stays below -49, cuts between two pieces come to -34


def audio_of(roll: Tensor) -> Tensor:
    """Audio [2, 1920 * T] of a roll [T, 64], quicker than `render` where all of it is struck a
    little."""
    audio = F.conv_transpose1d(roll.T[None], _sounds(), stride=LATENT_HOP)[0]
    return F.pad(audio, (ONSET, 0))[:, : len(roll) * LATENT_HOP]


def roll_si_sdr(estimate: Tensor, truth: Tensor) -> float:
    """Scale-invariant ratio of signal to distortion of the audio of two rolls [T, 64], dB."""
    return si_sdr(audio_of(estimate), audio_of(truth))


def click(audio: Tensor, second: float) -> float:
    """The loudest part above the world's sounds within 10 ms of a place in audio [2, N], in dB
    relative to the whole recording."""
    middle, reach = round(second * SAMPLE_RATE), round(NEAR * SAMPLE_RATE)
    around = audio[:, max(0, middle - reach) : middle + reach]
    windows = around.unfold(1, WINDOW, WINDOW // 4) * torch.hann_window(WINDOW)
    spectrum = torch.fft.rfft(windows).abs().square()
    first = round(ABOVE / SAMPLE_RATE * WINDOW)
    loudest = spectrum[..., first:].mean(dim=-1).sum(dim=0).max()
    power = audio.square().mean() * WINDOW
    return float(10 * torch.log10(loudest / power.clamp(min=1e-12) + 1e-20))


@lru_cache(maxsize=1)
def _sounds() -> Tensor:
    return sounds()

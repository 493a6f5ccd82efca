"""Rolls as audio: the sum of the sounds."""

import torch
from torch import Tensor

from ace_core.constants import LATENT_HOP

from .channels import ONSET, STEMS


def render(roll: Tensor, sounds: Tensor, shift: float = 0.0) -> Tensor:
    """Audio [2, 1920 * T] of a roll [T, 64]; every stroke `shift` frames later."""
    late = ONSET + round(shift * LATENT_HOP)
    length = len(roll) * LATENT_HOP
    audio = torch.zeros(2, length + late + sounds.shape[2])
    for frame, channel in roll.nonzero().tolist():
        first = frame * LATENT_HOP + late
        audio[:, first : first + sounds.shape[2]] += roll[frame, channel] * sounds[channel]
    return audio[:, :length]


def stem_rolls(roll: Tensor) -> dict[str, Tensor]:
    """The roll [T, 64] of each stem that plays."""
    stems: dict[str, Tensor] = {}
    for name, channels in STEMS.items():
        alone = torch.zeros_like(roll)
        alone[:, list(channels)] = roll[:, list(channels)]
        if alone.any():
            stems[name] = alone
    return stems

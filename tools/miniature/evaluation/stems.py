"""Which stems play in a roll, and how well a number tells those asked for from the others."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from ..world.channels import STEMS
from .strokes import onsets

FEWEST: Final = 0.15  # strokes per second of a stem that plays


def energies(roll: Tensor) -> dict[str, float]:
    """The energy of each stem's strokes per frame of a roll [T, 64]."""
    return {
        name: float(roll[:, list(channels)].square().sum(1).mean())
        for name, channels in STEMS.items()
    }


def playing(roll: Tensor) -> tuple[str, ...]:
    """The stems of a roll that begin a sound often enough, in the order of STEMS."""
    begun = onsets(roll).float()
    least = FEWEST * len(roll) / 25
    return tuple(n for n, channels in STEMS.items() if begun[:, list(channels)].sum() >= least)


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Area under the ROC curve: how often a positive one scores higher than another.

    Raises:
        ValueError: all of them are positive, or none.
    """
    values, asked = torch.tensor(scores), torch.tensor(positive)
    ours, others = values[asked], values[~asked]
    if not len(ours) or not len(others):
        raise ValueError("AUC needs positive and negative cases")
    pairs = (ours[:, None] > others).double() + 0.5 * (ours[:, None] == others).double()
    return float(pairs.mean())

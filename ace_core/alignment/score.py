"""How well the singing follows the lyrics, 0 to 1.

Source: acestep/core/scoring/dit_score.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from .path import Path, warp

HEARD: Final = 0.1  # a token that is never looked at more than this is not sung
LOOKED: Final = 0.01  # looks below this say nothing about when
SLACK: Final = 9.0  # frames (of 12.5 a second) that a token may come too early


@dataclass(frozen=True, slots=True)
class AlignmentScore:
    """`coverage`: the share of tokens that are sung. `order`: of neighbours that are in order.
    `confidence`: how surely the model looks at the word that it sings."""

    coverage: float
    order: float
    confidence: float

    @property
    def total(self) -> float:
        return min(max(self.coverage**2 * self.order**2 * self.confidence, 0.0), 1.0)


def alignment_score(maps: Tensor, sung: Sequence[bool]) -> AlignmentScore:
    """Of `maps` [K, L', S]; `sung` [L'] is false for section tags."""
    energy = _energy(maps)
    path = warp(-(energy**2))
    lyrics = torch.tensor(sung)
    wide = torch.from_numpy(energy).double()
    return AlignmentScore(_coverage(wide[lyrics]), _order(wide[lyrics]), _confidence(wide, path))


def _energy(maps: Tensor) -> np.ndarray:
    """The heads' mean [L', S], stretched to 0 to 1."""
    mean = maps.float().cpu().mean(dim=0).numpy()
    low, high = mean.min(), mean.max()
    return (mean - low) / (high - low) if high - low > 1e-9 else np.zeros_like(mean)


def _coverage(energy: Tensor) -> float:
    return (energy.amax(dim=1) > HEARD).double().mean().item()


def _order(energy: Tensor) -> float:
    weights = torch.where(energy > LOOKED, energy, 0.0)
    total = weights.sum(dim=1)
    frames = torch.arange(energy.shape[1], dtype=torch.float64)
    centres = ((weights * frames).sum(dim=1) / total)[total > 1e-9]
    if len(centres) < 2:
        return 1.0
    return (centres[1:] >= centres[:-1] - SLACK).double().mean().item()


def _confidence(energy: Tensor, path: Path) -> float:
    return energy[path.tokens, path.frames].mean().item()

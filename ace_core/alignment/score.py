"""How well the singing follows the lyrics, 0 to 1.

Source: acestep/core/scoring/dit_score.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from .timestamps import WarpingPath, dynamic_time_warping

COVERAGE_THRESHOLD: Final = 0.1  # a token whose energy is never above this is not sung
CENTROID_THRESHOLD: Final = 0.01  # energy up to this does not count towards a token's time
ORDER_TOLERANCE: Final = 9.0  # frames (12.5 per second) that a token may come too early


@dataclass(frozen=True, slots=True)
class AlignmentScore:
    """`coverage`: the share of tokens that are sung. `order`: of neighbours that are in order.
    `confidence`: the mean energy along the path."""

    coverage: float
    order: float
    confidence: float

    @property
    def total(self) -> float:
        return min(max(self.coverage**2 * self.order**2 * self.confidence, 0.0), 1.0)


def alignment_score(maps: Tensor, sung: Sequence[bool]) -> AlignmentScore:
    """The score of `maps` [K, L', S]; `sung` [L'] is false for section tags."""
    energy = _energy(maps)
    path = dynamic_time_warping(-(energy**2))
    lyrics = torch.tensor(sung)
    exact = torch.from_numpy(energy).double()
    return AlignmentScore(_coverage(exact[lyrics]), _order(exact[lyrics]), _confidence(exact, path))


def _energy(maps: Tensor) -> np.ndarray:
    """The mean over the heads [L', S], scaled to 0 to 1."""
    mean = maps.float().cpu().mean(dim=0).numpy()
    low, high = mean.min(), mean.max()
    return (mean - low) / (high - low) if high - low > 1e-9 else np.zeros_like(mean)


def _coverage(energy: Tensor) -> float:
    return (energy.amax(dim=1) > COVERAGE_THRESHOLD).double().mean().item()


def _order(energy: Tensor) -> float:
    weights = torch.where(energy > CENTROID_THRESHOLD, energy, 0.0)
    total = weights.sum(dim=1)
    frames = torch.arange(energy.shape[1], dtype=torch.float64)
    centroids = ((weights * frames).sum(dim=1) / total)[total > 1e-9]
    if len(centroids) < 2:
        return 1.0
    return (centroids[1:] >= centroids[:-1] - ORDER_TOLERANCE).double().mean().item()


def _confidence(energy: Tensor, path: WarpingPath) -> float:
    return energy[path.tokens, path.frames].mean().item()

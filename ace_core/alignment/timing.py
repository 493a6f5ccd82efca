"""From where the model looked to when each token is sung.

Source: acestep/core/scoring/dit_alignment.py.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from .path import warp

SUPPRESSION: Final = 2.0  # medians that are taken off, of every token and of every frame


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds."""

    start: float
    end: float


def spans(maps: Tensor, seconds: float) -> tuple[Span, ...]:
    """When each token of `maps` [K, L', S] is sung, in a song of `seconds`."""
    matrix = contrast(maps)
    path = warp(-matrix.astype(np.float64))
    frame = seconds / matrix.shape[-1]
    # a path visits every token, in order
    starts = np.searchsorted(path.tokens, np.arange(len(matrix)), side="left")
    ends = np.searchsorted(path.tokens, np.arange(len(matrix)), side="right") - 1
    times = path.frames * frame
    return tuple(
        Span(float(times[first]), float(times[last]))
        for first, last in zip(starts, ends, strict=True)
    )


def contrast(maps: Tensor) -> np.ndarray:
    """[K, L', S] to one matrix [L', S] in which what a token and a frame have for each other alone
    stands out, in units of its own spread."""
    agreed = torch.stack([_agreed(each) for each in maps.float().cpu()])
    std, mean = torch.std_mean(agreed, unbiased=False)
    return ((agreed - mean) / (std + 1e-9)).mean(dim=0).numpy()


def _agreed(looks: Tensor) -> Tensor:
    """One head [L', S]: token to frame and frame to token, without what is everywhere."""
    both = looks.softmax(dim=-1) * looks.softmax(dim=-2)
    for side in (-1, -2):
        both = (both - SUPPRESSION * both.quantile(0.5, dim=side, keepdim=True)).relu()
    return both**2

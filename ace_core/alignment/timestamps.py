"""From attention maps to the time when each token is sung, by dynamic time warping.

Source: acestep/core/scoring/dit_alignment.py.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

SUPPRESSION: Final = 2.0  # medians subtracted, of every token and of every frame
_DIAGONAL, _TOKEN, _FRAME = 0, 1, 2  # which of the two a step advances


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, in seconds."""

    start: float
    end: float


def token_spans(maps: Tensor, seconds: float) -> tuple[Span, ...]:
    """When each token of `maps` [K, L', S] is sung, in a song of `seconds`."""
    matrix = contrast(maps)
    path = dynamic_time_warping(-matrix.astype(np.float64))
    seconds_per_frame = seconds / matrix.shape[-1]
    # a path visits every token, in order
    starts = np.searchsorted(path.tokens, np.arange(len(matrix)), side="left")
    ends = np.searchsorted(path.tokens, np.arange(len(matrix)), side="right") - 1
    times = path.frames * seconds_per_frame
    return tuple(
        Span(float(times[first]), float(times[last]))
        for first, last in zip(starts, ends, strict=True)
    )


def contrast(maps: Tensor) -> np.ndarray:
    """[K, L', S] to one matrix [L', S], standardised, in which a token and a frame stand out that
    attend to each other alone."""
    mutual = torch.stack([_mutual_attention(head) for head in maps.float().cpu()])
    std, mean = torch.std_mean(mutual, unbiased=False)
    return ((mutual - mean) / (std + 1e-9)).mean(dim=0).numpy()


def _mutual_attention(weights: Tensor) -> Tensor:
    """One head [L', S]: token to frame times frame to token, without what is common to a whole row
    or column."""
    mutual = weights.softmax(dim=-1) * weights.softmax(dim=-2)
    for dim in (-1, -2):
        mutual = (mutual - SUPPRESSION * mutual.quantile(0.5, dim=dim, keepdim=True)).relu()
    return mutual**2


@dataclass(frozen=True, slots=True, eq=False)
class WarpingPath:
    """The token and the frame of every step, from the first of both to the last of both."""

    tokens: np.ndarray  # [P] int
    frames: np.ndarray  # [P] int


def dynamic_time_warping(cost: np.ndarray) -> WarpingPath:
    """The path of least `cost` [N, M] in which neither tokens nor frames go back.

    Among equally cheap steps the one that advances the frame is taken. Sums are in float64, as in
    the official code once it is compiled: other sums would break ties differently.
    """
    rows, columns = cost.shape
    previous = np.full(rows + 1, np.inf, np.float64)  # sums on the previous diagonal, by row
    second_previous = np.full(rows + 1, np.inf, np.float64)  # and on the one before that
    second_previous[0] = 0
    moves = np.empty((rows, columns), np.int8)
    for diagonal in range(rows + columns - 1):  # cells with row + column = diagonal
        top, bottom = max(0, diagonal - columns + 1), min(rows - 1, diagonal)
        row = np.arange(top, bottom + 1)
        both, token, frame = second_previous[row], previous[row], previous[row + 1]
        move = np.where((both < token) & (both < frame), _DIAGONAL, _FRAME)
        move[(token < both) & (token < frame)] = _TOKEN
        cheapest = np.choose(move, (both, token, frame))
        sums = np.full(rows + 1, np.inf, np.float64)
        sums[row + 1] = cost[row, diagonal - row] + cheapest
        moves[row, diagonal - row] = move
        second_previous, previous = previous, sums
    return _backtrack(moves)


def _backtrack(moves: np.ndarray) -> WarpingPath:
    row, column = moves.shape[0] - 1, moves.shape[1] - 1
    steps = []
    while row >= 0 and column >= 0:
        steps.append((row, column))
        move = moves[row, column]
        row -= move != _FRAME
        column -= move != _TOKEN
    tokens, frames = np.array(steps[::-1]).T
    return WarpingPath(tokens, frames)

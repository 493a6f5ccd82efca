"""Dynamic time warping: the cheapest way through a matrix of tokens by frames."""

from dataclasses import dataclass

import numpy as np

_DIAGONAL, _TOKEN, _FRAME = 0, 1, 2  # which of the two moved last


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Every step's token and frame, from the first of both to the last of both."""

    tokens: np.ndarray  # [P] int
    frames: np.ndarray  # [P] int


def warp(cost: np.ndarray) -> Path:
    """The path of least `cost` [N, M] in which neither tokens nor frames go back.

    Where ways are equally cheap the frame moves. Sums are kept in float64, as in the official
    code once it is compiled: other sums would break ties differently.
    """
    rows, columns = cost.shape
    last = np.full(rows + 1, np.inf, np.float64)  # sums on the diagonal before, by row
    before = np.full(rows + 1, np.inf, np.float64)  # and on the one before that
    before[0] = 0
    moves = np.empty((rows, columns), np.int8)
    for diagonal in range(rows + columns - 1):  # cells with row + column = diagonal
        top, bottom = max(0, diagonal - columns + 1), min(rows - 1, diagonal)
        row = np.arange(top, bottom + 1)
        both, token, frame = before[row], last[row], last[row + 1]
        move = np.where((both < token) & (both < frame), _DIAGONAL, _FRAME)
        move[(token < both) & (token < frame)] = _TOKEN
        cheapest = np.choose(move, (both, token, frame))
        sums = np.full(rows + 1, np.inf, np.float64)
        sums[row + 1] = cost[row, diagonal - row] + cheapest
        moves[row, diagonal - row] = move
        before, last = last, sums
    return _back(moves)


def _back(moves: np.ndarray) -> Path:
    row, column = moves.shape[0] - 1, moves.shape[1] - 1
    steps = []
    while row >= 0 and column >= 0:
        steps.append((row, column))
        move = moves[row, column]
        row -= move != _FRAME
        column -= move != _TOKEN
    tokens, frames = np.array(steps[::-1]).T
    return Path(tokens, frames)

"""Dynamic time warping, against every path there is."""

from itertools import product

import numpy as np
import pytest

from ace_core.alignment.timestamps import dynamic_time_warping


def cheapest(cost: np.ndarray) -> float:
    """By trying all paths of a small matrix."""
    rows, columns = cost.shape

    def least(row: int, column: int) -> float:
        if (row, column) == (rows - 1, columns - 1):
            return float(cost[row, column])
        steps = [(row + 1, column + 1), (row + 1, column), (row, column + 1)]
        inside = [step for step in steps if step[0] < rows and step[1] < columns]
        return float(cost[row, column]) + min(least(*step) for step in inside)

    return least(0, 0)


@pytest.mark.parametrize("shape", list(product((1, 2, 4), (1, 3, 5))))
def test_the_path_costs_least_and_never_goes_back(shape: tuple[int, int]) -> None:
    cost = np.random.default_rng(sum(shape)).normal(size=shape)
    path = dynamic_time_warping(cost)
    assert cost[path.tokens, path.frames].sum() == pytest.approx(cheapest(cost), abs=1e-12)
    assert (path.tokens[0], path.frames[0]) == (0, 0)
    assert (path.tokens[-1] + 1, path.frames[-1] + 1) == shape
    steps = np.diff(path.tokens), np.diff(path.frames)
    assert set(steps[0]) | set(steps[1]) <= {0, 1}
    assert all(steps[0] + steps[1] > 0)


def test_among_equally_cheap_paths_the_frame_advances_last() -> None:
    path = dynamic_time_warping(np.zeros((2, 3)))
    assert path.tokens.tolist() == [0, 1, 1, 1]
    assert path.frames.tolist() == [0, 0, 1, 2]


def test_a_song_of_ten_minutes_takes_seconds_at_most(benchmark_cost: np.ndarray) -> None:
    path = dynamic_time_warping(benchmark_cost)
    assert len(path.tokens) >= max(benchmark_cost.shape)


@pytest.fixture
def benchmark_cost() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(300, 1500))

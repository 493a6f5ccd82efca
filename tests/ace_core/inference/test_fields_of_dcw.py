"""The fields of DCW: each alone moves the bands of a step that it is said to move, and by how much.

A step of Euler takes x [B, T, C] at flow time t to x + (t' - t) v; what DCW adds to it is seen in
the next forward. With Haar the low band is the sum of each pair of frames, the high band their
difference.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from .watched import Run, Runs, changes, same

STEPS: dict[str, Any] = {"inference_steps": 3}


def bands(run: Run, step: int = 1) -> tuple[Tensor, Tensor]:
    """What was added to the low and to the high band in a step; in the first, at t = 1, the high
    band has no weight."""
    first, second = run.forwards[step : step + 2]
    added = second.x - (first.x + (second.t - first.t) * first.velocity)
    even, odd = added[:, 0::2].double(), added[:, 1::2].double()
    return even + odd, even - odd


def moved(band: Tensor) -> bool:
    return float(band.abs().max()) > 1e-4


@changes("dcw_enabled")
def test_dcw_is_on_for_turbo_and_off_for_base_unless_it_is_given(runs: Runs):
    base: dict[str, Any] = {"model": "base", "guidance_scale": 1.0, **STEPS}
    assert [moved(band) for band in bands(runs(**STEPS))] == [True, True]
    assert [moved(band) for band in bands(runs(**STEPS, dcw_enabled=False))] == [False, False]
    assert [moved(band) for band in bands(runs(**base))] == [False, False]
    assert [moved(band) for band in bands(runs(**base, dcw_enabled=True))] == [True, True]


@pytest.mark.parametrize(
    ("mode", "low", "high"),
    [("low", True, False), ("high", False, True), ("double", True, True), ("pix", True, True)],
)
@changes("dcw_mode")
def test_a_mode_names_the_bands_that_are_moved(runs: Runs, mode: str, low: bool, high: bool):
    found = bands(runs(**STEPS, dcw_mode=mode))
    assert [moved(band) for band in found] == [low, high]


@changes("dcw_scaler", "dcw_high_scaler")
def test_a_scaler_moves_its_band_in_proportion(runs: Runs):
    def low(scaler: float) -> Tensor:
        return bands(runs(**STEPS, dcw_scaler=scaler, dcw_high_scaler=0.0), step=0)[0]

    def high(scaler: float) -> Tensor:  # the first step is left as it is
        return bands(runs(**STEPS, dcw_scaler=0.0, dcw_high_scaler=scaler))[1]

    for band in (low, high):
        assert moved(band(0.1))
        assert not moved(band(0.0))
        torch.testing.assert_close(band(0.3), 3 * band(0.1), atol=1e-5, rtol=0)


@changes("dcw_wavelet")
def test_the_wavelet_is_haar_by_either_name(runs: Runs):
    assert same(runs(**STEPS, dcw_wavelet="db1"), runs(**STEPS))
    assert "haar" in str(runs(dcw_wavelet="db4").result.error)

"""The encoder: the roll of a recording, estimated from its coefficients.

Two kernels of 20 steps make a window of 40 around each frame. What such a window holds is linear in
the strokes of the frames about it, so the best linear estimate follows from the sounds and from how
strokes go together: no recording is needed. With M the windows of single strokes, C the covariance
of strokes and s the noise, the filter is M' (C M M' + s^2)^-1 C, of the size of the strokes alone.
"""

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS
from ace_core.models.vae import Oobleck

from .decoder import SCALE, SEGMENT, STEPS
from .outer import delay, weight
from .transform import COEFFICIENTS

FRAME: Final = 10  # steps
WINDOW: Final = 2 * SEGMENT  # steps
AHEAD: Final = 1  # taps, of 9 steps each, that the last residual unit reads ahead
FIRST: Final = -15 + 9 * AHEAD  # step of the window's first, from that of the frame
LAGS: Final = range(-((FIRST + WINDOW - 1) // FRAME), (STEPS - 1 - FIRST) // FRAME + 1)  # frames
NOISE: Final = 3e-3  # of each coefficient: 40 dB on its own pieces, and foreign noise not blown up
SPREAD: Final = -9.0  # of the posterior, before softplus


def filters(kernels: Tensor, covariance: Tensor) -> Tensor:
    """[40, 96, 64]: what estimates a roll from windows, for sounds [64, 80, 96] and the covariance
    of strokes as `covariance` makes it."""
    seen = _windows_of_strokes(kernels).double()  # [lags * 64, 40 * 96]
    own = slice(LAGS.index(0) * LATENT_CHANNELS, (LAGS.index(0) + 1) * LATENT_CHANNELS)
    noise = NOISE**2 * torch.eye(len(seen), dtype=torch.float64)
    solved = torch.linalg.solve(covariance @ seen @ seen.T + noise, covariance[:, own])
    return (seen.T @ solved).float().view(WINDOW, COEFFICIENTS, LATENT_CHANNELS)


def covariance(rolls: Iterable[Tensor]) -> Tensor:
    """Of the strokes within reach of a window, [lags * 64, lags * 64], over rolls [T, 64]."""
    size, frames = len(LAGS) * LATENT_CHANNELS, 0
    total = torch.zeros(size, size, dtype=torch.float64)
    for roll in rolls:
        padded = torch.nn.functional.pad(roll.double(), (0, 0, LAGS[-1], -LAGS[0]))
        shifted = [padded[LAGS[-1] - lag :][: len(roll)] for lag in LAGS]
        near = torch.stack(shifted, dim=1).flatten(1)  # [T, lags * 64]
        total += near.T @ near
        frames += len(roll)
    return total / frames


def _windows_of_strokes(kernels: Tensor) -> Tensor:
    """[lags * 64, 40 * 96]: the window of a frame that sees one stroke, `lag` frames before."""
    seen = torch.zeros(len(LAGS), LATENT_CHANNELS, WINDOW, COEFFICIENTS)
    for place, lag in enumerate(LAGS):
        begin = FIRST + FRAME * lag  # step of the sound that is the window's first
        here = slice(max(0, begin), min(STEPS, begin + WINDOW))
        seen[place, :, here.start - begin : here.stop - begin] = kernels[:, here]
    return seen.flatten(2).flatten(0, 1)


def write_encoder(model: Oobleck, estimate: Tensor) -> None:
    """Write the filter [40, 96, 64] into an encoder that has the transform."""
    block = model.encoder.block[-1]
    last = weight(model.encoder, "conv2")  # [128, 256, 3]
    kernel = weight(block, "conv1")  # [256, 96, 20]
    halves = (SCALE * estimate).view(2, SEGMENT, COEFFICIENTS, LATENT_CHANNELS)
    for half, tap in enumerate((0, 2)):
        rows = slice(half * LATENT_CHANNELS, (half + 1) * LATENT_CHANNELS)
        kernel[rows] = halves[half].permute(2, 1, 0)
        last[:LATENT_CHANNELS, rows, tap] = torch.eye(LATENT_CHANNELS)
    model.encoder.conv2.get_parameter("bias")[LATENT_CHANNELS:] = SPREAD
    delay(block.get_submodule("res_unit3"), -AHEAD)

"""The lapped transform between audio and the coefficients on which the codec works.

An MDCT of 192 bins with a sine window, of which the lowest MID are kept of the sum of both sides
and the lowest SIDE of their difference. It is orthonormal, and exact for sounds within those bands.
Source: Princen, Johnson, Bradley 1987.
"""

import math
from typing import Final

import torch
from torch import Tensor

from ..world.channels import STEP

MID: Final = 80  # bins of 125 Hz
SIDE: Final = 16
COEFFICIENTS: Final = MID + SIDE
WINDOW: Final = 2 * STEP  # samples


def basis() -> Tensor:
    """[96, 2, 384]: what each coefficient is the product with, on both sides."""
    n = torch.arange(WINDOW, dtype=torch.float64)
    k = torch.arange(STEP, dtype=torch.float64)[:, None]
    window = torch.sin(math.pi * (n + 0.5) / WINDOW)
    mdct = window * torch.cos(math.pi / STEP * (n + 0.5 + STEP / 2) * (k + 0.5))
    mdct *= math.sqrt(2 / STEP)
    sides = torch.tensor([1.0, 1.0], dtype=torch.float64), torch.tensor([1.0, -1.0])
    halves = (mdct[:MID], sides[0]), (mdct[:SIDE], sides[1])
    parts = [bins[:, None, :] * side[None, :, None] / math.sqrt(2) for bins, side in halves]
    return torch.cat(parts).float()


def analyse(audio: Tensor) -> Tensor:
    """Audio [..., 2, 192 * S] -> coefficients [..., S, 96]; step s reads from half a step before
    its own 192 samples to half a step behind them."""
    padded = torch.nn.functional.pad(audio, (STEP // 2, STEP // 2))
    windows = padded.unfold(-1, WINDOW, STEP)  # [..., 2, S, 384]
    return torch.einsum("...csn,kcn->...sk", windows, basis())

"""The VAE's outermost blocks in short windows, where their tensors would be largest.

128 channels at 48 kHz are 25 MB a second. On a CPU such tensors leave the cache between any two
operations, and the memory, not the arithmetic, sets the pace. A window that fits the cache goes
through all operations before the next one starts; it sees more than it keeps, as far as the
convolutions reach, so the result is that of one pass. Other devices do one pass.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..timing import tiles

WINDOW = 8192  # audio samples kept at a time; 4096 to 16384 are within 5 % of each other
UNITS = 3 * (1 + 3 + 9)  # samples that a block's three residual units reach
FIRST = 3  # samples that the convolution next to the audio reaches


def grow_in_windows(stage: Callable[[Tensor], Tensor], x: Tensor, strides: Sequence[int]) -> Tensor:
    """`stage(x)` [B, W, n] -> [B, 2, n * up]; `stage` is decoder blocks of these strides."""
    up = math.prod(strides)
    reach = FIRST
    for stride in reversed(strides):
        reach = math.ceil((reach + UNITS) / stride) + 1
    cut = tiles(x.shape[2], WINDOW // up, reach)
    if len(cut) == 1 or x.device.type != "cpu":
        return stage(x)
    parts = []
    for tile in cut:
        seen = x[
            :, :, tile.halo_start : tile.halo_stop
        ].clone()  # the stage overwrites what it is given
        kept = slice((tile.start - tile.halo_start) * up, (tile.stop - tile.halo_start) * up)
        parts.append(stage(seen)[:, :, kept])
    return torch.cat(parts, dim=2)


def shrink_in_windows(
    stage: Callable[[Tensor], Tensor], x: Tensor, strides: Sequence[int]
) -> Tensor:
    """`stage(x)` [B, 2, N] -> [B, W, N // down]; `stage` is encoder blocks of these strides."""
    down = math.prod(strides)
    reach, rate = FIRST, 1
    for stride in strides:  # in audio samples
        reach += rate * (UNITS + stride)
        rate *= stride
    total = x.shape[2] // down
    cut = tiles(total, WINDOW // down, math.ceil(reach / down))
    if len(cut) == 1 or x.device.type != "cpu":
        return stage(x)
    parts = []
    for tile in cut:
        end = (
            x.shape[2] if tile.halo_stop == total else tile.halo_stop * down
        )  # the tail is heard too
        made = stage(x[:, :, tile.halo_start * down : end])
        parts.append(made[:, :, tile.start - tile.halo_start : tile.stop - tile.halo_start])
    return torch.cat(parts, dim=2)

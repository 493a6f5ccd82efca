"""A random choice that a rounding error does not overturn.

Every token runs against a clock of its own: an exponential wait, divided by the token's weight. The
first to arrive is the choice, and each token is chosen as often as its weight says. The clocks
depend on a key and on the token's id alone, so weights that differ in their last bits (the same
item in a larger batch, on another device, scored beside other tokens) still choose the same token,
where a running sum would step over to a neighbour.
"""

from typing import Final

import torch
from torch import Tensor

# Source: the finaliser of splitmix64 (Steele, Lea, Flood 2014), as signed 64-bit numbers
_STRIDE: Final = 0x9E3779B97F4A7C15 - 2**64
_FIRST: Final = 0xBF58476D1CE4E5B9 - 2**64
_SECOND: Final = 0x94D049BB133111EB - 2**64


def race(weights: Tensor, keys: Tensor, tokens: Tensor | None = None) -> Tensor:
    """The column [B] that each row of `weights` [B, R] chooses; one without weight never is.

    `keys` [B] are int64, one a row and step; `tokens` [R] are the columns' ids, by default their
    places.
    """
    if tokens is None:
        tokens = torch.arange(weights.shape[-1], device=weights.device)
    waits = -uniform(keys, tokens).log() / weights  # no weight: an endless wait
    return waits.argmin(dim=-1)


def uniform(keys: Tensor, tokens: Tensor) -> Tensor:
    """Above 0 and below 1, [B, R], for each key [B] and token [R]."""
    mixed = keys[:, None] + (tokens + 1) * _STRIDE
    mixed = (mixed ^ _shifted(mixed, 30)) * _FIRST
    mixed = (mixed ^ _shifted(mixed, 27)) * _SECOND
    mixed = mixed ^ _shifted(mixed, 31)
    bits = 24 if mixed.device.type == "mps" else 52  # Apple's devices have no float64
    dtype = torch.float32 if bits == 24 else torch.float64
    return (_shifted(mixed, 64 - bits).to(dtype) + 0.5) / 2**bits


def _shifted(x: Tensor, places: int) -> Tensor:
    """`x` shifted right as if it had no sign."""
    return (x >> places) & ((1 << (64 - places)) - 1)

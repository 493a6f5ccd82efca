"""Logits to a token. One order, for every model and device:

    guidance -> mask -> repetition penalty -> temperature -> top-k -> min-p -> top-p -> race

All of it in float32, row by row, so that a row's token depends on its own logits alone. Ties at a
threshold are kept. The race is run on one key that the caller took from the item's generator.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ..errors import InvalidRequestError
from .race import race


def _check(name: str, value: float, fits: bool, allowed: str) -> None:
    if not fits:
        raise InvalidRequestError(f"`{name}` is {value:g}, but must be {allowed}. Change it.")


@dataclass(frozen=True, slots=True)
class Picking:
    """`temperature` 0 takes the likeliest token; `top_k` 0, `top_p` 1, `min_p` 0 and
    `repetition_penalty` 1 are off. The penalty is for tokens the item has already written.

    Raises:
        InvalidRequestError: a setting is out of range.
    """

    temperature: float = 0.85
    top_k: int = 0
    top_p: float = 0.9
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        _check("temperature", self.temperature, 0 <= self.temperature <= 2, "0 to 2")
        _check("top_k", self.top_k, self.top_k >= 0, "0 (off) or above")
        _check("top_p", self.top_p, 0 < self.top_p <= 1, "above 0, up to 1 (off)")
        _check("min_p", self.min_p, 0 <= self.min_p < 1, "0 (off) to below 1")
        penalty = self.repetition_penalty
        _check("repetition_penalty", penalty, 0 < penalty < math.inf, "above 0; 1 is off")


DEFAULT: Final = Picking()
CALM: Final = Picking(temperature=0.3)  # for describing what is there


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance of finite logits [B, R], in float32; no mask may come before it."""
    without = unconditional.float()
    return without + scale * (conditional.float() - without)


def pick(
    logits: Tensor,
    keys: Tensor,
    picking: Picking,
    mask: Tensor | None = None,
    seen: Tensor | None = None,
    tokens: Tensor | None = None,
) -> Tensor:
    """Column [B] of the token that each row of `logits` [B, R] leads to.

    `keys` [B] are random int64, `mask` [B, R] is true where a token is legal, `seen` [B, R] where
    it was written before, `tokens` [R] are the columns' ids, by default their places.
    """
    logits = logits.float()
    if mask is not None:
        logits = logits.masked_fill(~mask, -math.inf)
    if seen is not None and picking.repetition_penalty != 1:
        factor = picking.repetition_penalty
        penalised = torch.where(logits < 0, logits * factor, logits / factor)
        logits = torch.where(seen, penalised, logits)
    if picking.temperature == 0:
        return logits.argmax(dim=-1)
    return race(kept(logits / picking.temperature, picking), keys, tokens)


def kept(logits: Tensor, picking: Picking) -> Tensor:
    """Probabilities [B, R], not normalised, of what top-k, min-p and top-p leave; 0 elsewhere."""
    if 0 < picking.top_k < logits.shape[-1]:
        least = logits.topk(picking.top_k).values[..., -1:]
        logits = logits.masked_fill(logits < least, -math.inf)
    best = logits.max(dim=-1, keepdim=True).values
    weights = (logits - best).exp()  # the likeliest has weight 1
    if picking.min_p > 0:
        weights = weights * (weights >= picking.min_p)
    if picking.top_p < 1:
        weights = weights * (weights >= nucleus(weights, picking.top_p))
    return weights


def nucleus(weights: Tensor, top_p: float) -> Tensor:
    """The least weight, [B, 1], of the smallest set that holds `top_p` of the mass of [B, R].

    A token belongs to it while those above it hold no more than `top_p`.
    """
    rising = _sorted(weights)
    running = rising.cumsum(dim=-1, dtype=_wide(weights))
    total = running[:, -1:]
    inside = total - running <= top_p * total
    first = rising.shape[-1] - inside.sum(dim=-1, keepdim=True)
    return rising.gather(-1, first)


def _sorted(weights: Tensor) -> Tensor:
    """Values of each row, rising; on a CPU numpy's sort is some twenty times torch's."""
    if weights.device.type == "cpu":
        return torch.from_numpy(np.sort(weights.numpy(), axis=-1))
    return weights.sort(dim=-1).values


def _wide(weights: Tensor) -> torch.dtype:
    """What long sums are taken in; Apple's devices have no float64."""
    return torch.float32 if weights.device.type == "mps" else torch.float64

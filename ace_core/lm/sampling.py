"""Logits to a token. One order, for every model and device:

    guidance -> mask -> repetition penalty -> temperature -> top-k -> min-p -> top-p -> Gumbel-max

All of it in float32, row by row, so that a row's token depends on its own logits alone. Ties at a
threshold are kept.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ..errors import InvalidRequestError
from .grammar import Allowed

LEAST_TEMPERATURE: Final = 0.001  # beside 0; below it, logits by temperature overflow float32
PENALTY_RANGE: Final = (0.01, 100.0)  # likewise
SMALL_SET: Final = 1_024  # up to so many allowed tokens only their own logits are computed


def _check(name: str, value: float, fits: bool, allowed: str) -> None:
    if not fits:
        raise InvalidRequestError(f"`{name}` is {value:g}, but must be {allowed}. Change it.")


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """`temperature` 0 takes the likeliest token; `top_k` 0, `top_p` 1, `min_p` 0 and
    `repetition_penalty` 1 are off. The penalty is for tokens the sequence already holds, without
    its prompt.

    Raises:
        InvalidRequestError: a setting is out of range.
    """

    temperature: float = 0.85
    top_k: int = 0
    top_p: float = 0.9
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        fits = self.temperature == 0 or LEAST_TEMPERATURE <= self.temperature <= 2
        _check(
            "temperature", self.temperature, fits, f"0 to 2, and 0 or {LEAST_TEMPERATURE} at least"
        )
        _check("top_k", self.top_k, self.top_k >= 0, "0 (off) or above")
        _check("top_p", self.top_p, 0 < self.top_p <= 1, "above 0, up to 1 (off)")
        _check("min_p", self.min_p, 0 <= self.min_p < 1, "0 (off) to below 1")
        least, most = PENALTY_RANGE
        penalty = self.repetition_penalty
        allowed = f"above 0, from {least:g} to {most:g}; 1 is off"
        _check("repetition_penalty", penalty, least <= penalty <= most, allowed)


DEFAULT: Final = SamplingParams()  # of plans and codes, as GenerationParams has it
DESCRIBING: Final = SamplingParams(top_p=1.0)  # of descriptions, as understand_music has it


def apply_cfg(cond: Tensor, uncond: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance of finite logits [B, R], in float32; masks come after it."""
    uncond = uncond.float()
    return uncond + scale * (cond.float() - uncond)


def penalise(logits: Tensor, repeated: Tensor, penalty: float) -> Tensor:
    """Logits [B, R] with those where `repeated` [B, R] is true made less likely by `penalty`: a
    positive one divided, a negative one multiplied by it."""
    penalised = torch.where(logits < 0, logits * penalty, logits / penalty)
    return torch.where(repeated, penalised, logits)


def sample_token(
    logits: Tensor,
    keys: Tensor,
    params: SamplingParams,
    mask: Tensor | None = None,
    repeated: Tensor | None = None,
    token_ids: Tensor | None = None,
) -> Tensor:
    """Column [B] of the token drawn from each row of `logits` [B, R].

    `keys` [B] are random int64, `mask` [B, R] is true where a token is allowed, `repeated` [B, R]
    where the sequence already holds it; `token_ids` [R] are those of the columns, by default
    their indices.
    """
    logits = logits.float()
    if mask is not None:
        logits = logits.masked_fill(~mask, -math.inf)
    if repeated is not None and params.repetition_penalty != 1:
        logits = penalise(logits, repeated, params.repetition_penalty)
    if params.temperature == 0:
        return logits.argmax(dim=-1)
    return gumbel_max(filter_probs(logits / params.temperature, params), keys, token_ids)


def filter_probs(logits: Tensor, params: SamplingParams) -> Tensor:
    """Probabilities [B, R], scaled to a maximum of 1, after top-k, min-p and top-p; 0 elsewhere."""
    if 0 < params.top_k < logits.shape[-1]:
        least = logits.topk(params.top_k).values[..., -1:]
        logits = logits.masked_fill(logits < least, -math.inf)
    probs = (logits - logits.max(dim=-1, keepdim=True).values).exp()
    if params.min_p > 0:
        probs = probs * (probs >= params.min_p)
    if params.top_p < 1:
        probs = probs * (probs >= top_p_threshold(probs, params.top_p))
    return probs


def top_p_threshold(probs: Tensor, top_p: float) -> Tensor:
    """The least probability, [B, 1], of the smallest set that holds `top_p` of the sum of [B, R].

    A token belongs to it while those above it hold no more than `top_p`.
    """
    if probs.device.type == "cpu":  # numpy's sort is some twenty times torch's
        ascending = torch.from_numpy(np.sort(probs.numpy(), axis=-1))
    else:
        ascending = probs.sort(dim=-1).values
    # Apple's devices have no float64
    dtype = torch.float32 if probs.device.type == "mps" else torch.float64
    cumulative = ascending.cumsum(dim=-1, dtype=dtype)
    total = cumulative[:, -1:]
    inside = total - cumulative <= top_p * total
    first = ascending.shape[-1] - inside.sum(dim=-1, keepdim=True)
    return ascending.gather(-1, first)


# Source: the finaliser of splitmix64 (Steele, Lea, Flood 2014), as signed 64-bit numbers
_GAMMA: Final = 0x9E3779B97F4A7C15 - 2**64
_MIX_1: Final = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2: Final = 0x94D049BB133111EB - 2**64


def gumbel_max(probs: Tensor, keys: Tensor, token_ids: Tensor | None = None) -> Tensor:
    """Gumbel-max sampling: a column [B] of each row of `probs` [B, R], drawn in proportion.

    The Gumbel-max draw is argmax(log p + G), with Gumbel noise G = -log(-log u) and u uniform in
    (0, 1). With E = -log u, which is Exp(1), log p + G = -log(E / p); -log falls, so argmin(E / p)
    is the same draw. That form is computed here: `probs` need no logarithm and no normalisation,
    and p = 0 gives infinity, which is never the minimum.

    u depends on a row's key [B] (int64) and on the token's id alone. So probabilities that differ
    in their last bits (the same sequence in a larger batch, on another device, with logits of
    fewer tokens) still give the same token, where the inverse of a cumulative sum would give its
    neighbour.
    """
    if token_ids is None:
        token_ids = torch.arange(probs.shape[-1], device=probs.device)
    return (-uniform(keys, token_ids).log() / probs).argmin(dim=-1)


def uniform(keys: Tensor, token_ids: Tensor) -> Tensor:
    """Random numbers in (0, 1), [B, R], a hash of each key [B] and token id [R]."""
    x = keys[:, None] + (token_ids + 1) * _GAMMA
    x = (x ^ _shift_right(x, 30)) * _MIX_1
    x = (x ^ _shift_right(x, 27)) * _MIX_2
    x = x ^ _shift_right(x, 31)
    bits = 24 if x.device.type == "mps" else 52  # Apple's devices have no float64
    dtype = torch.float32 if bits == 24 else torch.float64
    return (_shift_right(x, 64 - bits).to(dtype) + 0.5) / 2**bits


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """A logical shift: int64 `x` as if it had no sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


class MaskCache:
    """Sets of allowed tokens as boolean masks over `vocab_range`, each made once."""

    def __init__(self, vocab_range: range, device: torch.device | str) -> None:
        self.vocab_range = vocab_range
        self.device = device
        self._masks: dict[Allowed, Tensor] = {}

    def stack(self, allowed: Sequence[Allowed]) -> Tensor | None:
        """[B, R], true where row b's token is allowed; `None` if every token is, in every row."""
        if all(each == self.vocab_range for each in allowed):
            return None
        return torch.stack([self._mask(each) for each in allowed])

    def _mask(self, allowed: Allowed) -> Tensor:
        if allowed not in self._masks:
            mask = torch.zeros(len(self.vocab_range), dtype=torch.bool)
            mask[logit_indices(allowed, self.vocab_range)] = True
            self._masks[allowed] = mask.to(self.device)
        return self._masks[allowed]


def logit_indices(token_ids: Iterable[int], vocab_range: range) -> Tensor:
    """Columns of the logits over `vocab_range` that belong to the tokens, ascending."""
    start = vocab_range.start
    return torch.tensor(sorted(i - start for i in token_ids if i in vocab_range), dtype=torch.long)

"""Checks of latents and flow times where they enter, from nodes or programs that are not ours."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .constants import LATENT_CHANNELS
from .errors import InvalidRequestError, InvalidScheduleError

_CONNECT = "Connect the latent of an ACE-Step node."


def latent_samples(latent: Any) -> Tensor:
    """The samples of a LATENT, which must be finite and [B, 64, T].

    Raises:
        InvalidRequestError: they are something else.
    """
    samples = latent.get("samples") if isinstance(latent, Mapping) else latent
    if not isinstance(samples, Tensor):
        raise InvalidRequestError(
            f"The latent holds a {type(samples).__name__}, not a tensor of samples. {_CONNECT}"
        )
    shape = list(samples.shape)
    if len(shape) != 3 or shape[1] != LATENT_CHANNELS or 0 in shape:
        raise InvalidRequestError(
            f"The latent has the shape {shape}, but ACE-Step 1.5 needs [batch, {LATENT_CHANNELS}, "
            f"frames]. {_CONNECT}"
        )
    if not samples.is_floating_point() or samples.element_size() < 2:
        raise InvalidRequestError(f"The latent is in {samples.dtype}, not in floats. {_CONNECT}")
    check_finite(samples, "latent")
    return samples


def check_finite(values: Tensor, name: str) -> None:
    """
    Raises:
        InvalidRequestError: some of `values` are NaN or infinite; `name` is for the message.
    """
    broken = int((~torch.isfinite(values)).sum())
    if broken:
        raise InvalidRequestError(
            f"{broken} of the {name}'s {values.numel()} values are NaN or infinite. Make it again; "
            "a model in fp16 that was made for bf16 gives such values."
        )


def check_sigmas(sigmas: Any) -> None:
    """
    Raises:
        InvalidScheduleError: `sigmas` are no two or more flow times [steps + 1] within 0 to 1.
    """
    advice = "Connect ACE-Step Schedule, or a scheduler of the model."
    if not isinstance(sigmas, Tensor) or sigmas.dim() != 1 or len(sigmas) < 2:
        found = list(sigmas.shape) if isinstance(sigmas, Tensor) else type(sigmas).__name__
        raise InvalidScheduleError(
            f"The sigmas are {found}, but two or more flow times are needed. {advice}"
        )
    for t in sigmas.tolist():
        if not 0 <= t <= 1 + 1e-6:
            raise InvalidScheduleError(
                f"The sigmas hold {t:g}, but flow times lie within 0 to 1. {advice}"
            )

"""Checks of latents, masks and flow times where they enter, from what is not ours."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .constants import LATENT_CHANNELS
from .errors import InvalidRequestError, InvalidScheduleError
from .texts import shown

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


def mask_columns(mask: Any) -> Tensor:
    """A MASK [W], [H, W] or [B, H, W] in floats [W], the largest value of each column.

    Raises:
        InvalidRequestError: it is something else, or not finite.
    """
    real = isinstance(mask, Tensor) and not mask.is_complex()
    if not real or not 1 <= mask.dim() <= 3 or not mask.numel():
        found = f"{list(mask.shape)} in {mask.dtype}" if isinstance(mask, Tensor) else type(mask)
        raise InvalidRequestError(
            f"The mask is {shown(found)}, but [batch, height, width] of numbers is needed. Connect "
            "ACE-Step Region Mask, or a node that paints one."
        )
    values = mask.float()
    check_finite(values, "mask")
    return values.reshape(-1, mask.shape[-1]).amax(dim=0)


def noise_mask(mask: Any) -> Tensor:
    """The mask of a LATENT as [B, C, T]. One that was painted, [B, 1, H, T], counts by the largest
    value of each column.

    Raises:
        InvalidRequestError: it is something else, or not finite.
    """
    real = isinstance(mask, Tensor) and mask.is_floating_point() and mask.element_size() > 1
    painted = real and mask.dim() == 4 and mask.shape[1] == 1
    if not real or not (painted or mask.dim() == 3) or not mask.numel():
        found = f"{list(mask.shape)} in {mask.dtype}" if isinstance(mask, Tensor) else type(mask)
        raise InvalidRequestError(
            f"The latent's mask is {shown(found)}, but floats [batch, channels, frames] or a MASK "
            "are needed. Set it with Set Latent Noise Mask, or leave it out."
        )
    check_finite(mask, "latent's mask")
    return mask.amax(dim=2) if painted else mask


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
        if isinstance(t, complex) or not 0 <= t <= 1 + 1e-6:
            raise InvalidScheduleError(
                f"The sigmas hold {t:g}, but flow times lie within 0 to 1. {advice}"
            )

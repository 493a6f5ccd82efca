"""Latents of one sound as a safetensors file, with the fingerprint of their VAE."""

from pathlib import Path
from typing import Final, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..constants import LATENT_CHANNELS
from ..errors import InvalidRequestError
from ..latents import check_finite
from ..texts import shown
from ..writing import Content, bytes_content

_LATENTS: Final = "latents"  # the tensor's key
_VAE: Final = "vae"  # in the file's metadata


class LatentFile(NamedTuple):
    """What such a file holds."""

    latents: Tensor  # [T, C] in float32
    vae: str


def latent_content(latents: Tensor, vae: str) -> Content:
    """What writes `latents` [T, C]."""
    return bytes_content(save({_LATENTS: latents.contiguous()}, {_VAE: vae}))


def read_latents(path: Path) -> LatentFile:
    """
    Raises:
        InvalidRequestError: it is no such file, or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            latents, vae = file.get_tensor(_LATENTS), (file.metadata() or {})[_VAE]
    except (OSError, KeyError, SafetensorError) as error:
        raise InvalidRequestError(
            f"{shown(path)} holds no latents that can be read ({shown(str(error))}). Remove it."
        ) from error
    if latents.dim() != 2 or latents.shape[1] != LATENT_CHANNELS or not latents.is_floating_point():
        raise InvalidRequestError(
            f"{shown(path)} holds {latents.dtype} {list(latents.shape)}, not latents [T, "
            f"{LATENT_CHANNELS}]. Remove it."
        )
    check_finite(latents, "file's latent")
    return LatentFile(latents.float(), vae)

"""Sources in the host's objects: audio to latents, and a LATENT that remembers what to put back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.conditioning.context import plain_source
from ...ace_core.types import Conditioning
from .conditioning import KEY
from .vae import encode


@dataclass(frozen=True, slots=True, eq=False)
class Splice:
    """The source's own sound around a repainted region, for whoever decodes the latent."""

    audio: Tensor  # [1 or B, 2, N] at 48 kHz, on the padded canvas
    spans: Sequence[tuple[float, float]]  # seconds that were played anew
    crossfade: float  # seconds


def encode_source(vae: Any, audio: Tensor) -> Tensor:
    """48 kHz stereo [B, 2, N] to latents of the core, [B, T, C]."""
    return encode(vae, audio)["samples"].transpose(1, 2)


def source_canvas(
    item: Conditioning, silence: Tensor, batch: int, kept: Splice | None = None
) -> dict[str, Any]:
    """A LATENT [B, C, T] that holds the source, so that any sampler may start from it."""
    start = plain_source(item, silence).transpose(1, 2)  # [1 or B, C, T]
    rest = comfy.model_management.intermediate_device()
    return {
        "samples": start.to(rest, torch.float32).expand(batch, -1, -1).clone(),
        "type": "audio",
        KEY: {"splice": kept},
    }

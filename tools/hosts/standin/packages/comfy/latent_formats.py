"""Stand-in for `comfy.latent_formats`."""

from collections.abc import Callable
from typing import ClassVar

import torch


class LatentFormat:
    scale_factor: ClassVar[float] = 1.0
    latent_channels: ClassVar[int] = 4
    latent_dimensions: ClassVar[int] = 2
    spacial_downscale_ratio: ClassVar[int] = 8
    latent_rgb_factors: ClassVar[list[list[float]] | None] = None
    latent_rgb_factors_bias: ClassVar[list[float] | None] = None
    latent_rgb_factors_reshape: Callable[[torch.Tensor], torch.Tensor] | None = None
    taesd_decoder_name: ClassVar[str | None] = None

    def process_in(self, latent: torch.Tensor) -> torch.Tensor:
        return latent * self.scale_factor

    def process_out(self, latent: torch.Tensor) -> torch.Tensor:
        return latent / self.scale_factor


class ACEAudio15(LatentFormat):
    latent_channels = 64
    latent_dimensions = 1

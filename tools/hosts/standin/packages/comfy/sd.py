"""Stand-in for `comfy.sd`: the host's smallest VAE, which a pack's own VAE fills in.

It has no network: whoever subclasses it decodes and encodes.
"""

from typing import Any

import torch

from . import model_management


class VAE:
    def __init__(
        self, sd: dict[str, Any] | None = None, dtype: torch.dtype | None = None, **_: Any
    ) -> None:
        if set(sd or {}) != {"pixel_space_vae"}:
            raise NotImplementedError("the stand-in has no autoencoder of its own")
        self.first_stage_model: Any = torch.nn.Identity()
        self.patcher: Any = None
        self.latent_dim, self.latent_channels, self.output_channels = 2, 3, 3
        self.downscale_ratio: Any = 1
        self.upscale_ratio: Any = 1
        self.pad_channel_value: Any = None
        self.crop_input = True
        self.disable_offload = False
        self.extra_1d_channel: Any = None
        self.audio_sample_rate = 44100
        self.working_dtypes = [torch.bfloat16, torch.float32]
        self.device = model_management.vae_device()
        self.output_device = model_management.intermediate_device()
        self.vae_dtype = dtype or model_management.vae_dtype(self.device, self.working_dtypes)
        self.size: int | None = None

    def model_size(self) -> int:
        self.size = self.size or model_management.module_size(self.first_stage_model)
        return self.size

    def vae_output_dtype(self) -> torch.dtype:
        return model_management.intermediate_dtype()

    def decode(self, samples_in: torch.Tensor, vae_options: Any = None) -> torch.Tensor:
        raise NotImplementedError

    def encode(self, pixel_samples: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def vae_encode_crop_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, N, channels] with the channels that the model has: cut, or the last one repeated."""
        if self.crop_input:
            raise NotImplementedError("the stand-in does not crop")
        missing = self.output_channels - pixels.shape[-1]
        if missing <= 0:
            return pixels[..., : self.output_channels]
        return torch.nn.functional.pad(pixels, (0, missing), mode=self.pad_channel_value)

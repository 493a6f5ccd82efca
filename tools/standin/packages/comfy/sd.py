"""Stand-in for `comfy.sd`: the empty VAE that a pack's own VAE fills in."""

import logging
from collections.abc import Callable
from typing import Any

import torch

from . import model_management


class VAE:
    """Decode and encode through `first_stage_model`, channels last outside."""

    first_stage_model: Any
    patcher: Any
    vae_dtype: torch.dtype
    device: Any
    output_device: Any
    audio_sample_rate_output: int

    def __init__(self, sd: dict[str, Any] | None = None, **_: Any) -> None:
        if sd:
            raise NotImplementedError("the stand-in has no autoencoder of its own")
        self.memory_used_encode: Callable[..., float] = lambda shape, dtype: 0.0
        self.memory_used_decode: Callable[..., float] = lambda shape, dtype: 0.0
        self.downscale_ratio: Any = 8
        self.upscale_ratio: Any = 8
        self.latent_channels = 4
        self.latent_dim = 2
        self.output_channels = 3
        self.pad_channel_value: Any = None
        self.process_input: Callable[[Any], Any] = lambda image: image * 2.0 - 1.0
        self.process_output: Callable[[Any], Any] = lambda image: image.add_(1.0).div_(2.0)
        self.working_dtypes = [torch.bfloat16, torch.float32]
        self.disable_offload = False
        self.not_video = False
        self.size: int | None = None
        self.extra_1d_channel: Any = None
        self.crop_input = True
        self.audio_sample_rate = 44100
        self.first_stage_model = None
        logging.warning("No VAE weights detected, VAE not initalized.")

    def model_size(self) -> int:
        self.size = self.size or model_management.module_size(self.first_stage_model)
        return self.size

    def throw_exception_if_invalid(self) -> None:
        if self.first_stage_model is None:
            raise RuntimeError("ERROR: VAE is invalid: None")

    def decode(self, samples_in: torch.Tensor, vae_options: Any = None) -> torch.Tensor:
        """[B, C, T] to [B, N, channels]."""
        self._load(self.memory_used_decode(samples_in.shape, self.vae_dtype))
        samples = samples_in.to(self.device, self.vae_dtype)
        out = self.first_stage_model.decode(samples).to(self.output_device, torch.float32)
        self.process_output(out)
        return out.movedim(1, -1)

    def decode_tiled(
        self, samples: torch.Tensor, tile_x: Any = None, tile_y: Any = None, overlap: Any = None
    ) -> torch.Tensor:
        self._load(self.memory_used_decode(samples.shape, self.vae_dtype))
        settings = {"tile_x": tile_x, "overlap": overlap}
        given = {name: value for name, value in settings.items() if value is not None}
        return self.decode_tiled_1d(samples, **given).movedim(1, -1)

    def decode_tiled_1d(self, samples: torch.Tensor, tile_x: int = 256, overlap: int = 32) -> Any:
        raise NotImplementedError("the stand-in has no tiler; the pack's VAE brings its own")

    def encode(self, pixel_samples: torch.Tensor) -> torch.Tensor:
        """[B, N, channels] to [B, C, T]."""
        samples = self.vae_encode_crop_pixels(pixel_samples).movedim(-1, 1)
        self._load(self.memory_used_encode(samples.shape, self.vae_dtype))
        samples = self.process_input(samples).to(self.device, self.vae_dtype)
        return self.first_stage_model.encode(samples).to(self.output_device, torch.float32)

    def vae_encode_crop_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """The channels that the model has: extra ones are dropped, a missing one is copied."""
        if self.crop_input:
            raise NotImplementedError("the stand-in does not crop")
        missing = self.output_channels - pixels.shape[-1]
        if missing <= 0:
            return pixels[..., : self.output_channels]
        return torch.nn.functional.pad(pixels, (0, missing), mode=self.pad_channel_value)

    def get_sd(self) -> dict[str, Any]:
        return self.first_stage_model.state_dict()

    def _load(self, memory: float) -> None:
        self.throw_exception_if_invalid()
        model_management.load_models_gpu(
            [self.patcher], memory_required=memory, force_full_load=self.disable_offload
        )

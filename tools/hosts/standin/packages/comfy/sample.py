"""Stand-in for `comfy.sample`."""

from typing import Any

import torch

from . import model_management, samplers, utils


def prepare_noise(
    latent_image: torch.Tensor, seed: int, noise_inds: list[int] | None = None
) -> torch.Tensor:
    """Noise of one generator for the whole batch, or by index, as the host draws it."""
    generator = torch.Generator().manual_seed(seed)
    if noise_inds is None:
        return torch.randn(latent_image.shape, generator=generator).to(latent_image.dtype)
    shape = [1, *latent_image.shape[1:]]
    drawn = [torch.randn(shape, generator=generator) for _ in range(max(noise_inds) + 1)]
    return torch.cat([drawn[place] for place in noise_inds]).to(latent_image.dtype)


def fix_empty_latent_channels(
    model: Any, latent_image: torch.Tensor, downscale_ratio_spacial: Any = None
) -> torch.Tensor:
    channels = model.get_model_object("latent_format").latent_channels
    if torch.count_nonzero(latent_image) == 0 and channels != latent_image.shape[1]:
        return utils.repeat_to_batch_size(latent_image, channels, dim=1)
    return latent_image


def sample_custom(
    model: Any,
    noise: torch.Tensor,
    cfg: float,
    sampler: Any,
    sigmas: torch.Tensor,
    positive: Any,
    negative: Any,
    latent_image: torch.Tensor,
    noise_mask: Any = None,
    callback: Any = None,
    disable_pbar: bool = False,
    seed: int | None = None,
) -> torch.Tensor:
    samples = samplers.sample(
        model,
        noise,
        positive,
        negative,
        cfg,
        model.load_device,
        sampler,
        sigmas,
        latent_image=latent_image,
        denoise_mask=noise_mask,
        callback=callback,
        disable_pbar=disable_pbar,
        seed=seed,
    )
    return samples.to(model_management.intermediate_dtype())

"""Stand-in for `comfy.model_sampling`: flow matching with a shift, as a table of 1000 sigmas."""

from typing import Any

import torch


def time_snr_shift(alpha: float, t: Any) -> Any:
    return t if alpha == 1.0 else alpha * t / (1 + (alpha - 1) * t)


def reshape_sigma(sigma: torch.Tensor, noise_dim: int) -> torch.Tensor:
    if sigma.nelement() == 1:
        return sigma.view(())
    return sigma.view(sigma.shape[:1] + (1,) * (noise_dim - 1))


class CONST:
    """The model predicts velocity: x_t = x_0 + t * v."""

    def calculate_input(self, sigma: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return noise

    def calculate_denoised(
        self, sigma: torch.Tensor, model_output: torch.Tensor, model_input: torch.Tensor
    ) -> torch.Tensor:
        return model_input - model_output * reshape_sigma(sigma, model_output.ndim)

    def noise_scaling(
        self, sigma: Any, noise: torch.Tensor, latent_image: torch.Tensor, max_denoise: bool = False
    ) -> torch.Tensor:
        sigma = reshape_sigma(sigma, noise.ndim)
        return sigma * noise + (1.0 - sigma) * latent_image

    def inverse_noise_scaling(self, sigma: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
        return latent / (1.0 - reshape_sigma(sigma, latent.ndim))


class ModelSamplingDiscreteFlow(torch.nn.Module):
    sigmas: torch.Tensor

    def __init__(self, model_config: Any = None) -> None:
        super().__init__()
        settings = model_config.sampling_settings if model_config is not None else {}
        self.set_parameters(settings.get("shift", 1.0), 1000, settings.get("multiplier", 1000))

    def set_parameters(
        self, shift: float = 1.0, timesteps: int = 1000, multiplier: float = 1000
    ) -> None:
        self.shift = shift
        self.multiplier = multiplier
        table = self.sigma((torch.arange(1, timesteps + 1, 1) / timesteps) * multiplier)
        self.register_buffer("sigmas", table)

    @property
    def sigma_max(self) -> torch.Tensor:
        return self.sigmas[-1]

    def timestep(self, sigma: torch.Tensor) -> torch.Tensor:
        return sigma * self.multiplier

    def sigma(self, timestep: Any) -> Any:
        return time_snr_shift(self.shift, timestep / self.multiplier)

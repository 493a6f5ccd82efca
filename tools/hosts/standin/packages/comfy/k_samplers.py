"""The two stock samplers that the stand-in has, as functions of a denoiser."""

from typing import Any

import torch


def sample_euler(
    model: Any, x: torch.Tensor, sigmas: torch.Tensor, extra_args: Any, callback: Any
) -> torch.Tensor:
    """One denoised estimate per step, a straight line to the next sigma."""
    ones = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * ones, **extra_args)
        callback({"x": x, "i": i, "sigma": sigmas[i], "denoised": denoised})
        x = x + (x - denoised) / sigmas[i] * (sigmas[i + 1] - sigmas[i])
    return x


def sample_heun(
    model: Any, x: torch.Tensor, sigmas: torch.Tensor, extra_args: Any, callback: Any
) -> torch.Tensor:
    """Euler, corrected by the slope at its end; the last step is Euler's."""
    ones = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * ones, **extra_args)
        callback({"x": x, "i": i, "sigma": sigmas[i], "denoised": denoised})
        slope = (x - denoised) / sigmas[i]
        step = sigmas[i + 1] - sigmas[i]
        if sigmas[i + 1] > 0:
            ahead = x + slope * step
            end = (ahead - model(ahead, sigmas[i + 1] * ones, **extra_args)) / sigmas[i + 1]
            slope = (slope + end) / 2
        x = x + slope * step
    return x


BY_NAME = {"euler": sample_euler, "heun": sample_heun}

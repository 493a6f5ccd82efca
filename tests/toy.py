"""Builders of models at toy size, with weights from a seed."""

from typing import TypeVar

import torch
from torch import nn

from ace_core.constants import FRAMES_PER_CODE, FSQ_LEVELS, LATENT_CHANNELS
from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.ops import TORCH, Ops

Model = TypeVar("Model", bound=nn.Module)
TEXT_HIDDEN_SIZE = 40  # of the text encoder at toy size


def dit_config(xl: bool = False) -> DiTConfig:
    """Every count differs from every other, so that a mixed-up size cannot go unnoticed."""
    encoder = StackConfig(hidden_size=64, intermediate_size=112, heads=4, kv_heads=2, head_dim=16)
    # 6 heads of 16 are wider than 80, as XL's 32 of 128 are wider than 2560
    xl_decoder = StackConfig(
        hidden_size=80, intermediate_size=144, heads=6, kv_heads=2, head_dim=16
    )
    return DiTConfig(
        decoder=xl_decoder if xl else encoder,
        encoder=encoder,
        layers=5,
        lyric_layers=4,
        timbre_layers=3,
        pooler_layers=2,
        detokenizer_layers=2,
        text_hidden_size=TEXT_HIDDEN_SIZE,
        latent_channels=LATENT_CHANNELS,
        context_channels=2 * LATENT_CHANNELS,
        patch=2,
        time_features=256,
        frames_per_code=FRAMES_PER_CODE,
        fsq_levels=FSQ_LEVELS,
        timbre_cls=xl,
    )


def fill(module: Model, seed: int = 0) -> Model:
    """Random weights that keep activations near 1: norms near 1, matrices by their fan-in."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1:  # norms and biases
            values = 0.1 * noise + parameter.detach().mean().round().float()
        elif parameter.shape[0] == 1:  # tables and special tokens
            values = 0.5 * noise
        else:
            values = noise / parameter[0].numel() ** 0.5
        parameter.data = values.to(parameter)
    return module.requires_grad_(False).eval()


def acestep(config: DiTConfig | None = None, ops: Ops = TORCH) -> AceStepModel:
    """A diffusion checkpoint's model, filled."""
    return fill(AceStepModel(config or dit_config(), ops))


def randn(*shape: int, seed: int = 1) -> torch.Tensor:
    """Normal noise from `seed`."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def randn64(*shape: int, seed: int = 1) -> torch.Tensor:
    """The same numbers in float64, in which two ways of one computation agree to 1e-9."""
    return randn(*shape, seed=seed).double()

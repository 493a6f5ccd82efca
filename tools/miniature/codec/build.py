"""The VAE of the trained miniature: made from the sounds, written in the official layout."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS
from ace_core.models.vae import Oobleck
from ace_core.weights.oobleck import unfold_weight_norm

from ..configs import vae as vae_config
from ..world.piece import compose
from ..world.request import draw
from ..world.sounds import sounds
from .decoder import kernels, write_decoder
from .encoder import covariance, filters, write_encoder
from .outer import CONFIG, silent_oobleck, write_transform

PIECES: Final = 300  # of which the encoder knows how strokes go together
SECONDS: Final = 10.0
RANDOM: Final = 3  # one roll of so many is random strokes, so that the sounds count for more
HELD_OUT: Final = 1_000_000  # seeds from here on are for tests alone


def constructed() -> Oobleck:
    """The VAE in float32."""
    coefficients = kernels(sounds())
    model = silent_oobleck()
    write_transform(model)
    write_decoder(model, coefficients)
    write_encoder(model, filters(coefficients, covariance(_rolls())))
    return model.eval()


def write_vae(folder: Path) -> None:
    """config.json and weights in half precision, as diffusers writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(vae_config(CONFIG), indent=2) + "\n")
    weights = dict(_published(constructed().state_dict()))
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})


def _rolls() -> Iterator[Tensor]:
    for seed in range(PIECES):
        roll = compose(draw(seed, SECONDS)).roll
        yield roll if seed % RANDOM else _random_strokes(len(roll), seed)


def _random_strokes(frames: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    struck = torch.rand(frames, LATENT_CHANNELS, generator=generator) < 0.02
    return struck * (0.3 + 0.8 * torch.rand(frames, LATENT_CHANNELS, generator=generator))


def _published(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Directions in half precision; magnitudes in single, so that folding returns each weight as
    it was rounded. A filter of zeros has no direction: it gets one, and the magnitude zero."""
    half = unfold_weight_norm({name: tensor.half() for name, tensor in state.items()})
    for name, tensor in half.items():
        if not name.endswith("weight_v"):
            if not name.endswith("weight_g"):
                yield name, tensor
            continue
        around = tuple(range(1, tensor.dim()))
        length = torch.linalg.vector_norm(tensor.float(), dim=around, keepdim=True)
        yield name.removesuffix("v") + "g", length
        yield name, torch.where(length == 0, torch.ones_like(tensor), tensor).contiguous()

"""The toy model of the parity goldens: its sizes, weights, silence, audio and stand-in VAE.

Everything follows from names and seeds, so the goldens hold results only. The official code was
run with exactly these tensors. Nothing here knows our modules.
"""

import math
import zlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

RATE = 48_000
HOP = 1920  # samples of a latent frame
CHANNELS = 64  # of a latent
SILENCE_FRAMES = 900  # longer than the 750 of the timbre
WINDOW = 12  # short enough to matter for every sequence of the toy
WORDS = 261  # 256 bytes and five special tokens
LAYERS = {"decoder": 3, "lyric": 3, "timbre": 3, "pooler": 2}  # odd ones end on a sliding layer
ENCODER = {"width": 16, "mlp": 32, "heads": 2, "kv_heads": 1, "head": 8}
XL_DECODER = {"width": 24, "mlp": 40, "heads": 4, "kv_heads": 2, "head": 8}


def drawn(name: str, shape: Sequence[int]) -> Tensor:
    """Normal noise whose seed is the name."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return torch.randn(tuple(shape), generator=generator)


def weights(shapes: Mapping[str, Sequence[int]], model: str) -> dict[str, Tensor]:
    """Weights under official names that keep activations near 1; `model` makes them differ."""
    return {name: _weight(name, shape, f"{model}/{name}") for name, shape in shapes.items()}


def _weight(name: str, shape: Sequence[int], seed: str) -> Tensor:
    noise = drawn(seed, shape)
    if len(shape) == 1:
        return 1 + 0.1 * noise if name.endswith("weight") else 0.1 * noise  # norms; biases
    if shape[0] == 1:  # special tokens, tables and the null condition
        return 0.5 * noise
    if name == "embed_tokens.weight":  # the text encoder's table
        return noise
    summed = shape[0] if "proj_out.1" in name else math.prod(shape[1:])  # that one is transposed
    return noise / summed**0.5


def silence() -> Tensor:
    """[1, S, C], different in every frame: a wrong offset shows."""
    return 0.3 * drawn("silence", (1, SILENCE_FRAMES, CHANNELS))


def audio(name: str, samples: int) -> Tensor:
    """Stereo noise [2, N] inside -1 to 1."""
    return drawn(f"audio/{name}", (2, samples)).mul(0.2).clamp(-1, 1)


def encode(waveform: Tensor) -> Tensor:
    """What stands for the VAE: [2, N] to latents [1, T, C], means of 60 samples each.

    Linear, so silence is zero; both channels and every sample of a whole frame count.
    """
    frames = waveform.shape[-1] // HOP
    pieces = waveform[:, : frames * HOP].reshape(2, frames, CHANNELS // 2, -1)
    means = pieces.double().mean(dim=-1).float()  # [2, T, C/2]
    return 40 * means.permute(1, 0, 2).reshape(1, frames, CHANNELS)


def fingerprint(tensors: Mapping[str, Tensor]) -> float:
    """A number that another machine reproduces if, and only if, it draws the same tensors."""
    return sum(
        (index + 1) * tensors[name].double().abs().mean().item()
        for index, name in enumerate(sorted(tensors))
    )

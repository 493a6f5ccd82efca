"""Oobleck, the autoencoder between 48 kHz stereo and 25 Hz latents; inference only.

It knows tensors: no files, no tiles (`audio/tiling.py`), no loudness. Weight norm is already folded
(`weights/oobleck.py`), and the names of the parameters are those of diffusers' AutoencoderOobleck.
Every activation whose input is not needed again is overwritten, so a pass holds about two of its
largest tensors instead of five.
Source: diffusers 0.42.1 autoencoder_oobleck.py (same numbers); stable-audio-tools for the names of
the other layout.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import CheckpointError
from ..types import Posterior
from .ops import TORCH, Ops
from .snake import Snake
from .windows import grow_in_windows, shrink_in_windows

DILATIONS = (1, 3, 9)  # of the three residual units of a block
SMALLEST_STD = 1e-4
OUTER = 2  # blocks next to the audio that work in windows


@dataclass(frozen=True, slots=True)
class OobleckConfig:
    """Sizes of both halves. `strides` and `multiples` run from audio to latent."""

    audio_channels: int = 2
    latent_channels: int = 64
    encoder_channels: int = 128
    decoder_channels: int = 128
    multiples: tuple[int, ...] = (1, 2, 4, 8, 16)
    strides: tuple[int, ...] = (2, 4, 4, 6, 10)

    @property
    def hop(self) -> int:
        """Audio samples per latent frame."""
        return math.prod(self.strides)

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "OobleckConfig":
        """Read the sizes from the shapes of the weights (folded, diffusers names).

        Raises:
            CheckpointError: a weight that fixes a size is missing.
        """
        blocks = 0
        while f"encoder.block.{blocks}.conv1.weight" in shapes:
            blocks += 1
        strided = [_shape(shapes, f"encoder.block.{i}.conv1.weight") for i in range(blocks)]
        first = _shape(shapes, "encoder.conv1.weight")  # [width, audio channels, 7]
        return cls(
            audio_channels=first[1],
            latent_channels=_shape(shapes, "decoder.conv1.weight")[1],
            encoder_channels=first[0],
            decoder_channels=_shape(shapes, "decoder.conv2.weight")[1],
            multiples=tuple(shape[0] // first[0] for shape in strided),
            strides=tuple(shape[2] // 2 for shape in strided),
        )


def _shape(shapes: Mapping[str, Sequence[int]], name: str) -> Sequence[int]:
    if name not in shapes:
        raise CheckpointError(
            f"The VAE has no {name!r}. ACE-Step 1.5 needs its own Oobleck VAE: choose "
            "'ace_1.5_vae.safetensors' or the 'vae' folder of an official checkpoint."
        )
    return shapes[name]


class ResidualUnit(nn.Module):
    """x + conv1(snake(conv7(snake(x))))."""

    def __init__(self, width: int, dilation: int, ops: Ops) -> None:
        super().__init__()
        self.snake1 = Snake(width, ops)
        self.conv1 = ops.conv(width, width, 7, dilation=dilation, padding=3 * dilation)
        self.snake2 = Snake(width, ops)
        self.conv2 = ops.conv(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, W, N] -> [B, W, N]; `x` is overwritten and returned."""
        y = self.snake2(self.conv1(self.snake1(x)), inplace=True)
        return x.add_(self.conv2(y))


class EncoderBlock(nn.Module):
    """Three residual units, then `stride` times fewer samples."""

    def __init__(self, width_in: int, width_out: int, stride: int, ops: Ops) -> None:
        super().__init__()
        self.res_unit1 = ResidualUnit(width_in, DILATIONS[0], ops)
        self.res_unit2 = ResidualUnit(width_in, DILATIONS[1], ops)
        self.res_unit3 = ResidualUnit(width_in, DILATIONS[2], ops)
        self.snake1 = Snake(width_in, ops)
        self.conv1 = ops.conv(
            width_in, width_out, 2 * stride, stride=stride, padding=math.ceil(stride / 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.res_unit3(self.res_unit2(self.res_unit1(x)))
        return self.conv1(self.snake1(x, inplace=True))


class DecoderBlock(nn.Module):
    """`stride` times more samples, then three residual units."""

    def __init__(self, width_in: int, width_out: int, stride: int, ops: Ops) -> None:
        super().__init__()
        self.snake1 = Snake(width_in, ops)
        self.conv_t1 = ops.conv_transpose(
            width_in, width_out, 2 * stride, stride=stride, padding=math.ceil(stride / 2)
        )
        self.res_unit1 = ResidualUnit(width_out, DILATIONS[0], ops)
        self.res_unit2 = ResidualUnit(width_out, DILATIONS[1], ops)
        self.res_unit3 = ResidualUnit(width_out, DILATIONS[2], ops)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_t1(self.snake1(x, inplace=True))
        return self.res_unit3(self.res_unit2(self.res_unit1(x)))


class Encoder(nn.Module):
    """Audio [B, 2, N] -> mean and scale side by side [B, 2 * C, T]."""

    def __init__(self, config: OobleckConfig, ops: Ops) -> None:
        super().__init__()
        widths = [config.encoder_channels * m for m in (1, *config.multiples)]
        self.strides = config.strides
        self.conv1 = ops.conv(config.audio_channels, widths[0], 7, padding=3)
        self.block = nn.ModuleList(
            EncoderBlock(narrow, wide, stride, ops)
            for (narrow, wide), stride in zip(pairwise(widths), config.strides, strict=True)
        )
        self.snake1 = Snake(widths[-1], ops)
        self.conv2 = ops.conv(widths[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, audio: Tensor) -> Tensor:
        x = shrink_in_windows(self._first, audio, self.strides[:OUTER])
        for block in self.block[OUTER:]:
            x = block(x)
        return self.conv2(self.snake1(x, inplace=True))

    def _first(self, audio: Tensor) -> Tensor:
        """Audio [B, 2, N] through the blocks where the tensors are largest."""
        x = self.conv1(audio)
        for block in self.block[:OUTER]:
            x = block(x)
        return x


class Decoder(nn.Module):
    """Latent [B, C, T] -> audio [B, 2, hop * T], neither clamped nor squashed."""

    def __init__(self, config: OobleckConfig, ops: Ops) -> None:
        super().__init__()
        widths = [config.decoder_channels * m for m in (1, *config.multiples)][::-1]
        self.strides = config.strides[::-1]
        self.conv1 = ops.conv(config.latent_channels, widths[0], 7, padding=3)
        self.block = nn.ModuleList(
            DecoderBlock(wide, narrow, stride, ops)
            for (wide, narrow), stride in zip(pairwise(widths), self.strides, strict=True)
        )
        self.snake1 = Snake(widths[-1], ops)
        self.conv2 = ops.conv(widths[-1], config.audio_channels, 7, padding=3, bias=False)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.conv1(latent)
        for block in self.block[:-OUTER]:
            x = block(x)
        return grow_in_windows(self._last, x, self.strides[-OUTER:])

    def _last(self, x: Tensor) -> Tensor:
        """The blocks where the tensors are largest, and audio [B, 2, N] from them."""
        for block in self.block[-OUTER:]:
            x = block(x)
        return self.conv2(self.snake1(x, inplace=True))


class Oobleck(nn.Module):
    """The VAE whole. For anything longer than a few seconds go through `audio/tiling.py`."""

    def __init__(self, config: OobleckConfig, ops: Ops = TORCH) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, ops)
        self.decoder = Decoder(config, ops)

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Posterior:
        """Audio [B, 2, N] -> the distribution of its latents [B, C, N // hop]."""
        mean, scale = self.encoder(audio).chunk(2, dim=1)
        return Posterior(mean, F.softplus(scale) + SMALLEST_STD)

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """Latent [B, C, T] -> audio [B, 2, hop * T]."""
        return self.decoder(latent)

    def on_cpu(self) -> "Oobleck":
        """A float32 copy on the CPU, of torch's own layers."""
        copy = Oobleck(self.config, Ops(device="meta"))
        weights = {
            name: w.detach().to("cpu", torch.float32) for name, w in self.state_dict().items()
        }
        copy.load_state_dict(weights, assign=True)
        return copy.requires_grad_(False).eval()

"""Oobleck, the autoencoder between 48 kHz stereo and 25 Hz latents; inference only.

It knows tensors: no files, no tiles (`audio/tiling.py`), no loudness. Weight norm is already folded
(`weights/oobleck.py`), and the names of the parameters are those of diffusers' AutoencoderOobleck.
Every activation whose input is not needed again is overwritten, so a pass holds about two of its
largest tensors instead of five.

On a CPU the blocks next to the audio, where tensors are largest, run in short chunks: 128 channels
at 48 kHz are 25 MB per second, which leave the cache between any two operations, so that memory
bandwidth, not arithmetic, sets the speed. A chunk that fits the cache goes through all operations
before the next one starts; it is read with a halo as far as the convolutions reach, so the result
is that of one pass. Other devices do one pass.
Source: diffusers 0.42.1 autoencoder_oobleck.py (same numbers); stable-audio-tools for the names of
the other layout.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import CheckpointError
from ..timing import tiles
from ..types import Posterior
from .ops import TORCH, Ops

DILATIONS = (1, 3, 9)  # of the three residual units of a block
MIN_STD = 1e-4
CHUNKED_BLOCKS = 2  # blocks next to the audio that run in chunks
# Audio samples kept per chunk, for every width: 4096 to 16384 are within 5 % of each other at 128
# channels, and longer chunks of a narrow VAE keep 200 MB of kernels, one set for each length.
CHUNK = 8192
UNITS_HALO = 3 * sum(DILATIONS)  # samples that a block's residual units reach to each side
CONV_HALO = 3  # samples that the convolution next to the audio reaches to each side


@dataclass(frozen=True, slots=True)
class OobleckConfig:
    """Sizes of both halves. `strides` and `channel_multiples` run from audio to latent."""

    audio_channels: int = 2
    latent_channels: int = 64
    encoder_channels: int = 128
    decoder_channels: int = 128
    channel_multiples: tuple[int, ...] = (1, 2, 4, 8, 16)
    strides: tuple[int, ...] = (2, 4, 4, 6, 10)

    @property
    def hop(self) -> int:
        """Audio samples per latent frame."""
        return math.prod(self.strides)

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]]) -> "OobleckConfig":
        """Read the sizes from the shapes of the weights (folded, diffusers names).

        Raises:
            CheckpointError: a weight that fixes a size is missing or has another form.
        """
        blocks = 0
        while f"encoder.block.{blocks}.conv1.weight" in shapes:
            blocks += 1
        strided = [_shape(shapes, f"encoder.block.{i}.conv1.weight") for i in range(blocks)]
        first = _shape(shapes, "encoder.conv1.weight")  # [channels, audio channels, 7]
        if any(shape[0] < first[0] or shape[2] < 2 for shape in strided):
            raise CheckpointError(
                f"The VAE's blocks have the shapes {strided}, which are not those of an Oobleck "
                "VAE. Download the file again."
            )
        return cls(
            audio_channels=first[1],
            latent_channels=_shape(shapes, "decoder.conv1.weight")[1],
            encoder_channels=first[0],
            decoder_channels=_shape(shapes, "decoder.conv2.weight")[1],
            channel_multiples=tuple(shape[0] // first[0] for shape in strided),
            strides=tuple(shape[2] // 2 for shape in strided),
        )


def _shape(shapes: Mapping[str, Sequence[int]], name: str) -> Sequence[int]:
    if name not in shapes:
        raise CheckpointError(
            f"The VAE has no {name!r}. ACE-Step 1.5 needs its own Oobleck VAE: choose "
            "'ace_1.5_vae.safetensors' or the 'vae' folder of an official checkpoint."
        )
    if len(shapes[name]) != 3 or 0 in shapes[name]:
        raise CheckpointError(
            f"{name!r} has the shape {list(shapes[name])}, but the VAE's convolutions have three "
            "sizes above 0. Download the file again."
        )
    return shapes[name]


class Snake(nn.Module):
    """The periodic activation x + sin^2(a x) / b, with a and b learnt per channel and stored as
    logarithms, `alpha` and `beta` [1, W, 1]."""

    def __init__(self, channels: int, ops: Ops) -> None:
        super().__init__()
        self.alpha = ops.parameter(1, channels, 1)
        self.beta = ops.parameter(1, channels, 1)

    def forward(self, x: Tensor, inplace: bool = False) -> Tensor:
        """[B, W, N] -> [B, W, N]; with `inplace` the result overwrites `x`.

        In float16, 1 / b of a small b exceeds the range, and a x has too few digits for its sine:
        such an `x` goes through in float32.
        """
        if x.dtype is torch.float16:
            out = self.forward(x.float(), inplace=True)
            return x.copy_(out) if inplace else out.to(x.dtype)
        frequency = self.alpha.to(x).exp()  # [1, W, 1]
        gain = (self.beta.to(x).exp() + 1e-9).reciprocal()  # [1, W, 1]
        wave = torch.mul(x, frequency).sin_().square_().mul_(gain)
        return x.add_(wave) if inplace else wave.add_(x)


class ResidualUnit(nn.Module):
    """x + conv1(snake(conv7(snake(x))))."""

    def __init__(self, channels: int, dilation: int, ops: Ops) -> None:
        super().__init__()
        self.snake1 = Snake(channels, ops)
        self.conv1 = ops.conv(channels, channels, 7, dilation=dilation, padding=3 * dilation)
        self.snake2 = Snake(channels, ops)
        self.conv2 = ops.conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, W, N] -> [B, W, N]; `x` is overwritten and returned."""
        y = self.snake2(self.conv1(self.snake1(x)), inplace=True)
        return x.add_(self.conv2(y))


class EncoderBlock(nn.Module):
    """Three residual units, then `stride` times fewer samples."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, ops: Ops) -> None:
        super().__init__()
        self.res_unit1 = ResidualUnit(in_channels, DILATIONS[0], ops)
        self.res_unit2 = ResidualUnit(in_channels, DILATIONS[1], ops)
        self.res_unit3 = ResidualUnit(in_channels, DILATIONS[2], ops)
        self.snake1 = Snake(in_channels, ops)
        self.conv1 = ops.conv(
            in_channels, out_channels, 2 * stride, stride=stride, padding=math.ceil(stride / 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.res_unit3(self.res_unit2(self.res_unit1(x)))
        return self.conv1(self.snake1(x, inplace=True))


class DecoderBlock(nn.Module):
    """`stride` times more samples, then three residual units."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, ops: Ops) -> None:
        super().__init__()
        self.snake1 = Snake(in_channels, ops)
        self.conv_t1 = ops.conv_transpose(
            in_channels, out_channels, 2 * stride, stride=stride, padding=math.ceil(stride / 2)
        )
        self.res_unit1 = ResidualUnit(out_channels, DILATIONS[0], ops)
        self.res_unit2 = ResidualUnit(out_channels, DILATIONS[1], ops)
        self.res_unit3 = ResidualUnit(out_channels, DILATIONS[2], ops)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_t1(self.snake1(x, inplace=True))
        return self.res_unit3(self.res_unit2(self.res_unit1(x)))


class Encoder(nn.Module):
    """Audio [B, 2, N] -> mean and scale side by side [B, 2 * C, T]."""

    def __init__(self, config: OobleckConfig, ops: Ops) -> None:
        super().__init__()
        channels = [config.encoder_channels * m for m in (1, *config.channel_multiples)]
        self.strides = config.strides
        self.conv1 = ops.conv(config.audio_channels, channels[0], 7, padding=3)
        self.block = nn.ModuleList(
            EncoderBlock(in_channels, out_channels, stride, ops)
            for (in_channels, out_channels), stride in zip(
                pairwise(channels), config.strides, strict=True
            )
        )
        self.snake1 = Snake(channels[-1], ops)
        self.conv2 = ops.conv(channels[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, audio: Tensor) -> Tensor:
        x = encode_in_chunks(self._outer_blocks, audio, self.strides[:CHUNKED_BLOCKS])
        for block in self.block[CHUNKED_BLOCKS:]:
            x = block(x)
        return self.conv2(self.snake1(x, inplace=True))

    def _outer_blocks(self, audio: Tensor) -> Tensor:
        """Audio [B, 2, N] through the blocks where the tensors are largest."""
        x = self.conv1(audio)
        for block in self.block[:CHUNKED_BLOCKS]:
            x = block(x)
        return x


class Decoder(nn.Module):
    """Latent [B, C, T] -> audio [B, 2, hop * T], neither clamped nor squashed."""

    def __init__(self, config: OobleckConfig, ops: Ops) -> None:
        super().__init__()
        channels = [config.decoder_channels * m for m in (1, *config.channel_multiples)][::-1]
        self.strides = config.strides[::-1]
        self.conv1 = ops.conv(config.latent_channels, channels[0], 7, padding=3)
        self.block = nn.ModuleList(
            DecoderBlock(in_channels, out_channels, stride, ops)
            for (in_channels, out_channels), stride in zip(
                pairwise(channels), self.strides, strict=True
            )
        )
        self.snake1 = Snake(channels[-1], ops)
        self.conv2 = ops.conv(channels[-1], config.audio_channels, 7, padding=3, bias=False)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.conv1(latent)
        for block in self.block[:-CHUNKED_BLOCKS]:
            x = block(x)
        return decode_in_chunks(self._outer_blocks, x, self.strides[-CHUNKED_BLOCKS:])

    def _outer_blocks(self, x: Tensor) -> Tensor:
        """The blocks where the tensors are largest, and audio [B, 2, N] from them."""
        for block in self.block[-CHUNKED_BLOCKS:]:
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
        return Posterior(mean, F.softplus(scale) + MIN_STD)

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


def encode_in_chunks(
    blocks: Callable[[Tensor], Tensor], x: Tensor, strides: Sequence[int]
) -> Tensor:
    """`blocks(x)` [B, 2, N] -> [B, W, N // down], for encoder blocks of these strides."""
    down = math.prod(strides)
    halo, samples = CONV_HALO, 1  # in audio samples; samples per position of a block's input
    for stride in strides:
        halo += samples * (UNITS_HALO + stride)
        samples *= stride
    total = x.shape[2] // down
    chunks = tiles(total, CHUNK // down, math.ceil(halo / down))
    if len(chunks) == 1 or x.device.type != "cpu":
        return blocks(x)
    parts = []
    for chunk in chunks:
        # the last chunk reads the samples that fill no whole position, too
        stop = x.shape[2] if chunk.halo_stop == total else chunk.halo_stop * down
        out = blocks(x[:, :, chunk.halo_start * down : stop])
        parts.append(out[:, :, chunk.start - chunk.halo_start : chunk.stop - chunk.halo_start])
    return torch.cat(parts, dim=2)


def decode_in_chunks(
    blocks: Callable[[Tensor], Tensor], x: Tensor, strides: Sequence[int]
) -> Tensor:
    """`blocks(x)` [B, W, n] -> [B, 2, n * up], for decoder blocks of these strides."""
    up = math.prod(strides)
    halo = CONV_HALO  # in positions of `x`, from the last block to the first
    for stride in reversed(strides):
        halo = math.ceil((halo + UNITS_HALO) / stride) + 1
    chunks = tiles(x.shape[2], CHUNK // up, halo)
    if len(chunks) == 1 or x.device.type != "cpu":
        return blocks(x)
    parts = []
    for chunk in chunks:
        # a copy, because the blocks overwrite their input
        out = blocks(x[:, :, chunk.halo_start : chunk.halo_stop].clone())
        offset = chunk.halo_start
        parts.append(out[:, :, (chunk.start - offset) * up : (chunk.stop - offset) * up])
    return torch.cat(parts, dim=2)

"""Long audio through the VAE in tiles, with the result of one pass.

Each tile sees `halo` frames more than it keeps on both sides, which is more than the VAE's
receptive field, so what is kept does not know that there were tiles: equal to one pass up to the
rounding of floats. No blending. Memory on the device does not grow with the length; the result is
gathered on the CPU. It is handed a decoder or an encoder and knows neither files nor devices.
Source: the official handler's tiled decode and encode (64 frames of halo where 11 do).
"""

from collections.abc import Callable
from typing import Final, Protocol

import torch
from torch import Tensor

from ..constants import CHANNELS, LATENT_CHANNELS, LATENT_HOP, SAMPLE_RATE
from ..errors import InvalidAudioError
from ..timing import Tile, frames_in, tile, tiles
from ..types import Posterior

DECODE_HALO: Final = 12  # latent frames; the decoder reaches 10
ENCODE_HALO: Final = 8  # latent frames; the encoder reaches 7
DECODE_TILE: Final = 384  # latent frames kept per tile: 6 % are decoded twice in long songs
ENCODE_TILE: Final = 256

OnTile = Callable[[int, int], None]  # (tiles done, tiles in total); may raise to stop


class Decodes(Protocol):
    def decode(self, latent: Tensor) -> Tensor: ...


class Encodes(Protocol):
    def encode(self, audio: Tensor) -> Posterior: ...


def decode(
    vae: Decodes, latent: Tensor, *, size: int = DECODE_TILE, on_tile: OnTile | None = None
) -> Tensor:
    """Latent [B, 64, T], on the device and in the dtype to compute with, to audio
    [B, 2, 1920 * T] in float32 on the CPU, `size` frames at a time and item by item.

    Raises:
        InvalidAudioError: the latent has no frames or another number of channels.
    """
    _check_latent(latent)
    items, _, frames = latent.shape
    plan = [(item, part) for item in range(items) for part in tiles(frames, size, DECODE_HALO)]
    audio = torch.empty(items, CHANNELS, frames * LATENT_HOP)
    for done, (item, part) in enumerate(plan, start=1):
        heard = _decoded(vae, latent[item : item + 1], part)  # [2, n]
        audio[item, :, part.start * LATENT_HOP : part.stop * LATENT_HOP] = heard
        if on_tile is not None:
            on_tile(done, len(plan))
    return audio


def decode_part(vae: Decodes, latent: Tensor, start: int, stop: int) -> Tensor:
    """Frames `start` to `stop` of the first item of `latent` [B, 64, T] as audio [2, n] in float32
    on the CPU: those samples of `decode`, for the price of these frames and their surroundings.

    Raises:
        InvalidAudioError: see `decode`.
    """
    _check_latent(latent)
    return _decoded(vae, latent[:1], tile(start, stop, latent.shape[2], DECODE_HALO)).float().cpu()


def _decoded(vae: Decodes, latent: Tensor, part: Tile) -> Tensor:
    """The kept samples [2, n] of `part`, from one item [1, 64, T]."""
    return vae.decode(latent[..., part.halo_start : part.halo_stop])[0, :, _kept(part, LATENT_HOP)]


def encode(
    vae: Encodes, audio: Tensor, *, size: int = ENCODE_TILE, on_tile: OnTile | None = None
) -> Posterior:
    """Audio [B, 2, N] at 48 kHz, on the device and in the dtype to compute with, to the
    distribution of its latents [B, 64, N // 1920] in float32 on the CPU.

    Raises:
        InvalidAudioError: the audio is not stereo or is shorter than one latent frame.
    """
    _check_audio(audio)
    items, _, samples = audio.shape
    frames = frames_in(samples)
    plan = [(item, part) for item in range(items) for part in tiles(frames, size, ENCODE_HALO)]
    mean = torch.empty(items, LATENT_CHANNELS, frames)
    std = torch.empty_like(mean)
    posterior = Posterior(mean, std)
    for done, (item, part) in enumerate(plan, start=1):
        end = (
            samples if part.halo_stop == frames else part.halo_stop * LATENT_HOP
        )  # the tail is heard too
        found = vae.encode(audio[item : item + 1, :, part.halo_start * LATENT_HOP : end])
        kept = _kept(part, 1)
        mean[item, :, part.start : part.stop] = found.mean[0, :, kept]
        std[item, :, part.start : part.stop] = found.std[0, :, kept]
        if on_tile is not None:
            on_tile(done, len(plan))
    return posterior


def _kept(part: Tile, hop: int) -> slice:
    """Where what is kept of `part` lies in what was made from all it saw."""
    return slice((part.start - part.halo_start) * hop, (part.stop - part.halo_start) * hop)


def _check_latent(latent: Tensor) -> None:
    if latent.dim() != 3 or latent.shape[1] != LATENT_CHANNELS or latent.shape[2] == 0:
        raise InvalidAudioError(
            f"The latent has shape {list(latent.shape)}, but ACE-Step 1.5 decodes [batch, "
            f"{LATENT_CHANNELS}, frames] with at least one frame. Connect a latent of an "
            "ACE-Step 1.5 sampler or of VAE encode."
        )


def _check_audio(audio: Tensor) -> None:
    if audio.dim() != 3 or audio.shape[1] != CHANNELS:
        raise InvalidAudioError(
            f"The audio has shape {list(audio.shape)}, but the VAE encodes [batch, {CHANNELS}, "
            "samples]. Convert it to stereo first."
        )
    if audio.shape[2] < LATENT_HOP:
        raise InvalidAudioError(
            f"The audio has {audio.shape[2]} samples, but one latent frame needs {LATENT_HOP} "
            f"({LATENT_HOP / SAMPLE_RATE:g} s at {SAMPLE_RATE} Hz). Give a longer clip."
        )

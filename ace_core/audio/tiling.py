"""Long audio through the VAE in tiles, equal to one pass up to the rounding of floats.

Each tile has a halo on both sides that is wider than the VAE's receptive field, so nothing needs
blending. Memory on the device does not grow with the length; the result is collected on the CPU.
`decode_adaptive` and `encode_adaptive` halve the tiles when the device is out of memory, and
compute on the CPU in float32 when the smallest do not fit. It knows neither files nor devices.
Source: the official handler's tiled decode and encode (a halo of 64 frames where 11 suffice).
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import torch
from torch import Tensor

from ..constants import CHANNELS, LATENT_CHANNELS, LATENT_HOP, SAMPLE_RATE
from ..errors import InvalidAudioError
from ..memory import OOM_HANDLER, NotEnoughMemoryError, OomHandler
from ..precision import check_finite
from ..timing import Tile, frames_in, tile, tiles
from ..types import Posterior

DECODE_HALO: Final = 12  # latent frames; the decoder reaches 10
ENCODE_HALO: Final = 8  # latent frames; the encoder reaches 7
DECODE_TILE: Final = 384  # latent frames kept per tile; 6 % of a long song are decoded twice
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
        InvalidAudioError: the latent has no frames, another number of channels, or holds NaN or
            infinity.
        NonFiniteError: the VAE computes NaN or infinity.
    """
    _check_latent(latent)
    items, _, frames = latent.shape
    plan = [(item, part) for item in range(items) for part in tiles(frames, size, DECODE_HALO)]
    audio = torch.empty(items, CHANNELS, frames * LATENT_HOP)
    for done, (item, part) in enumerate(plan, start=1):
        samples = _decoded(vae, latent[item : item + 1], part)  # [2, n]
        audio[item, :, part.start * LATENT_HOP : part.stop * LATENT_HOP] = samples
        if on_tile is not None:
            on_tile(done, len(plan))
    return audio


def decode_part(vae: Decodes, latent: Tensor, start: int, stop: int) -> Tensor:
    """Frames `start` to `stop` of the first item of `latent` [B, 64, T] as audio [2, n] in float32
    on the CPU: the same samples as from `decode`, at the cost of these frames and their halo.

    Raises:
        InvalidAudioError, NonFiniteError: see `decode`.
    """
    _check_latent(latent)
    return _decoded(vae, latent[:1], tile(start, stop, latent.shape[2], DECODE_HALO)).float().cpu()


def _decoded(vae: Decodes, latent: Tensor, part: Tile) -> Tensor:
    """The kept samples [2, n] of `part`, from one item [1, 64, T]."""
    samples = vae.decode(latent[..., part.halo_start : part.halo_stop])
    return check_finite(samples[0, :, _kept(part, LATENT_HOP)], "VAE's decoder")


def encode(
    vae: Encodes, audio: Tensor, *, size: int = ENCODE_TILE, on_tile: OnTile | None = None
) -> Posterior:
    """Audio [B, 2, N] at 48 kHz, on the device and in the dtype to compute with, to the
    distribution of its latents [B, 64, N // 1920] in float32 on the CPU.

    Raises:
        InvalidAudioError: the audio is not stereo or is shorter than one latent frame.
        NonFiniteError: the VAE computes NaN or infinity.
    """
    _check_audio(audio)
    items, _, samples = audio.shape
    frames = frames_in(samples)
    plan = [(item, part) for item in range(items) for part in tiles(frames, size, ENCODE_HALO)]
    mean = torch.empty(items, LATENT_CHANNELS, frames)
    std = torch.empty_like(mean)
    posterior = Posterior(mean, std)
    for done, (item, part) in enumerate(plan, start=1):
        end = samples if part.halo_stop == frames else part.halo_stop * LATENT_HOP  # with the tail
        tile_posterior = vae.encode(audio[item : item + 1, :, part.halo_start * LATENT_HOP : end])
        kept = _kept(part, 1)
        check_finite(tile_posterior.mean, "VAE's encoder")
        mean[item, :, part.start : part.stop] = tile_posterior.mean[0, :, kept]
        std[item, :, part.start : part.stop] = tile_posterior.std[0, :, kept]
        if on_tile is not None:
            on_tile(done, len(plan))
    return posterior


def _kept(part: Tile, hop: int) -> slice:
    """The kept range of `part` relative to its halo's start, in units of 1 / `hop` frames."""
    return slice((part.start - part.halo_start) * hop, (part.stop - part.halo_start) * hop)


def _check_latent(latent: Tensor) -> None:
    if latent.dim() != 3 or latent.shape[1] != LATENT_CHANNELS or latent.shape[2] == 0:
        raise InvalidAudioError(
            f"The latent has shape {list(latent.shape)}, but ACE-Step 1.5 decodes [batch, "
            f"{LATENT_CHANNELS}, frames] with at least one frame. Connect a latent of an "
            "ACE-Step 1.5 sampler or of VAE encode."
        )
    if not bool(latent.isfinite().all()):
        raise InvalidAudioError(
            "The latent holds NaN or infinity, so it cannot be decoded. They come from what made "
            "it: a sampler, a node between, or a file. Load the diffusion model with the dtype "
            "fp32, and sample with ACE-Step Sampler, which says where they begin."
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


SMALLEST_TILE: Final = 32  # latent frames; in smaller tiles most frames are halo
Result = TypeVar("Result")


class Autoencoder(Decodes, Encodes, Protocol):
    """A VAE that can be copied to the CPU."""

    def on_cpu(self) -> "Autoencoder": ...


def decode_adaptive(
    vae: Autoencoder,
    latent: Tensor,
    *,
    size: int = DECODE_TILE,
    on_tile: OnTile | None = None,
    oom: OomHandler = OOM_HANDLER,
) -> Tensor:
    """`decode`, in smaller tiles or on the CPU when the device is full.

    Raises:
        InvalidAudioError, NonFiniteError: see `decode`.
        NotEnoughMemoryError: the CPU's memory does not suffice either.
    """

    def run(net: Autoencoder, x: Tensor, tile: int) -> Tensor:
        return decode(net, x, size=tile, on_tile=on_tile)

    return _run_adaptive(vae, latent, run, size, oom)


def encode_adaptive(
    vae: Autoencoder,
    audio: Tensor,
    *,
    size: int = ENCODE_TILE,
    on_tile: OnTile | None = None,
    oom: OomHandler = OOM_HANDLER,
) -> Posterior:
    """`encode`, in smaller tiles or on the CPU when the device is full.

    Raises:
        InvalidAudioError, NonFiniteError: see `encode`.
        NotEnoughMemoryError: the CPU's memory does not suffice either.
    """

    def run(net: Autoencoder, x: Tensor, tile: int) -> Posterior:
        return encode(net, x, size=tile, on_tile=on_tile)

    return _run_adaptive(vae, audio, run, size, oom)


def _run_adaptive(
    vae: Autoencoder,
    x: Tensor,
    run: Callable[[Autoencoder, Tensor, int], Result],
    size: int,
    oom: OomHandler,
) -> Result:
    while True:
        result = oom.try_run(lambda tile=size: run(vae, x, tile))
        if result is not None:
            return result
        if size <= SMALLEST_TILE:
            break
        size = max(size // 2, SMALLEST_TILE)
        oom.notify(f"Out of memory: trying again with tiles of {size} latent frames.")
    if x.device.type != "cpu":
        oom.notify("Out of memory with the smallest tiles: computed on the CPU, which is slower.")
        result = oom.try_run(lambda: run(vae.on_cpu(), x.to("cpu", torch.float32), SMALLEST_TILE))
    if result is None:
        raise NotEnoughMemoryError(
            f"The VAE does not fit into memory even with tiles of {SMALLEST_TILE} latent frames. "
            "Free memory: other models, other programs; or make fewer songs at once."
        )
    return result

"""Sound and latents with as much memory as there is: smaller tiles, at last the CPU.

Tiles are exact, so the result is that of one pass up to the rounding of floats. On the CPU it is
computed in float32, whatever the device's dtype was.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import torch
from torch import Tensor

from ..memory import OOM_HANDLER, NotEnoughMemoryError, OomHandler
from ..types import Posterior
from . import tiling

SMALLEST_TILE: Final = 32  # latent frames; below, more is decoded twice than once
Result = TypeVar("Result")


class Autoencoder(tiling.Decodes, tiling.Encodes, Protocol):
    """What decodes and encodes, and can be copied to the CPU for both."""

    def on_cpu(self) -> "Autoencoder": ...


def decode(
    vae: Autoencoder,
    latent: Tensor,
    *,
    size: int = tiling.DECODE_TILE,
    on_tile: tiling.OnTile | None = None,
    oom: OomHandler = OOM_HANDLER,
) -> Tensor:
    """`tiling.decode`, in smaller tiles or on the CPU when the device is full.

    Raises:
        InvalidAudioError: see `tiling.decode`.
        NotEnoughMemoryError: the CPU's memory does not suffice either.
    """

    def run(net: Autoencoder, given: Tensor, tile: int) -> Tensor:
        return tiling.decode(net, given, size=tile, on_tile=on_tile)

    return _in_memory(vae, latent, run, size, oom)


def encode(
    vae: Autoencoder,
    audio: Tensor,
    *,
    size: int = tiling.ENCODE_TILE,
    on_tile: tiling.OnTile | None = None,
    oom: OomHandler = OOM_HANDLER,
) -> Posterior:
    """`tiling.encode`, in smaller tiles or on the CPU when the device is full.

    Raises:
        InvalidAudioError: see `tiling.encode`.
        NotEnoughMemoryError: the CPU's memory does not suffice either.
    """

    def run(net: Autoencoder, given: Tensor, tile: int) -> Posterior:
        return tiling.encode(net, given, size=tile, on_tile=on_tile)

    return _in_memory(vae, audio, run, size, oom)


def _in_memory(
    vae: Autoencoder,
    given: Tensor,
    run: Callable[[Autoencoder, Tensor, int], Result],
    size: int,
    oom: OomHandler,
) -> Result:
    while True:
        made = oom.try_run(lambda tile=size: run(vae, given, tile))
        if made is not None:
            return made
        if size <= SMALLEST_TILE:
            break
        size = max(size // 2, SMALLEST_TILE)
        oom.notify(f"Out of memory: trying again with tiles of {size} latent frames.")
    if given.device.type != "cpu":
        oom.notify("Out of memory with the smallest tiles: computed on the CPU, which is slower.")
        made = oom.try_run(lambda: run(vae.on_cpu(), given.to("cpu", torch.float32), SMALLEST_TILE))
    if made is None:
        raise NotEnoughMemoryError(
            f"The VAE does not fit into memory even with tiles of {SMALLEST_TILE} latent frames. "
            "Free memory: other models, other programs; or make fewer songs at once."
        )
    return made

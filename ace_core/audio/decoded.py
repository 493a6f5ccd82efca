"""The latents that a sound was decoded from, beside it, so that no task encodes it again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from ..constants import SAMPLE_RATE

ENTRY: Final = "ace_step_decoded"  # of an AUDIO; every other node leaves it out or hands it on


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Latents, and the sound and the VAE that they belong to."""

    latents: Tensor  # [B, T, C] of the music, in float32
    sounds: tuple[str, ...]  # the digest of each item
    vae: str  # its fingerprint

    def of_sound(self, waveform: Tensor, rate: int) -> Tensor | None:
        """The latents of `waveform` [B, C, N], of any items in any order; None: one of them was
        changed since, by as little as a bit, or is played at another rate."""
        places = {sound: place for place, sound in enumerate(self.sounds)}
        sounds = digests(waveform)
        if rate != SAMPLE_RATE or not places.keys() >= set(sounds):
            return None
        return self.latents[[places[each] for each in sounds]]


def decoded(latents: Tensor, waveform: Tensor, vae: str) -> Decoded:
    """That `waveform` [B, 2, N] at 48 kHz was decoded from `latents` [B, T, C]."""
    kept = latents.detach().to("cpu", torch.float32).clone()  # a sampler may go on with its own
    return Decoded(kept, digests(waveform), vae)


def joined(parts: Sequence[Decoded]) -> Decoded:
    """That of a batch of sounds, each decoded by itself by the same VAE."""
    latents = torch.cat([part.latents for part in parts])
    return Decoded(latents, tuple(each for part in parts for each in part.sounds), parts[0].vae)


def decoded_of(audio: Mapping[str, Any]) -> Decoded | None:
    """What an AUDIO says of its origin."""
    found = audio.get(ENTRY)
    return found if isinstance(found, Decoded) else None


def digests(waveform: Tensor) -> tuple[str, ...]:
    """One for each item of [B, C, N]."""
    samples = waveform.detach().to("cpu", torch.float32).contiguous()
    return tuple(_digest(item) for item in samples)


def _digest(item: Tensor) -> str:
    digest = hashlib.sha256(repr(list(item.shape)).encode())
    digest.update(item.numpy().data)
    return digest.hexdigest()

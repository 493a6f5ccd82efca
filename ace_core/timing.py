"""Seconds, latent frames, codes and samples: one rounding for all of them.

The official code rounds a requested length to a tenth of a second, makes whole samples of it and
drops the part of the last latent frame that is not full. Every length in this project goes
through here, so that a canvas, its mask, its codes and its audio always agree.
Source: acestep/core/generation/handler/padding_utils.py, conditioning_masks.py.
"""

from dataclasses import dataclass
from itertools import pairwise

from .constants import CODE_RATE, FRAMES_PER_CODE, LATENT_HOP, SAMPLE_RATE


def canvas_frames(seconds: float) -> int:
    """Latent frames of a new song of `seconds`."""
    return int(round(seconds, 1) * SAMPLE_RATE) // LATENT_HOP


def frames_at(seconds: float) -> int:
    """Index of the latent frame that contains the time `seconds`."""
    return int(seconds * SAMPLE_RATE // LATENT_HOP)


def frames_in(samples: int) -> int:
    """Whole latent frames in `samples` audio samples; the tail is dropped."""
    return samples // LATENT_HOP


def seconds_of(frames: int) -> float:
    """Playing time of `frames` latent frames."""
    return frames * LATENT_HOP / SAMPLE_RATE


def codes_for(seconds: float) -> int:
    """Audio codes that the language model generates for `seconds`."""
    return int(seconds * CODE_RATE)


def frames_of_codes(codes: int) -> int:
    """Latent frames that `codes` audio codes decode to."""
    return codes * FRAMES_PER_CODE


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of a long sequence: `start` to `stop` is kept of what `halo_start` to `halo_stop`
    give; each stop is exclusive."""

    start: int
    stop: int
    halo_start: int
    halo_stop: int


def tiles(total: int, size: int, halo: int) -> list[Tile]:
    """`total` positions in tiles of about equal length, at most `size` kept per tile, with a `halo`
    on both sides that ends at the borders. What fits in one tile with its halo is one tile."""
    count = 1 if total <= size + 2 * halo else -(-total // size)
    edges = [total * index // count for index in range(count + 1)]
    return [tile(start, stop, total, halo) for start, stop in pairwise(edges)]


def tile(start: int, stop: int, total: int, halo: int) -> Tile:
    """The tile from `start` to `stop` of `total` positions, its halo cut at both borders."""
    return Tile(start, stop, max(start - halo, 0), min(stop + halo, total))

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
    """Index of the latent frame that holds the moment `seconds`."""
    return int(seconds * SAMPLE_RATE // LATENT_HOP)


def frames_in(samples: int) -> int:
    """Whole latent frames in `samples` audio samples; the tail is dropped."""
    return samples // LATENT_HOP


def seconds_of(frames: int) -> float:
    """Playing time of `frames` latent frames."""
    return frames * LATENT_HOP / SAMPLE_RATE


def codes_for(seconds: float) -> int:
    """Audio codes that the language model writes for `seconds`."""
    return int(seconds * CODE_RATE)


def frames_of_codes(codes: int) -> int:
    """Latent frames that `codes` audio codes decode to."""
    return codes * FRAMES_PER_CODE


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a long line: `start` to `stop` is kept, `first` to `last` must be seen for it."""

    start: int
    stop: int
    first: int
    last: int


def tiles(total: int, size: int, halo: int) -> list[Tile]:
    """Cut `total` into pieces of about equal length, at most `size` kept each, with `halo` more
    seen on both sides; ends are never exceeded. What fits in one piece with its halo is one."""
    count = 1 if total <= size + 2 * halo else -(-total // size)
    edges = [total * place // count for place in range(count + 1)]
    return [tile(start, stop, total, halo) for start, stop in pairwise(edges)]


def tile(start: int, stop: int, total: int, halo: int) -> Tile:
    """`start` to `stop` of `total`, and `halo` more to see on both sides where there is more."""
    return Tile(start, stop, max(start - halo, 0), min(stop + halo, total))

"""Audio preview: two seconds decoded from the estimate of an unfinished song.

It is handed a decoder and an estimate of the clean latent, and knows neither samplers nor files.
"""

import math
from typing import Final

from torch import Tensor

from ..constants import SAMPLE_RATE
from ..errors import InvalidRequestError
from ..timing import canvas_frames, frames_at, seconds_of
from .loudness import at_loudness
from .tiling import Decodes, decode_part

SECONDS: Final = 2.0
LOUDNESS: Final = -23.0  # LUFS, as in broadcasts: early estimates are loud noise


def preview_frames(frames: int, start: float | None = None) -> tuple[int, int]:
    """Start and stop (exclusive) of the preview in a song of `frames` latent frames.

    It starts in the frame at `start` seconds and ends with the song at the latest; None: it is in
    the middle. It is the whole song where that is shorter than `SECONDS`.

    Raises:
        InvalidRequestError: `start` is outside the song.
    """
    length = min(canvas_frames(SECONDS), frames)
    if start is None:
        first = (frames - length) // 2
        return first, first + length
    if not (math.isfinite(start) and start >= 0 and frames_at(start) < frames):
        raise InvalidRequestError(
            f"No preview at {start:g} s: the song is {seconds_of(frames):g} s long. "
            "Choose a moment inside it, or the middle."
        )
    first = frames_at(start)
    return first, min(first + length, frames)


def decode_preview(vae: Decodes, latent: Tensor, frames: tuple[int, int]) -> Tensor:
    """`frames` (start, stop) of the first item of `latent` [B, 64, T], [2, n] at `LOUDNESS`."""
    return at_loudness(decode_part(vae, latent, *frames), SAMPLE_RATE, LOUDNESS)

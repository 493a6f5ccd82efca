"""Two seconds of a song that is not finished: where they lie, and how they sound.

It is handed a decoder and a guess at the latent, and knows neither samplers nor files.
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
LOUDNESS: Final = -23.0  # LUFS, that of broadcasts: an early guess is noise, and must not startle


def excerpt_frames(frames: int, start: float | None = None) -> tuple[int, int]:
    """The first latent frame of the excerpt of a song of `frames`, and the one behind it.

    It begins in the frame that holds `start` seconds, or lies in the middle; what is left of the
    song is all of it where that is less than `SECONDS`.

    Raises:
        InvalidRequestError: the song is over before `start`.
    """
    length = min(canvas_frames(SECONDS), frames)
    if start is None:
        first = (frames - length) // 2
        return first, first + length
    if not (math.isfinite(start) and start >= 0 and frames_at(start) < frames):
        raise InvalidRequestError(
            f"Nothing can be heard at {start:g} s: the song is {seconds_of(frames):g} s long. "
            "Choose a moment inside it, or the middle."
        )
    first = frames_at(start)
    return first, min(first + length, frames)


def excerpt(vae: Decodes, latent: Tensor, frames: tuple[int, int]) -> Tensor:
    """Those frames of the first item of `latent` [B, 64, T] as audio [2, n] at `LOUDNESS`."""
    return at_loudness(decode_part(vae, latent, *frames), SAMPLE_RATE, LOUDNESS)

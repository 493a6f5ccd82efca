"""Thirty seconds that stand for the sound of a recording: ten from each third, chosen by a seed.

Source: process_reference_audio in acestep/core/generation/handler/io_audio.py, which draws the
places without a seed.
"""

import random
from typing import Final

import torch
from torch import Tensor

from ..constants import LATENT_HOP, TIMBRE_FRAMES

SEGMENTS: Final = 3
SAMPLES: Final = TIMBRE_FRAMES * LATENT_HOP  # 30 s
SEGMENT: Final = SAMPLES // SEGMENTS  # 10 s


def reference_segments(audio: Tensor, seed: int) -> Tensor:
    """`audio` [1, 2, N] at 48 kHz to exactly 30 s, [1, 2, 1440000].

    A shorter recording is repeated until it is long enough. The same seed picks the same places.
    """
    repeats = -(-SAMPLES // audio.shape[-1])
    whole = audio.repeat(1, 1, repeats) if repeats > 1 else audio
    starts = segment_starts(whole.shape[-1], seed)
    return torch.cat([whole[..., start : start + SEGMENT] for start in starts], dim=-1)


def segment_starts(samples: int, seed: int) -> list[int]:
    """First sample of each segment of a recording of at least 30 s."""
    draw = random.Random(seed)  # noqa: S311  a choice of clips, to be made again
    third = samples // SEGMENTS
    ends = [third * (place + 1) for place in range(SEGMENTS - 1)] + [samples]
    starts = [third * place for place in range(SEGMENTS)]
    return [
        start + draw.randint(0, end - start - SEGMENT)
        for start, end in zip(starts, ends, strict=True)
    ]

"""How much two rolls are alike: their rhythm, their notes, their very strokes."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..world.channels import BASS, BASS_LOWEST, KEYBOARD, KEYBOARD_LOWEST, SYNTH, SYNTH_LOWEST
from .strokes import STRUCK, onsets

SPAN: Final = 12  # frames of one chroma, about half a second
BLUR: Final = (0.5, 1.0, 0.5)  # over frames: a stroke beside another is half as much like it


def rhythm(one: Tensor, other: Tensor) -> float:
    """Correlation of how many sounds begin in each frame of two rolls [T, 64], -1 to 1; 0 where one
    of them has none."""
    return _correlation(_blurred(one), _blurred(other))


def harmony(one: Tensor, other: Tensor) -> float:
    """Correlation of the pitch classes of each half second, -1 to 1; 0 where one has no notes."""
    return _correlation(_chroma(one), _chroma(other))


def likeness(one: Tensor, other: Tensor) -> float:
    """Mean of both."""
    return (rhythm(one, other) + harmony(one, other)) / 2


def kept(before: Tensor, after: Tensor) -> tuple[int, int]:
    """How many strokes of `before` [T, 64] are in `after`, same frame and sound, and of how many.
    Strokes by which notes are held count."""
    struck = before > STRUCK
    return int((struck & (after > STRUCK)).sum()), int(struck.sum())


def _blurred(roll: Tensor) -> Tensor:
    counts = onsets(roll).float().sum(dim=1).sqrt()
    kernel = torch.tensor(BLUR)[None, None]
    return F.conv1d(counts[None, None], kernel, padding=len(BLUR) // 2)[0, 0]


def _chroma(roll: Tensor) -> Tensor:
    """Strokes of notes by half second and pitch class, [spans, 12], with those that hold one."""
    chroma = torch.zeros(len(roll), 12)
    for channels, lowest in (
        (BASS, BASS_LOWEST),
        (KEYBOARD, KEYBOARD_LOWEST),
        (SYNTH, SYNTH_LOWEST),
    ):
        classes = (lowest + torch.arange(len(channels))) % 12
        struck = (roll[:, channels.start : channels.stop] > STRUCK).float()
        chroma.index_add_(1, classes, struck)
    whole = len(roll) // SPAN * SPAN
    return chroma[:whole].unflatten(0, (-1, SPAN)).sum(dim=1)


def _correlation(one: Tensor, other: Tensor) -> float:
    """Of two tensors of one shape, over all their values."""
    a, b = (each.flatten() - each.mean() for each in (one, other))
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size else 0.0

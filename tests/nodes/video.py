"""A film as a player sees and hears it."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Film:
    brightness: Tensor  # the mean of each frame, 0 to 1, [F]
    size: tuple[int, int]  # width, height
    fps: float
    sound: Tensor  # [C, N]
    rate: int


def read(path: Path) -> Film:
    with av.open(str(path)) as film:
        (pictures,), (heard,) = film.streams.video, film.streams.audio
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(pictures)]
        film.seek(0)
        sound = np.concatenate([frame.to_ndarray() for frame in film.decode(heard)], axis=1)
        assert pictures.average_rate is not None
        return Film(
            torch.tensor([float(frame.mean()) / 255 for frame in frames]),
            (pictures.width, pictures.height),
            float(pictures.average_rate),
            torch.from_numpy(sound),
            heard.rate,
        )


def likeness(one: Tensor, other: Tensor) -> float:
    """Pearson's correlation of two rows of numbers."""
    return float(torch.corrcoef(torch.stack([one.double(), other.double()]))[0, 1])


def misfit(brightness: Tensor, levels: Tensor) -> float:
    """How far brightness is from the straight line through it over the levels: root mean square."""
    likely, spread = likeness(brightness, levels), float(brightness.double().std(unbiased=False))
    return spread * (1 - likely**2) ** 0.5

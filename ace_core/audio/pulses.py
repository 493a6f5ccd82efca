"""Levels of a video's frames from the times of beats: pulses that fade, or a switch at each."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .envelope import EnvelopeFollower, followed, frame_rate


def pulses(
    times: Sequence[float], frames: int, fps: float, follow: EnvelopeFollower | None = None
) -> Tensor:
    """Levels [frames], 0 to 1: 1 at the frame that begins nearest to each of `times` in seconds,
    and from there as `follow` says.

    Raises:
        InvalidRequestError: `fps` is outside `FPS_RANGE`.
    """
    follow = follow or EnvelopeFollower()
    levels = torch.zeros(frames)
    levels[_places(times, frames, fps)] = 1.0
    smoothed = torch.tensor(followed(levels.tolist(), fps, follow))
    smoothed = smoothed / smoothed.max().clamp(min=1e-12)
    return (smoothed - follow.floor).clamp(min=0) / (1 - follow.floor)


def switches(times: Sequence[float], frames: int, fps: float) -> Tensor:
    """Levels [frames]: 0 up to the first of `times` in seconds, then 1 and 0 in turn, each from
    the frame that begins nearest to a time.

    Raises:
        InvalidRequestError: `fps` is outside `FPS_RANGE`.
    """
    turns = torch.zeros(frames)
    for place in _places(times, frames, fps):
        turns[place] += 1
    return turns.cumsum(dim=0) % 2


def _places(times: Sequence[float], frames: int, fps: float) -> list[int]:
    """The frames that begin nearest to the times, a half up; those behind the last are left out."""
    places = (math.floor(time * frame_rate(fps) + 0.5) for time in times)
    return [place for place in places if 0 <= place < frames]

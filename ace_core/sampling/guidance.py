"""Guidance: two velocities, with the song's words and without, made into one.

Pure formulas over tensors and the choice between them; `guided.py` holds the state of a run.
Source: acestep/models/common/apg_guidance.py and generate_audio of modeling_acestep_v15_base.py.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import InvalidScheduleError
from ..precision import at_least_float32
from .times import within

APG_MOMENTUM: Final = -0.75  # negative: each step leans away from the last difference
APG_NORM: Final = 2.5  # largest norm over time of a channel's difference
ADG_ANGLE: Final = 3.14 / 6  # radians; the official code writes 3.14 for pi
_NO_DOUBLE: Final = ("mps", "xpu", "privateuseone")  # device types whose chips may lack float64
_SMALL: Final = 1e-10  # keeps the ratio of norms finite


class GuidanceKind(Enum):
    """How the two velocities are combined."""

    CFG = "cfg"
    APG = "apg"
    ADG = "adg"


@dataclass(frozen=True, slots=True)
class Guidance:
    """How a run is steered.

    `scale` 1 is no guidance: one forward a step. `interval` is (low, high), both inclusive, on
    flow time itself (1 is the first step). `norm_threshold` caps a velocity's norm at so many
    times the latent's (2 is usual); `velocity_ema` is the share of the previous velocity, from 0
    to below 1 (0.1 is usual).

    Raises:
        InvalidScheduleError: a field outside its range, or ADG with nothing to guide.
    """

    kind: GuidanceKind = GuidanceKind.APG
    scale: float = 7.0
    interval: tuple[float, float] = (0.0, 1.0)
    norm_threshold: float | None = None
    velocity_ema: float = 0.0

    def __post_init__(self) -> None:
        _check_scale(self.scale, self.kind)
        _check_interval(*self.interval)
        if self.norm_threshold is not None and not 0 < self.norm_threshold < math.inf:
            raise InvalidScheduleError(
                f"A velocity norm threshold of {self.norm_threshold} cannot be used. Set a number "
                "above 0, 2 for instance, or turn it off."
            )
        if not 0 <= self.velocity_ema < 1:
            raise InvalidScheduleError(
                f"A velocity smoothing of {self.velocity_ema} is outside 0 to below 1. Set 0 for "
                "none or 0.1 for a little."
            )

    @property
    def active(self) -> bool:
        """Whether any step needs the velocity without words."""
        return self.scale > 1

    def covers(self, t: float) -> bool:
        """Whether the step at flow time `t` is guided."""
        return self.active and within(t, *self.interval)


def _check_scale(scale: float, kind: GuidanceKind) -> None:
    if not 1 <= scale < math.inf:
        raise InvalidScheduleError(
            f"A guidance scale of {scale} cannot be used. Set it to 1 for no guidance, or higher; "
            "7 is usual for base and sft."
        )
    if kind is GuidanceKind.ADG and scale == 1:
        raise InvalidScheduleError(
            "ADG was chosen with a guidance scale of 1, which is no guidance. Raise the scale "
            "above 1 or choose APG."
        )


def _check_interval(low: float, high: float) -> None:
    if not (0 <= low <= 1 and 0 <= high <= 1):
        raise InvalidScheduleError(
            f"The guidance interval {low} to {high} leaves 0 to 1. Set both ends to flow times "
            "from 0 (the last steps) to 1 (the first)."
        )
    if low > high:
        raise InvalidScheduleError(
            f"The guidance interval starts at {low:g} and ends at {high:g}. Set the start at or "
            "below the end, as in 0 to 1."
        )


def cfg(cond: Tensor, uncond: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance: from `uncond` [B, T, C] towards `cond`, `scale` times as far."""
    return uncond + scale * (cond - uncond)


def apg(
    cond: Tensor, uncond: Tensor, scale: float, momentum: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Adaptive projected guidance: the velocity [B, T, C] and the momentum for the next step.

    The difference is carried with momentum, capped, and freed of its part along `cond`, all over
    time and per channel. (The official code names dimension 1, which is time in its layout.)
    """
    difference = cond - uncond
    if momentum is not None:
        difference = difference + APG_MOMENTUM * momentum
    length = difference.norm(p=2, dim=1, keepdim=True)  # [B, 1, C]
    capped = difference * (APG_NORM / length).clamp(max=1.0)
    return cond + (scale - 1) * _across(capped, cond), difference


def _across(vector: Tensor, along: Tensor) -> Tensor:
    """`vector` [B, T, C] without its part along `along`, over time, in double precision."""
    direction = F.normalize(_double(along), dim=1)
    wide = _double(vector)
    return (wide - (wide * direction).sum(dim=1, keepdim=True) * direction).to(vector)


def _double(x: Tensor) -> Tensor:
    """`x` in double precision, on the CPU where its own device may not have any."""
    return (x.cpu() if x.device.type in _NO_DOUBLE else x).double()


def adg(x: Tensor, t: float, cond: Tensor, uncond: Tensor, scale: float) -> Tensor:
    """Angle-based dynamic guidance [B, T, C], per frame over channels; `t` must be above 0.

    The guess at the music with words is turned away from the guess without, by their angle
    times the scale, at most `ADG_ANGLE`.
    """
    weight = max(scale - 1, 0.0) + 1e-3
    with_words, without = x - t * cond, x - t * uncond
    angle = _angle(with_words, without)  # [B, T, 1] float64
    turned = (weight * angle).clamp(-ADG_ANGLE, ADG_ANGLE)
    away = _perpendicular(with_words - without, without)
    sine = torch.sin(angle)
    stretch = torch.where(sine > 1e-3, torch.sin(turned) / sine, weight)
    guided = torch.cos(turned).to(away) * with_words + stretch.to(away) * away
    return ((x - guided) / t).to(x.dtype)


def _angle(one: Tensor, other: Tensor) -> Tensor:
    """Angle between the frames of two [B, T, C]: [B, T, 1] float64, kept off 0 and pi."""
    one, other = _double(one), _double(other)
    one = one / torch.linalg.norm(one, dim=-1, keepdim=True)
    other = other / torch.linalg.norm(other, dim=-1, keepdim=True)
    cosine = (one * other).sum(dim=-1, keepdim=True)
    return torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))


def _perpendicular(vector: Tensor, base: Tensor) -> Tensor:
    """`vector` [B, T, C] without its part along `base`, per frame, in float32 or better."""
    wide = at_least_float32(vector.dtype)
    vector, base = vector.to(wide), base.to(wide)
    share = (vector * base).sum(dim=-1, keepdim=True)
    return vector - share / ((base * base).sum(dim=-1, keepdim=True) + 1e-8) * base


def clamp_norm(v: Tensor, x: Tensor, threshold: float) -> Tensor:
    """`v` [B, T, C], shortened where an item's norm exceeds `threshold` times that of `x`."""
    allowed = threshold * (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + _SMALL)
    length = torch.linalg.vector_norm(v, dim=(1, 2), keepdim=True) + _SMALL
    return v * (allowed / length).clamp(max=1.0)


def smooth(v: Tensor, previous: Tensor | None, share: float) -> Tensor:
    """`v` with `share` of the `previous` velocity mixed in; the first step has none."""
    if previous is None or share == 0:
        return v
    return (1 - share) * v + share * previous

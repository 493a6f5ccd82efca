"""Guidance: the conditional and the unconditional velocity combined into one.

Formulas over tensors, `Guidance` as their settings, and `GuidedVelocity`, which a solver calls and
which keeps the state of one run. It does not know where the two velocities come from.
Source: acestep/models/common/apg_guidance.py and generate_audio of modeling_acestep_v15_base.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import InvalidScheduleError
from ..precision import at_least_float32
from .schedules import within
from .solvers import Velocity, corrector_of

APG_MOMENTUM: Final = -0.75  # negative: each step subtracts a share of the last difference
APG_NORM: Final = 2.5  # largest norm of a channel's difference, over time
ADG_ANGLE: Final = 3.14 / 6  # radians; the official code writes 3.14 for pi
ADG_NORM_ANGLE: Final = 3.14 / 3  # of ADG that keeps the norm
_NO_DOUBLE: Final = ("mps", "xpu", "privateuseone")  # device types that may lack float64
_SMALL: Final = 1e-10  # keeps the ratio of norms finite


class GuidanceKind(Enum):
    """How the two velocities are combined."""

    CFG = "cfg"  # classifier-free guidance
    APG = "apg"  # adaptive projected guidance
    ADG = "adg"  # angle-based dynamic guidance
    ADG_W_NORM = "adg_w_norm"  # ADG over wider angles; the estimate of x0 keeps its norm
    ADG_WO_CLIP = "adg_wo_clip"  # ADG with no limit of the angle

    @property
    def by_angle(self) -> bool:
        """Whether it is one of the ADG kinds."""
        return self in (GuidanceKind.ADG, GuidanceKind.ADG_W_NORM, GuidanceKind.ADG_WO_CLIP)


_ANGLES: Final = {  # how far each kind rotates at most, in radians
    GuidanceKind.ADG: ADG_ANGLE,
    GuidanceKind.ADG_W_NORM: ADG_NORM_ANGLE,
    GuidanceKind.ADG_WO_CLIP: math.inf,
}


@dataclass(frozen=True, slots=True)
class Guidance:
    """Settings of the guidance of one run.

    `scale` 1 is no guidance: one forward per step. `interval` is (low, high) in flow time, both
    inclusive; the first step is at 1. `norm_threshold` caps the norm of a velocity at this
    multiple of the latent's norm (2 is usual); `velocity_ema` is the share of the previous
    velocity, from 0 to below 1 (0.1 is usual).

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
        """Whether any step needs the unconditional velocity."""
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
    if kind.by_angle and scale == 1:
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

    Momentum is added to the difference, its norm is capped, and its component parallel to `cond`
    removed, each over time and per channel. (The official code names dimension 1, which is time
    in its layout.)
    """
    difference = cond - uncond
    if momentum is not None:
        difference = difference + APG_MOMENTUM * momentum
    norm = difference.norm(p=2, dim=1, keepdim=True)  # [B, 1, C]
    capped = difference * (APG_NORM / norm).clamp(max=1.0)
    return cond + (scale - 1) * _orthogonal_over_time(capped, cond), difference


def _orthogonal_over_time(vector: Tensor, base: Tensor) -> Tensor:
    """Component of `vector` [B, T, C] orthogonal to `base`, over time, in double precision."""
    direction = F.normalize(_double(base), dim=1)
    exact = _double(vector)
    return (exact - (exact * direction).sum(dim=1, keepdim=True) * direction).to(vector)


def _double(x: Tensor) -> Tensor:
    """`x` in float64, on the CPU where its device may lack it."""
    return (x.cpu() if x.device.type in _NO_DOUBLE else x).double()


def adg(
    x: Tensor,
    t: float,
    pair: tuple[Tensor, Tensor],
    scale: float,
    kind: GuidanceKind = GuidanceKind.ADG,
) -> Tensor:
    """Angle-based dynamic guidance of the `pair` (conditional, unconditional): a velocity
    [B, T, C]; `t` must be above 0.

    Per frame, over channels: the conditional estimate of x0 is rotated away from the unconditional
    one by the angle between them times `scale` - 1, at most by the angle of `kind`. ADG_W_NORM then
    gives every channel the norm over time that the conditional estimate has.
    """
    cond, uncond = pair
    weight = max(scale - 1, 0.0) + 1e-3
    x0_cond, x0_uncond = x - t * cond, x - t * uncond
    angle = _angle(x0_cond, x0_uncond)  # [B, T, 1] float64
    most = _ANGLES[kind]
    rotation = (weight * angle).clamp(-most, most)
    orthogonal = _orthogonal_per_frame(x0_cond - x0_uncond, x0_uncond)
    sine = torch.sin(angle)
    factor = torch.where(sine > 1e-3, torch.sin(rotation) / sine, weight)
    x0 = torch.cos(rotation).to(orthogonal) * x0_cond + factor.to(orthogonal) * orthogonal
    if kind is GuidanceKind.ADG_W_NORM:
        x0 = x0 * (_norm_over_time(x0_cond) / _norm_over_time(x0))
    return ((x - x0) / t).to(x.dtype)


def _norm_over_time(x: Tensor) -> Tensor:
    """[B, T, C] -> [B, 1, C]"""
    return torch.linalg.vector_norm(x, dim=1, keepdim=True)


def _angle(one: Tensor, other: Tensor) -> Tensor:
    """Angle between the frames of two [B, T, C]: [B, T, 1] float64, clamped off 0 and pi."""
    one, other = _double(one), _double(other)
    one = one / torch.linalg.norm(one, dim=-1, keepdim=True)
    other = other / torch.linalg.norm(other, dim=-1, keepdim=True)
    cosine = (one * other).sum(dim=-1, keepdim=True)
    return torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))


def _orthogonal_per_frame(vector: Tensor, base: Tensor) -> Tensor:
    """Component of `vector` [B, T, C] orthogonal to `base`, per frame, in float32 or better."""
    dtype = at_least_float32(vector.dtype)
    vector, base = vector.to(dtype), base.to(dtype)
    dot = (vector * base).sum(dim=-1, keepdim=True)
    return vector - dot / ((base * base).sum(dim=-1, keepdim=True) + 1e-8) * base


def clamp_norm(v: Tensor, x: Tensor, threshold: float) -> Tensor:
    """`v` [B, T, C], scaled so that no item's norm exceeds `threshold` times that of `x`."""
    largest = threshold * (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + _SMALL)
    norm = torch.linalg.vector_norm(v, dim=(1, 2), keepdim=True) + _SMALL
    return v * (largest / norm).clamp(max=1.0)


def smooth(v: Tensor, previous: Tensor | None, share: float) -> Tensor:
    """Moving average of `v` and the `previous` velocity, with weight `share`; None: first step."""
    if previous is None or share == 0:
        return v
    return (1 - share) * v + share * previous


CondUncond = Callable[[Tensor, float], tuple[Tensor, Tensor]]  # (x, t) -> cond, uncond
_State = tuple[Tensor | None, Tensor | None]  # momentum and previous velocity, [B, T, C]


class GuidedVelocity:
    """The velocity of one run: guided inside the interval, the conditional one outside it.

    `cond_uncond` gives both velocities and `cond` the conditional one alone. One object per run:
    it keeps the momentum of APG and the previous velocity.
    """

    def __init__(self, cond_uncond: CondUncond, cond: Velocity, guidance: Guidance) -> None:
        self._cond_uncond = cond_uncond
        self._cond = cond
        self._guidance = guidance
        self._momentum: Tensor | None = None  # [B, T, C]
        self._previous: Tensor | None = None  # [B, T, C]
        self._before: _State = (None, None)  # of the draws of a step
        self._after: list[_State] = []  # one per draw so far

    def __call__(self, x: Tensor, t: float) -> Tensor:
        v = self._limited(self._predict(x, t), x)
        self._previous = v
        return v

    def corrector(self, x: Tensor, t: float) -> Tensor:
        """The velocity at the predicted end `x` of a Heun step.

        CFG takes the place of APG here, so that a step advances the momentum once. The previous
        velocity becomes the mean of both, which is the velocity that the step takes.
        """
        v = self._limited(self._correct(x, t), x)
        if self._previous is not None:
            self._previous = 0.5 * (self._previous + v)
        return v

    def draw(self, x: Tensor, t: float, index: int, count: int) -> Tensor:
        """The velocity of one of the `count` draws whose mean is a step, `index` from 0.

        Each draw starts with the momentum and the previous velocity of before the step. Afterwards
        these are the means of what the draws made of them: both depend linearly on a draw, so that
        is one step of the mean.
        """
        if index == 0:
            self._before, self._after = (self._momentum, self._previous), []
        self._momentum, self._previous = self._before
        v = self(x, t)
        self._after.append((self._momentum, self._previous))
        if index == count - 1:
            momenta, previous = zip(*self._after, strict=True)
            self._momentum, self._previous = _mean(momenta), _mean(previous)
        return v

    def _predict(self, x: Tensor, t: float) -> Tensor:
        guidance = self._guidance
        if not guidance.covers(t):
            return self._cond(x, t).to(x.dtype)
        cond, uncond = _in_dtype_of(x, self._cond_uncond(x, t))
        if guidance.kind is not GuidanceKind.APG:
            return self._stateless(x, t, cond, uncond)
        v, self._momentum = apg(cond, uncond, guidance.scale, self._momentum)
        return v

    def _correct(self, x: Tensor, t: float) -> Tensor:
        if not self._guidance.covers(t):
            return corrector_of(self._cond)(x, t).to(x.dtype)
        return self._stateless(x, t, *_in_dtype_of(x, corrector_of(self._cond_uncond)(x, t)))

    def _stateless(self, x: Tensor, t: float, cond: Tensor, uncond: Tensor) -> Tensor:
        """ADG if it was chosen and `t` is above 0, else CFG."""
        kind = self._guidance.kind
        if kind.by_angle and t > 0:
            return adg(x, t, (cond, uncond), self._guidance.scale, kind)
        return cfg(cond, uncond, self._guidance.scale)

    def _limited(self, v: Tensor, x: Tensor) -> Tensor:
        """`v` after the norm threshold and the moving average."""
        threshold = self._guidance.norm_threshold
        if threshold is not None:
            v = clamp_norm(v, x, threshold)
        return smooth(v, self._previous, self._guidance.velocity_ema)


def _mean(tensors: Sequence[Tensor | None]) -> Tensor | None:
    """The mean of what is there; None where nothing is."""
    present = [each for each in tensors if each is not None]
    return sum(present[1:], present[0]) / len(present) if present else None


def _in_dtype_of(x: Tensor, pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Both velocities in the dtype of the latent, which is the more precise one."""
    cond, uncond = pair
    return cond.to(x.dtype), uncond.to(x.dtype)

"""Flow matching: t runs from 1 (noise) to 0 (music), and a velocity is dx/dt.

The solvers know no model: they are handed a velocity. The schedule knows no variant.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import pairwise
from typing import TypeVar

from torch import Tensor

from ..errors import InvalidScheduleError
from .times import above

logger = logging.getLogger(__name__)

Velocity = Callable[[Tensor, float], Tensor]  # (x [B, T, C], t) -> dx/dt [B, T, C]
OnStep = Callable[[int, Tensor], None]  # (step, present guess at the clean latent [B, T, C])
AfterStep = Callable[[int, float, Tensor], Tensor]  # (step, t reached, x) -> x [B, T, C]


class Solver(Enum):
    """The functions of this module that integrate a velocity, by the name users choose."""

    EULER = "euler"
    HEUN = "heun"
    SDE = "sde"


_Look = TypeVar("_Look", bound=Callable[..., object])


def timesteps(steps: int, shift: float) -> list[float]:
    """`steps` + 1 times from 1.0 down to 0.0; a `shift` above 1 spends more of them near noise.

    For 8 steps and shift 1, 2 or 3 these are the turbo model's own tables.
    Source: modeling_acestep_v15_base.py, generate_audio; there in the model's dtype, here in
    double precision.

    Raises:
        InvalidScheduleError: `steps` is not a whole number from 1, or `shift` not above 0.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InvalidScheduleError(
            f"{steps!r} steps cannot be taken. Set `steps` to a whole number from 1: 8 for turbo, "
            "32 or more for base and sft."
        )
    if not (math.isfinite(shift) and shift > 0):
        raise InvalidScheduleError(
            f"Shift {shift} is not a number above 0. Set `shift` to 1 for even steps or to 3, "
            "the usual value."
        )
    even = [1 - step / steps for step in range(steps + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]


def shift_of(times: Sequence[float]) -> float | None:
    """The shift that makes these times, which may be single precision; None for other lists."""
    steps = len(times) - 1
    if steps < 2 or not 0 < times[1] < 1:
        return None
    even = 1 - 1 / steps
    shift = round(times[1] * (1 - even) / (even * (1 - times[1])), 3)
    made = timesteps(steps, shift) if shift > 0 else []
    fits = all(abs(one - other) < 1e-4 for one, other in zip(times, made, strict=False))
    return shift if made and fits else None


def custom_timesteps(values: Sequence[float]) -> list[float]:
    """A hand-written schedule: times within 0 to 1 that fall. A missing final 0 is added.

    Raises:
        InvalidScheduleError: fewer than two values, one outside 0 to 1, or one that does not
            fall by more than single precision can hold.
    """
    times = [float(value) for value in values]
    if len(times) < 2:
        raise InvalidScheduleError(
            f"{times} is not a schedule: it needs at least two times. Write them falling from 1 "
            "to 0, as in 1, 0.75, 0.5, 0.25, 0."
        )
    for place, t in enumerate(times, start=1):
        if not 0 <= t <= 1:
            raise InvalidScheduleError(
                f"Time {place} of {len(times)} is {t}, outside 0 to 1. Write times falling from "
                "1 (noise) to 0 (music)."
            )
    for place, (t, t_next) in enumerate(pairwise(times), start=2):
        if not above(t, t_next):
            raise InvalidScheduleError(
                f"Time {place} is {t_next:.9g}, which does not fall below the {t:.9g} before it. "
                "Write every time once, from the largest to the smallest."
            )
    if times[-1] > 0:
        logger.info("The custom times end at %g; the missing final 0 is added.", times[-1])
        times.append(0.0)
    return times


def euler(
    velocity: Velocity,
    x: Tensor,
    times: Sequence[float],
    on_step: OnStep | None = None,
    after_step: AfterStep | None = None,
) -> Tensor:
    """Integrate from `times[0]` to `times[-1]`. Returns a new [B, T, C]; `x` is left alone."""
    for step, (t, t_next) in enumerate(pairwise(times)):
        v = velocity(x, t).to(x.dtype)
        if on_step is not None:
            on_step(step, x - t * v)  # x = x0 + t * v, so this is the present guess at x0
        x = x + (t_next - t) * v
        if after_step is not None:
            x = after_step(step, t_next, x)
    return x


def heun(
    velocity: Velocity,
    x: Tensor,
    times: Sequence[float],
    on_step: OnStep | None = None,
    after_step: AfterStep | None = None,
    correct_last: bool = True,
) -> Tensor:
    """Second order: each step takes the mean of the velocities at both of its ends.

    `correct_last` False leaves the step that reaches t = 0 to Euler, as the official turbo code
    does: turbo never saw t = 0. The second look is `velocity.corrector` where there is one.
    """
    corrector = corrector_of(velocity)
    for step, (t, t_next) in enumerate(pairwise(times)):
        v = velocity(x, t).to(x.dtype)
        if on_step is not None:
            on_step(step, x - t * v)
        if t_next > 0 or correct_last:
            predicted = x + (t_next - t) * v
            v = 0.5 * (v + corrector(predicted, t_next).to(x.dtype))
        x = x + (t_next - t) * v
        if after_step is not None:
            x = after_step(step, t_next, x)
    return x


def sde(
    velocity: Velocity,
    x: Tensor,
    times: Sequence[float],
    fresh: Iterator[Tensor],
    on_step: OnStep | None = None,
    after_step: AfterStep | None = None,
) -> Tensor:
    """Each step guesses the music and noises it again, with a draw from `fresh`, to the next time.

    Source: generate_audio with infer_method "sde"; there the draws are unseeded, and the base
    models' next time is 1 - (step + 1) / steps whatever the schedule. Here it is the schedule's.
    """
    for step, (t, t_next) in enumerate(pairwise(times)):
        x0 = x - t * velocity(x, t).to(x.dtype)
        if on_step is not None:
            on_step(step, x0)
        x = t_next * next(fresh).to(x0) + (1 - t_next) * x0 if t_next > 0 else x0
        if after_step is not None:
            x = after_step(step, t_next, x)
    return x


def corrector_of(velocity: _Look) -> _Look:
    """How `velocity` wants to be asked for the second look of a Heun step: itself, as a rule."""
    return getattr(velocity, "corrector", velocity)

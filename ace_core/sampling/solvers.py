"""Solvers of the flow: they integrate a velocity dx/dt from t = 1 (noise) to t = 0 (music).

A solver does not depend on a model: it is handed a velocity. The library's pipeline and a host's
sampler both call `integrate`, so a song is integrated in one way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import NamedTuple, TypeVar

from torch import Tensor

Velocity = Callable[[Tensor, float], Tensor]  # (x [B, T, C], t) -> dx/dt [B, T, C]
OnStep = Callable[[int, Tensor], None]  # (step, estimate of the clean latent x0 [B, T, C])


class SolverStep(NamedTuple):
    """A step that a solver has taken."""

    index: int
    t: float  # where it began
    t_next: float
    x0: Tensor  # estimate of the clean latent at t, [B, T, C]


AfterStep = Callable[[SolverStep, Tensor], Tensor]  # (step, x at t_next) -> x [B, T, C]


class Solver(Enum):
    """The solvers of this module by the names that users choose."""

    EULER = "euler"
    HEUN = "heun"
    SDE = "sde"


_Velocity = TypeVar("_Velocity", bound=Callable[..., object])


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
        x0 = x - t * v  # as x = x0 + t * v
        if on_step is not None:
            on_step(step, x0)
        x = x + (t_next - t) * v
        if after_step is not None:
            x = after_step(SolverStep(step, t, t_next, x0), x)
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

    The velocity at the predicted end is `velocity.corrector` where there is one. `correct_last`
    False takes an Euler step to t = 0, as the official turbo code does: turbo was not trained at
    t = 0.
    """
    corrector = corrector_of(velocity)
    for step, (t, t_next) in enumerate(pairwise(times)):
        v = velocity(x, t).to(x.dtype)
        x0 = x - t * v
        if on_step is not None:
            on_step(step, x0)
        if t_next > 0 or correct_last:
            predicted = x + (t_next - t) * v
            v = 0.5 * (v + corrector(predicted, t_next).to(x.dtype))
        x = x + (t_next - t) * v
        if after_step is not None:
            x = after_step(SolverStep(step, t, t_next, x0), x)
    return x


def sde(
    velocity: Velocity,
    x: Tensor,
    times: Sequence[float],
    noise: Iterator[Tensor],
    on_step: OnStep | None = None,
    after_step: AfterStep | None = None,
) -> Tensor:
    """Each step estimates x0 and adds a new draw of `noise` up to the next time.

    Source: generate_audio with infer_method "sde". There the draws are unseeded, and the next time
    of the base models is 1 - (step + 1) / steps for any schedule; here it is the schedule's own.
    """
    for step, (t, t_next) in enumerate(pairwise(times)):
        x0 = x - t * velocity(x, t).to(x.dtype)
        if on_step is not None:
            on_step(step, x0)
        x = t_next * next(noise).to(x0) + (1 - t_next) * x0 if t_next > 0 else x0
        if after_step is not None:
            x = after_step(SolverStep(step, t, t_next, x0), x)
    return x


def in_turn(*after_steps: AfterStep | None) -> AfterStep | None:
    """The functions that are there, one after the other; None where there is none."""
    present = [after_step for after_step in after_steps if after_step is not None]
    if len(present) <= 1:
        return next(iter(present), None)

    def after_step(step: SolverStep, x: Tensor) -> Tensor:
        for each in present:
            x = each(step, x)
        return x

    return after_step


def corrector_of(velocity: _Velocity) -> _Velocity:
    """What a Heun step calls at its predicted end: `velocity.corrector`, else `velocity` itself."""
    return getattr(velocity, "corrector", velocity)


@dataclass(frozen=True, slots=True, eq=False)
class SolverOptions:
    """What a solver takes beside the velocity and the initial latent."""

    times: Sequence[float]
    noise: Iterator[Tensor]  # draws [B, T, C] of a stochastic solver
    on_step: OnStep | None = None
    after_step: AfterStep | None = None
    correct_last: bool = True  # False for turbo, which was not trained at t = 0


def integrate(solver: Solver, velocity: Velocity, x: Tensor, options: SolverOptions) -> Tensor:
    """`x` [B, T, C] integrated from the first time of the schedule to the last."""
    if solver is Solver.SDE:
        return sde(velocity, x, options.times, options.noise, options.on_step, options.after_step)
    if solver is Solver.HEUN:
        return heun(
            velocity, x, options.times, options.on_step, options.after_step, options.correct_last
        )
    return euler(velocity, x, options.times, options.on_step, options.after_step)

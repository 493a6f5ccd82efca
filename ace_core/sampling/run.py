"""One run from noise to music by whichever solver was chosen.

The core's pipeline and a host's sampler both go through here, so a song is integrated one way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from .flow import AfterStep, OnStep, Solver, Velocity, euler, heun, sde


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a solver needs beside a velocity and a start."""

    times: Sequence[float]
    fresh: Iterator[Tensor]  # draws [B, T, C] for a solver that noises again
    on_step: OnStep | None = None
    after_step: AfterStep | None = None
    correct_last: bool = True  # False for turbo, which never saw t = 0


def integrate(solver: Solver, velocity: Velocity, x: Tensor, run: Run) -> Tensor:
    """`x` [B, T, C] carried from the first of the run's times to the last."""
    if solver is Solver.SDE:
        return sde(velocity, x, run.times, run.fresh, run.on_step, run.after_step)
    if solver is Solver.HEUN:
        return heun(velocity, x, run.times, run.on_step, run.after_step, run.correct_last)
    return euler(velocity, x, run.times, run.on_step, run.after_step)

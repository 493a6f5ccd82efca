"""A velocity whose values are checked at every step, so that NaN ends a run where it begins."""

from collections.abc import Sequence

from torch import Tensor

from ..precision import check_finite
from .flow_edit import draw_of
from .schedules import nearest_index
from .solvers import Velocity, corrector_of


def model_at(t: float, times: Sequence[float]) -> str:
    """The diffusion model at flow time `t` of the schedule `times`, in words for an error."""
    steps = len(times) - 1
    step = min(nearest_index(times, t) + 1, steps)
    return f"diffusion model at step {step} of {steps}"


class FiniteVelocity:
    """`velocity` on the schedule `times`, refused where it is no number.

    Raises:
        NonFiniteError: when it is called, and the velocity holds NaN or infinity.
    """

    def __init__(self, velocity: Velocity, times: Sequence[float]) -> None:
        self._velocity, self._times = velocity, times

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return check_finite(self._velocity(x, t), model_at(t, self._times))

    def corrector(self, x: Tensor, t: float) -> Tensor:
        """The same for the second evaluation of a Heun step."""
        return check_finite(corrector_of(self._velocity)(x, t), model_at(t, self._times))

    def draw(self, x: Tensor, t: float, index: int, count: int) -> Tensor:
        """The same for one of several draws of a step of a flow edit."""
        values = draw_of(self._velocity)(x, t, index, count)
        return check_finite(values, model_at(t, self._times))

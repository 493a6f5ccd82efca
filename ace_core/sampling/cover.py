"""The two strengths of a cover: how many steps see the source, and how much of it the start holds.

Arithmetic on a schedule; the velocities are handed in.
Source: generate_audio, arguments audio_cover_strength and cover_noise_strength.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from torch import Tensor

from ..task import check_strength
from .schedules import above, close, nearest_index
from .solvers import corrector_of

_Result = TypeVar("_Result")


def switch_time(times: Sequence[float], strength: float) -> float:
    """The flow time of the first step that does not see the source.

    The first int(steps * `strength`) steps see it: all of them for 1, none for 0.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    check_strength("cover strength", strength)
    steps = len(times) - 1
    return times[int(steps * strength)]


def uses_source(t: float, switch: float, corrector: bool = False) -> bool:
    """Whether a forward at flow time `t` sees the source, given the time of the `switch`.

    `corrector`: it is the second forward of a Heun step, which sees what the first one saw.
    """
    return above(t, switch) or (corrector and close(t, switch))


class SwitchedVelocity(Generic[_Result]):
    """One velocity (or pair) for the steps before the flow time `switch`, another from there on."""

    def __init__(
        self,
        with_source: Callable[[Tensor, float], _Result],
        without_source: Callable[[Tensor, float], _Result],
        switch: float,
    ) -> None:
        self._with_source = with_source
        self._without_source = without_source
        self._switch = switch

    def __call__(self, x: Tensor, t: float) -> _Result:
        return self._choose(uses_source(t, self._switch))(x, t)

    def corrector(self, x: Tensor, t: float) -> _Result:
        """The velocity at the predicted end of a Heun step, of the same side as at its start."""
        return corrector_of(self._choose(uses_source(t, self._switch, corrector=True)))(x, t)

    def _choose(self, source: bool) -> Callable[[Tensor, float], _Result]:
        return self._with_source if source else self._without_source


def start_from_source(
    noise: Tensor, source: Tensor, times: Sequence[float], strength: float
) -> tuple[Tensor, list[float]]:
    """The initial latent [B, T, C], `strength` of it the source, and the times that are left.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    left = times_from_source(times, strength)
    if strength == 0:
        return noise, left
    return left[0] * noise + (1 - left[0]) * source, left


def times_from_source(times: Sequence[float], strength: float) -> list[float]:
    """The times that are left when the initial latent holds `strength` of the source.

    0 leaves every step; near 1 only the last is left. The first is the scheduled time nearest to
    1 - `strength`, the earlier of two equally near.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    check_strength("source strength", strength)
    if strength == 0:
        return list(times)
    return list(times[nearest_index(times[:-1], 1 - strength) :])

"""The two strengths of a cover: when the song's own words take over, and where the noise starts.

Pure arithmetic on a schedule; the velocities are handed in.
Source: generate_audio, arguments audio_cover_strength and cover_noise_strength.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from torch import Tensor

from ..task import check_strength
from .flow import corrector_of
from .times import above, nearest, same

_Answer = TypeVar("_Answer")


def switch_time(times: Sequence[float], strength: float) -> float:
    """The flow time from which on the conditioning without the source is used.

    The first int(steps * `strength`) steps hear the source. 1 never switches; 0 at once.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    check_strength("cover strength", strength)
    steps = len(times) - 1
    return times[int(steps * strength)]


def with_source(t: float, at: float, corrects: bool = False) -> bool:
    """Whether the step at flow time `t` reads the source when the switch is at the time `at`.

    `corrects` is the second forward of a Heun step, which reads what its first one read.
    """
    return above(t, at) or (corrects and same(t, at))


class Switched(Generic[_Answer]):
    """One velocity (or pair) down to the flow time `at`, another from there on."""

    def __init__(
        self,
        before: Callable[[Tensor, float], _Answer],
        after: Callable[[Tensor, float], _Answer],
        at: float,
    ) -> None:
        self._before = before
        self._after = after
        self._at = at

    def __call__(self, x: Tensor, t: float) -> _Answer:
        return (self._before if with_source(t, self._at) else self._after)(x, t)

    def corrector(self, x: Tensor, t: float) -> _Answer:
        """The second look of a Heun step goes with its first: at `at` itself, still before."""
        reads_source = with_source(t, self._at, corrects=True)
        return corrector_of(self._before if reads_source else self._after)(x, t)


def start_from_source(
    noise: Tensor, source: Tensor, times: Sequence[float], strength: float
) -> tuple[Tensor, list[float]]:
    """Where to start [B, T, C] and the times left when the source is already in the noise.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    left = times_from_source(times, strength)
    if strength == 0:
        return noise, left
    return left[0] * noise + (1 - left[0]) * source, left


def times_from_source(times: Sequence[float], strength: float) -> list[float]:
    """The times left when the start holds `strength` of the source.

    0 leaves every step; near 1 only the last is left. The first is the scheduled time nearest to
    1 - `strength`, the earlier of two equally near.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    check_strength("source strength", strength)
    if strength == 0:
        return list(times)
    return list(times[nearest(times[:-1], 1 - strength) :])

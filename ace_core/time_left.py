"""How far a count of steps is, in words: "step 12 of 32, 8 s left"."""

import time
from collections.abc import Callable
from typing import Final

UNIT: Final = "step"
MINUTES: Final = 90  # seconds from which minutes are said


class StepClock:
    """What to say of a count of steps that take about equally long.

    The first step may load or compile, so the time left is told from the second on, by the steps
    after the first. `unit` is what is counted. With `open_end` the count may end before its total:
    there is no time left to tell then.
    """

    def __init__(
        self,
        unit: str = UNIT,
        open_end: bool = False,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.unit, self.open_end = unit, open_end
        self._now = now
        self._done, self._time = 0, 0.0  # the first report of this count

    def text(self, done: int, total: int) -> str:
        """What to say when `done` of `total` steps are done."""
        left = self.seconds_left(done, total)
        of = "of at most" if self.open_end else "of"
        said = f"{self.unit} {done} {of} {total}"
        return said if left is None else f"{said}, {left_words(left)}"

    def seconds_left(self, done: int, total: int) -> float | None:
        """None at the first step of a count, and where its end is open."""
        if self._done == 0 or done < self._done:  # a count that begins again
            self._done, self._time = done, self._now()
        steps = done - self._done
        if not steps or self.open_end:
            return None
        return (self._now() - self._time) / steps * max(total - done, 0)


def left_words(seconds: float) -> str:
    """Such as "8 s left" and "2 min 5 s left"."""
    whole = round(seconds)
    if whole < MINUTES:
        return f"{whole} s left"
    return f"{whole // 60} min {whole % 60} s left"

"""The time that each stage of a run takes, and the progress of the run."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ..time_left import UNIT, StepClock

Progress = Callable[..., Any]  # (share of the run from 0 to 1, desc=stage, step and time left)
Counter = Callable[[int, int], None]  # (done, total)

# share of the run at the end of each stage; skipped stages are jumped over
STAGE_ENDS: Final = {
    "Planning the song": 0.1,
    "Composing codes": 0.4,
    "Encoding the text": 0.45,
    "Making music": 0.85,
    "Decoding the audio": 0.95,
    "Analysing the songs": 0.98,
    "Saving": 1.0,
}
UNITS: Final = {  # of what is counted, where it is no step
    "Planning the song": "token",
    "Composing codes": "code",
    "Decoding the audio": "tile",
    "Analysing the songs": "song",
    "Saving": "song",
}
OPEN_ENDED: Final = ("Planning the song",)  # may end before all that is allowed


class RunProgress:
    """Seconds by the published names, and calls of the published `progress`."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.costs: dict[str, float] = {}
        self._progress = progress
        self._start = time.perf_counter()
        self._share = 0.0
        self._part, self._parts = 0, 1

    def part(self, index: int, parts: int) -> None:
        """What follows is the run's part `index` of `parts` that take equally long."""
        self._part, self._parts = index, parts

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.costs[name] = self.costs.get(name, 0.0) + time.perf_counter() - start

    def stage(self, name: str) -> Counter:
        """Report the start of a stage. The returned function reports how much of it is done."""
        names = list(STAGE_ENDS)
        index = names.index(name)
        begin = STAGE_ENDS[names[index - 1]] if index else 0.0
        self._report(begin, name)
        clock = StepClock(UNITS.get(name, UNIT), name in OPEN_ENDED)

        def report(done: int, total: int) -> None:
            share = begin + (STAGE_ENDS[name] - begin) * min(done / total, 1.0)
            self._report(share, f"{name}: {clock.text(done, total)}")

        return report

    def total(self) -> dict[str, float]:
        """The seconds of every published key, sums included; 0 for a stage that did not run."""
        lm = {name: self.costs.get(name, 0.0) for name in ("lm_phase1_time", "lm_phase2_time")}
        stages = ("encoder", "diffusion", "vae_decode")
        dit = {f"dit_{s}_time_cost": self.costs.get(f"dit_{s}_time_cost", 0.0) for s in stages}
        return {
            **lm,
            "lm_total_time": sum(lm.values()),
            **dit,
            "dit_total_time_cost": sum(dit.values()),
            "pipeline_total_time": time.perf_counter() - self._start,
        }

    def _report(self, share: float, words: str) -> None:
        whole = (self._part + share) / self._parts
        self._share = max(self._share, whole)  # every microbatch counts its steps from 0
        if self._progress is not None:
            self._progress(self._share, desc=words)

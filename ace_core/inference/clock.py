"""What a run took, stage by stage, and how far it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

Progress = Callable[..., Any]  # (share of the run from 0 to 1, desc=what is being done)
Counter = Callable[[int, int], None]  # (done, in total)

# of the whole run, where each stage ends; the stages that a run skips are jumped over
ENDS: Final = {
    "Planning the song": 0.1,
    "Composing codes": 0.4,
    "Reading the words": 0.45,
    "Making music": 0.85,
    "Decoding the sound": 0.97,
    "Saving": 1.0,
}


class Clock:
    """Seconds by the published names, and the shares of the published `progress`."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.costs: dict[str, float] = {}
        self._progress = progress
        self._began = time.perf_counter()
        self._share = 0.0

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.costs[name] = self.costs.get(name, 0.0) + time.perf_counter() - began

    def stage(self, name: str) -> Counter:
        """Announce a stage; what is returned reports how much of it is done."""
        names = list(ENDS)
        place = names.index(name)
        begin = ENDS[names[place - 1]] if place else 0.0
        self._tell(begin, name)

        def report(done: int, total: int) -> None:
            self._tell(begin + (ENDS[name] - begin) * min(done / total, 1.0), name)

        return report

    def total(self) -> dict[str, float]:
        """Every published key, sums included; a stage that was not run took no time."""
        lm = {name: self.costs.get(name, 0.0) for name in ("lm_phase1_time", "lm_phase2_time")}
        stages = ("encoder", "diffusion", "vae_decode")
        dit = {f"dit_{s}_time_cost": self.costs.get(f"dit_{s}_time_cost", 0.0) for s in stages}
        return {
            **lm,
            "lm_total_time": sum(lm.values()),
            **dit,
            "dit_total_time_cost": sum(dit.values()),
            "pipeline_total_time": time.perf_counter() - self._began,
        }

    def _tell(self, share: float, name: str) -> None:
        self._share = max(self._share, share)  # a batch made in groups counts its steps anew
        if self._progress is not None:
            self._progress(self._share, desc=name)

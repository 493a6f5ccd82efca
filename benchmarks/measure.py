"""Honest timing on a noisy machine: every candidate in turn, the order reversed every other round.

`interleaved` gives medians of CPU time and of time by the clock; `peak_bytes` how far the process's
memory rose above where it stood. Both run in this process.
"""

import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch

from ace_core.memory import available_ram
from ace_core.precision import cpu_is_fast_at_bf16

Run = Callable[[], object]
Result = TypeVar("Result")


class Seconds(NamedTuple):
    """Of CPU, which other work on the machine disturbs little, and by the clock."""

    cpu: float
    wall: float


def interleaved(runs: Mapping[str, Run], rounds: int = 3, warmup: int = 1) -> dict[str, Seconds]:
    """Medians of each run over `rounds`, after `warmup` unmeasured ones."""
    for _ in range(warmup):
        for run in runs.values():
            run()
    seconds: dict[str, list[Seconds]] = {name: [] for name in runs}
    for turn in range(rounds):
        names = list(runs) if turn % 2 == 0 else list(reversed(list(runs)))
        for name in names:
            seconds[name].append(timed(runs[name])[1])
    return {
        name: Seconds(*(statistics.median(each) for each in zip(*values, strict=True)))
        for name, values in seconds.items()
    }


def ratios(figures: Mapping[str, float], to: str) -> dict[str, float]:
    """Each figure over that of `to`."""
    return {name: value / figures[to] for name, value in figures.items()}


def peak_bytes(run: Run) -> int:
    """How many bytes the resident memory rose while `run` ran (Linux only)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def limit_memory() -> None:
    """Let this process take what the machine has but for a GB (Linux only): an allocation beyond it
    fails, where otherwise the system would end some process."""
    limit = _status("VmSize") + available_ram() - 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def machine() -> str:
    """One line: processor, threads, torch, whether it is fast at bf16."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    fast = ", fast at bf16" if cpu_is_fast_at_bf16() else ""
    return f"{model}, {torch.get_num_threads()} threads, torch {torch.__version__}{fast}"


def timed(run: Callable[[], Result]) -> tuple[Result, Seconds]:
    """What a run gives, and how long it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    return result, Seconds(time.process_time() - cpu, time.perf_counter() - wall)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")

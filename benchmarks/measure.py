"""Honest timing on a noisy machine: every candidate in turn, the order reversed every other round.

`interleaved` gives medians and their ratios to the first candidate; `peak_bytes` how far the
process's memory rose above where it stood. Both run in this process.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from ace_core.precision import cpu_is_fast_at_bf16

Run = Callable[[], object]


def interleaved(runs: Mapping[str, Run], rounds: int = 3, warmup: int = 1) -> dict[str, float]:
    """Median seconds of each run over `rounds`, after `warmup` unmeasured ones."""
    for _ in range(warmup):
        for run in runs.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds):
        names = list(runs) if turn % 2 == 0 else list(reversed(list(runs)))
        for name in names:
            seconds[name].append(_timed(runs[name]))
    return {name: statistics.median(values) for name, values in seconds.items()}


def ratios(seconds: Mapping[str, float], to: str) -> dict[str, float]:
    """Each figure over that of `to`."""
    return {name: value / seconds[to] for name, value in seconds.items()}


def peak_bytes(run: Run) -> int:
    """How many bytes the resident memory rose while `run` ran (Linux only)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


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


def _timed(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")

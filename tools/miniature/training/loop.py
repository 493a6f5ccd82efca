"""The training loop: seeded, resumable after a kill, with the time left."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

WARM_UP: Final = 100  # steps
FALLING: Final = 0.4  # part of the time in which the learning rate falls
LOWEST: Final = 0.02  # of the peak, at the end
SAVE_EVERY: Final = 60.0  # seconds
LONGEST_GRADIENT: Final = 1.0
EMA: Final = 0.998

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One training. `state` is the file it goes on from after a kill: weights, their moving
    average, the optimizer and the seconds spent."""

    minutes: float
    state: Path
    rate: float = 2e-3  # peak of the learning rate
    threads: int = 1
    report_every: float = 120.0  # seconds
    say: Say = print


@dataclass(slots=True)
class Progress:
    """`step` also seeds the examples, so that a resumed run sees new ones."""

    step: int = 0
    seconds: float = 0.0
    losses: float = 0.0
    counted: int = 0


def train(
    model: nn.Module, loss: Callable[[int], Tensor], report: Callable[[nn.Module], str], run: Run
) -> nn.Module:
    """`model` trained for `run.minutes` on `loss(step)`; returns the moving average of its weights.

    `report` measures the average now and then; its time does not count.
    """
    torch.set_num_threads(run.threads)
    average = _copy(model)
    parameters = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(parameters, run.rate, betas=(0.9, 0.98), weight_decay=0.01)
    progress = _resume(run.state, model, average, optimizer)
    total, saved, reported = run.minutes * 60, progress.seconds, progress.seconds
    while progress.seconds < total:
        began = time.perf_counter()
        rate = run.rate * rate_at(progress.step, progress.seconds / total)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        value = loss(progress.step)
        value.backward()  # pyright: ignore[reportUnknownMemberType]
        torch.nn.utils.clip_grad_norm_(parameters, LONGEST_GRADIENT)
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]
        progress.step += 1
        _follow(average, model, progress.step)
        progress.losses, progress.counted = progress.losses + value.item(), progress.counted + 1
        progress.seconds += time.perf_counter() - began
        if progress.seconds - reported > run.report_every or progress.seconds >= total:
            run.say(_line(progress, total) + report(average))
            reported, progress.losses, progress.counted = progress.seconds, 0.0, 0
        if progress.seconds - saved > SAVE_EVERY or progress.seconds >= total:
            _save(run.state, model, average, optimizer, progress)
            saved = progress.seconds
    return average


def rate_at(step: int, part: float) -> float:
    """Of the peak: up within 100 steps, level, down to 2 % in the last part of the time."""
    falling = max(0.0, (part - (1 - FALLING)) / FALLING)
    level = LOWEST + (1 - LOWEST) * 0.5 * (1 + math.cos(math.pi * min(1.0, falling)))
    return min(1.0, (step + 1) / WARM_UP) * level


def _line(progress: Progress, total: float) -> str:
    left = max(0.0, total - progress.seconds) / 60
    mean = progress.losses / max(1, progress.counted)
    return f"step {progress.step}, {left:.0f} min left, loss {mean:.4f}  "


def _copy(model: nn.Module) -> nn.Module:
    average = copy.deepcopy(model)
    average.requires_grad_(False)
    return average


def _follow(average: nn.Module, model: nn.Module, step: int) -> None:
    share = 1 - min(EMA, (1 + step) / (10 + step))
    with torch.no_grad():
        for kept, latest in zip(average.parameters(), model.parameters(), strict=True):
            kept.lerp_(latest, share)


def _save(
    path: Path,
    model: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": progress.step,
        "seconds": progress.seconds,
    }
    torch.save(state, part)
    part.replace(path)


def _resume(
    path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> Progress:
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return Progress(state["step"], state["seconds"])

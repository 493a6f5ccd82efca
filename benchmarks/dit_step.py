"""One denoising step of the decoder beside diffusers' and those of every ComfyUI that is installed.

`python -m benchmarks.dit_step` prints the tables of docs/performance.md: a step at two lengths in
two dtypes, the cost per second of music from 10 to 600 s, and per item of a batch of 1 to 8.
True width, random weights, few layers (`--layers`); conditions are given.

Each candidate has a process of its own, with its own allocator, and takes one step at a time while
the others wait; the order is reversed every other round. The process's CPU time is compared, which
other work on the machine disturbs less than the time by the clock.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch

from ace_core.constants import LATENT_RATE
from ace_core.models.acestep import AceStepModel
from ace_core.models.compiled import compile_layers
from ace_core.models.ops import Ops
from tools.hosts.checkout import environment_of, find_checkouts, version_of
from tools.miniature.claims.pictures import lines

from . import peers, real_size
from .measure import Run, Seconds, machine

OURS: Final = "ours"
COMPILED: Final = "ours, compiled"
DIFFUSERS: Final = "diffusers"
CONDITIONS: Final = 512  # tokens of lyrics, timbre and text
TIME: Final = 0.75
LENGTHS: Final = ((10, 3), (60, 3), (120, 1), (240, 1), (600, 1))  # seconds of music, rounds
WARMED_UP: Final = 120  # seconds of music; longer steps take minutes, and little of them is warm-up


@dataclass(frozen=True, slots=True)
class Step:
    seconds: float  # of music
    items: int = 1
    rounds: int = 5


class Candidate:
    """A process that holds one decoder and takes a step when it is told to."""

    def __init__(self, name: str, dtype: str, layers: int, checkout: Path | None = None) -> None:
        self.name = name
        python = sys.executable if checkout is None else environment_of(checkout) / "bin" / "python"
        command = [str(python), "-m", "benchmarks.dit_step", "--worker", name, dtype, str(layers)]
        place = {} if checkout is None else {"COMFYUI_PATH": str(checkout)}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **place},
        )

    def __enter__(self) -> "Candidate":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def take(self, step: Step) -> Seconds:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(asdict(step)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended; its message is above")
        return Seconds(*json.loads(answer))


def measured(candidates: Sequence[Candidate], step: Step) -> dict[str, Seconds]:
    """The step by each candidate, medians, after one that is not counted where it is short."""
    taken: dict[str, list[Seconds]] = {each.name: [] for each in candidates}
    if step.seconds * step.items <= WARMED_UP:
        for each in candidates:
            each.take(step)
    for turn in range(step.rounds):
        for each in candidates if turn % 2 == 0 else reversed(candidates):
            taken[each.name].append(each.take(step))
    return {
        name: Seconds(median(each.cpu for each in all_), median(each.wall for each in all_))
        for name, all_ in taken.items()
    }


def row(cells: Iterable[object]) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def head(cells: Sequence[str]) -> None:
    print()
    row(cells)
    row("---" for _ in cells)


def steps(hosts: Mapping[str, Path], dtypes: Sequence[str], layers: int) -> None:
    """Ours against every peer: seconds of CPU (by the clock), and ours over theirs."""
    others = (COMPILED, DIFFUSERS, *hosts)
    head([f"step of {layers} layers", OURS, *others, *(f"ours / {name}" for name in others)])
    for dtype in dtypes:
        with ExitStack() as stack:
            candidates = [
                stack.enter_context(Candidate(name, dtype, layers, hosts.get(name)))
                for name in (OURS, *others)
            ]
            for seconds, rounds in ((30, 5), (120, 3)):
                taken = measured(candidates, Step(seconds, rounds=rounds))
                cells = [f"{each.cpu:.2f} ({each.wall:.2f})" for each in taken.values()]
                ratios = [f"{taken[OURS].cpu / taken[name].cpu:.2f}" for name in others]
                row([f"{seconds} s, {dtype}", *cells, *ratios])


def costs(many: Iterable[Step], dtype: str, layers: int) -> dict[str, list[tuple[Step, float]]]:
    """CPU milliseconds per second of music and item, for ours and diffusers."""
    found: dict[str, list[tuple[Step, float]]] = {OURS: [], DIFFUSERS: []}
    head([f"song, {layers} layers", "items", OURS, DIFFUSERS, "ours / diffusers"])
    with ExitStack() as stack:
        candidates = [
            stack.enter_context(Candidate(name, dtype, layers)) for name in (OURS, DIFFUSERS)
        ]
        for step in many:
            taken = measured(candidates, step)
            of_music = step.seconds * step.items / 1000
            each = [taken[name].cpu / of_music for name in (OURS, DIFFUSERS)]
            row([f"{step.seconds:g} s", step.items, *(f"{cost:.1f}" for cost in each),
                 f"{each[0] / each[1]:.2f}"])  # fmt: skip
            for name, cost in zip(found, each, strict=True):
                found[name].append((step, cost))
    return found


def draw(folder: Path | None, over: str, found: Mapping[str, list[tuple[Step, float]]]) -> None:
    """A plot of the costs over the seconds of a song, or over the items of a batch."""
    if folder is None:
        return
    by_items = over == "batch"
    axis = "items of 30 s" if by_items else "seconds of music"
    series = {
        name: [(step.items if by_items else step.seconds, cost) for step, cost in costs]
        for name, costs in found.items()
    }
    top = max(cost for points in series.values() for _, cost in points)
    title = "CPU milliseconds of a step per second of music and item"
    lines(title, axis, series, folder / f"performance_{over}.png", top=20 * math.ceil(top / 20))


def decoder(dtype: torch.dtype, layers: int) -> AceStepModel:
    """A model of which only the decoder has weights."""
    model = AceStepModel(real_size.turbo_2b(layers), Ops(device="meta", dtype=dtype))
    real_size.randomized(model.decoder, dtype)
    return model


def run_of(name: str, model: AceStepModel, step: Step) -> Run:
    """The step as a call of the candidate that `name` says."""
    dtype, frames = model.null_condition_emb.dtype, int(step.seconds * LATENT_RATE)
    shape = (step.items, frames)
    x, context = torch.randn(*shape, 64).to(dtype), torch.randn(*shape, 128).to(dtype)
    encoded = torch.randn(step.items, CONDITIONS, model.config.encoder.hidden_size).to(dtype)
    t = torch.full((step.items,), TIME)
    if name in (OURS, COMPILED):
        kv = model.decoder.cross_attention_kv(encoded)
        return lambda: model.decoder(x, t, context, kv)
    if name == DIFFUSERS:
        theirs, when = peers.diffusers_decoder(model), t.to(dtype)
        return lambda: theirs(x, when, when, encoded, context, return_dict=False)
    checkout = peers.comfyui()
    if checkout is None:
        raise RuntimeError(f"{sys.executable} lacks what {name} needs")
    host: Any = peers.host_model(model, checkout).decoder
    return lambda: host(x, t, t, None, encoded, None, context)


@torch.inference_mode()
def work(name: str, dtype: str, layers: int) -> None:
    """Takes each step that comes in a line of JSON, and answers with its times."""
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a peer prints
    model, runs = decoder(getattr(torch, dtype), layers), {}
    if name == COMPILED:
        compile_layers(model.decoder)
    for line in sys.stdin:
        if line not in runs:
            runs = {line: run_of(name, model, Step(**json.loads(line)))}
        cpu, wall = time.process_time(), time.perf_counter()
        runs[line]()
        taken = Seconds(time.process_time() - cpu, time.perf_counter() - wall)
        print(json.dumps(taken), file=answers, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=4, help="of a step")
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--only", choices=("step", "length", "batch"))
    parser.add_argument("--plots", type=Path, help="folder for plots of the costs")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        name, dtype, layers = given.worker
        work(name, dtype, int(layers))
        return
    hosts = {f"ComfyUI {version_of(place)}": place for place in find_checkouts()}
    print(f"{machine()}; {time.strftime('%d %B %Y')}")
    if given.only in (None, "step"):
        steps(hosts, given.dtypes, given.layers)
    if given.only in (None, "length"):
        many = [Step(each, rounds=rounds) for each, rounds in LENGTHS]
        draw(given.plots, "length", costs(many, "bfloat16", 2))
    if given.only in (None, "batch"):
        many = [Step(30, items, 1 + 2 // items) for items in (1, 2, 4, 8)]
        draw(given.plots, "batch", costs(many, "bfloat16", 2))


if __name__ == "__main__":
    main()

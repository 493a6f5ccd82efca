"""How long a diffusion model takes to load and how much memory, against a loader that copies.

`python -m benchmarks.load` writes a file of the true 2B turbo shapes in bf16 (4.8 GB of random
numbers) to a temporary folder and loads it in fresh processes, the file warm in the page cache.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import torch
from safetensors.torch import load_file
from torch import nn

from ace_core.models.acestep import AceStepModel
from ace_core.models.ops import Ops
from ace_core.weights import load_dit
from ace_core.weights.load import SkipInitMode

from . import real_size

DTYPE: Final = torch.bfloat16
BLOCK: Final = 1 << 24  # numbers drawn at once, then repeated
PAGE: Final = 4_096  # bytes

Numbers = dict[str, float]


def measure(folder: Path, rounds: int = 3) -> dict[str, Numbers]:
    """Seconds until ready (by clock, and of CPU, which other work on the machine leaves alone) and
    until every page was touched, and peak GB; per loader, medians."""
    path = folder / "acestep_v1.5_turbo_random.safetensors"
    write_random(path)
    found: dict[str, list[Numbers]] = {name: [] for name in LOADERS}
    for _ in range(rounds):
        for name in LOADERS:
            found[name].append(_in_fresh_process(name, path))
    path.unlink()
    return {
        name: {key: median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }


def write_random(path: Path) -> None:
    """A file of the 2B turbo shapes, block by block: it need not fit in memory."""
    block = torch.empty(BLOCK, dtype=DTYPE).normal_(std=real_size.WEIGHT_SCALE)
    data = block.view(torch.uint8).numpy().tobytes()
    header: dict[str, object] = {}
    offset = 0
    with SkipInitMode():
        shapes = AceStepModel(real_size.turbo_2b(), Ops(device="meta")).state_dict()
    for name, tensor in shapes.items():
        end = offset + 2 * math.prod(tensor.shape)
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for start in range(0, offset, len(data)):
            file.write(data[: offset - start])


def ours(path: Path) -> nn.Module:
    return load_dit(path).model


def copying(path: Path) -> nn.Module:
    """A model of bf16 parameters, and a state dict copied into it."""
    with SkipInitMode():
        model = AceStepModel(real_size.turbo_2b(), Ops(dtype=DTYPE))
    model.load_state_dict(load_file(path))
    return model


LOADERS: Final[dict[str, Callable[[Path], nn.Module]]] = {
    "ours": ours,
    "copying": copying,
}


def _in_fresh_process(name: str, path: Path) -> Numbers:
    command = [sys.executable, "-m", "benchmarks.load", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _timed(name: str, path: Path) -> Numbers:
    start, worked = time.perf_counter(), time.process_time()
    model = LOADERS[name](path)
    ready, cpu = time.perf_counter() - start, time.process_time() - worked
    for parameter in model.parameters():
        parameter.detach().view(torch.uint8).flatten()[::PAGE].sum()
    touched = time.perf_counter() - start
    memory = _peak_memory() / 1e9
    return {"ready_s": ready, "ready_cpu_s": cpu, "touched_s": touched, "peak_gb": memory}


def _peak_memory() -> int:
    """Bytes this process ever held, mapped files included."""
    status = Path("/proc/self/status")
    if not status.exists():
        raise SystemExit("peak memory is read from /proc, which only Linux has")
    rows = dict(row.split(":", 1) for row in status.read_text().splitlines())
    return int(rows["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_timed(sys.argv[1], Path(sys.argv[2]))))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            print(json.dumps(measure(Path(temporary)), indent=2))

"""Trials of the many-songs batch that are too long for the tests.

`python -m tools.testing.batch_trials kills` kills it at random points (twenty times, -9), with
songs left to make each time, lets it come to its end and checks that every song is there once,
whole, and as the manifest says. With `--ray ADDRESS` it runs on that Ray. `... together` starts it
twice at once, again and again, and checks the same. `... memory` makes two hundred songs in one
process and prints how its memory grew. The models are the miniature ones.
"""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ace_core.constants import SAMPLE_RATE
from tools.hosts.checkout import ROOT
from tools.miniature import miniature

SECONDS = 0.4
SONG: dict[str, Any] = {  # the least work that is a song: a recording may be shorter than any song
    "task_type": "cover",
    "src_audio": "tone.wav",
    "caption": "rain",
    "thinking": False,
    "inference_steps": 1,
    "audio_format": "wav",
}
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}  # many small processes on few cores
KILLED = "(exit -9)"
AHEAD = 20  # songs that are left to make before each kill, more than fit into its time
EARLY = 0.25  # share of the kills that fall anywhere from the first moment on


def command(base: Path, *options: str) -> list[str]:
    """The batch of `base`: its prompts, its models, its songs."""
    songs = ["batch", str(base / "prompts.jsonl"), "--out", str(base / "songs")]
    models = ["--models", str(base / "models" / "official" / "Ace-Step1.5"), "--no-lm"]
    return [sys.executable, "-m", "ace_core", *songs, *models, "--json", *options]


def prepare(base: Path, songs: int, models: Callable[[Path], Any] = miniature) -> list[str]:
    """Models, prompts and a recording below `base`; the ids of the songs."""
    models(base / "models")
    tone = np.sin(np.arange(round(SECONDS * SAMPLE_RATE)) / 20)
    soundfile.write(base / "tone.wav", np.stack([tone, tone], axis=1), SAMPLE_RATE)
    return write_prompts(base, songs)


def write_prompts(base: Path, songs: int) -> list[str]:
    """So many lines, of which the first ones are always the same; the ids of the songs."""
    names = [f"song-{number:03d}" for number in range(songs)]
    lines = [json.dumps({"id": name, **SONG}) for name in names]
    (base / "prompts.jsonl").write_text("\n".join(lines) + "\n")
    return names


def records(base: Path) -> list[bytes]:
    """Whole lines of the manifest."""
    path = base / "songs" / "manifest.jsonl"
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def run_and_kill(base: Path, rng: random.Random, options: list[str], early: float = EARLY) -> str:
    """Start the batch and kill it somewhere; where that was."""
    before, began = len(records(base)), time.monotonic()
    wanted = 0 if rng.random() < early else rng.choice((1, 1, 2))
    pause = rng.uniform(0, 6 if wanted == 0 else 2)
    with (base / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command(base, *options), cwd=ROOT, env=ONE_THREAD, stdout=log, stderr=log
        )
        while process.poll() is None and len(records(base)) < before + wanted:
            time.sleep(0.002)
        time.sleep(pause)
        process.kill()
        code = process.wait()
    made = len(records(base)) - before
    return f"{time.monotonic() - began:5.1f} s after its start, {made} songs further (exit {code})"


def faults(base: Path, names: list[str]) -> list[str]:
    """What is not as it should be when the batch has come to its end."""
    found = [json.loads(line) for line in records(base)]
    times = Counter(record["id"] for record in found)
    told = [f"{name}: {times[name]} records" for name in names if times[name] != 1]
    told += [
        f"{record['id']}: {record['status']}" for record in found if record["status"] != "done"
    ]
    folder, named = base / "songs", {"manifest.jsonl", "batch.json", ".lock"}
    for file in (file for record in found for file in record.get("files", ())):
        path = folder / file["name"]
        named.add(file["name"])
        if hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
            told.append(f"{path.name}: not what the manifest says")
        elif len(soundfile.read(path)[0]) < SECONDS * SAMPLE_RATE:
            told.append(f"{path.name}: shorter than its source")
    others = {path.name for path in folder.iterdir()} - named
    return told + [f"{name}: nobody named it" for name in sorted(others)]


def kills(base: Path, times: int, seed: int, options: list[str]) -> bool:
    names = prepare(base, AHEAD)
    rng, killed = random.Random(seed), 0
    while killed < times:
        names = write_prompts(base, len(records(base)) + AHEAD)
        where = run_and_kill(base, rng, options)
        running = KILLED in where  # it may have made its songs before
        killed += running
        print(f"kill {killed:2d}: {where}" if running else f"no kill: {where}", flush=True)
    made = len(records(base))
    done = subprocess.run(
        command(base, *options), cwd=ROOT, env=ONE_THREAD, capture_output=True, check=False
    )
    told = faults(base, names)
    print(f"last run: exit {done.returncode}, {len(names) - made} of {len(names)} songs were left")
    print("\n".join(told) or f"{len(names)} songs: each once, whole, and as the manifest says")
    return done.returncode == 0 and not told


def together(base: Path, times: int) -> bool:
    """Two batches at once on one folder, `times` times: one song is left to make each time."""
    names = prepare(base, times)
    lines = (base / "prompts.jsonl").read_text().splitlines(keepends=True)
    refused, codes = 0, set()
    for number in range(1, times + 1):
        (base / "prompts.jsonl").write_text("".join(lines[:number]))
        pair = [
            subprocess.Popen(
                command(base), cwd=ROOT, env=ONE_THREAD, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        for process in pair:
            output, _ = process.communicate()
            codes.add(process.returncode)
            refused += "another batch" in output
    found = faults(base, names)
    print(f"{times} pairs of batches: {refused} refused, exit codes {sorted(codes)}")
    print("\n".join(found) or f"{times} songs: each once, whole, and as the manifest says")
    return codes <= {0, 1} and not found


def memory(base: Path, songs: int) -> bool:
    prepare(base, songs)
    process = subprocess.Popen(
        command(base), cwd=ROOT, env=ONE_THREAD, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for number, _ in enumerate(process.stdout, start=1):
        if number in (1, 2, 5, 10) or number % 20 == 0:
            print(f"after {number:3d} songs: {resident(process.pid):7.1f} MiB", flush=True)
    return process.wait() == 0


def resident(pid: int) -> float:
    """MiB of main memory that a process of this machine (Linux) has."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trial", choices=("kills", "together", "memory"))
    parser.add_argument("--times", type=int, default=20, help="kills, or pairs of batches")
    parser.add_argument("--songs", type=int, default=200, help="songs of the memory trial")
    parser.add_argument("--seed", type=int, default=1, help="of the points of the kills")
    parser.add_argument("--ray", metavar="ADDRESS", help="run on this Ray, with two workers")
    arguments = parser.parse_args()
    options = ["--ray", arguments.ray, "--workers", "2"] if arguments.ray else []
    with tempfile.TemporaryDirectory(prefix="acestep15-trial-") as folder:
        base = Path(folder)
        if arguments.trial == "memory":
            good = memory(base, arguments.songs)
        elif arguments.trial == "together":
            good = together(base, arguments.times)
        else:
            good = kills(base, arguments.times, arguments.seed, options)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

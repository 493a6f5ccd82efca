"""A small batch, killed before each of its file operations in turn and then gone on with.

Run as a script: `killed.py FOLDER` forks a batch for every point, so that -9 is a real one, and
prints a JSON list of what it found for each: the operation, and every fault.
"""

import hashlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from ace_core.batch.folder import Folder, locked
from ace_core.batch.jobs import Job, JobResult, OutputFile, Write
from ace_core.batch.prompts import Line
from ace_core.batch.run import remaining_lines, run

OPERATIONS = ("open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.truncate")
LINES = (Line("a", 1, {"batch_size": 2}), Line("b", 2, {}))
ITEMS = {"a": 2, "b": 1}


def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
    return (partial(written, job, folder) for job in jobs)


def written(job: Job, folder: Path) -> JobResult:
    files = []
    for seed in job.seeds:
        path = folder / f"{seed}.wav"
        path.write_bytes(f"{job.id} {seed}".encode())
        files.append(OutputFile(path, {"seed": seed}))
    return JobResult(job, tuple(files))


def batch(path: Path) -> None:
    path.mkdir(exist_ok=True)
    with locked(path):
        folder = Folder(path)
        remaining = remaining_lines(folder, LINES)
        jobs = [Job(line, tuple(range(ITEMS[line.id]))) for line in remaining.pending]
        run(folder, jobs, executor, {}, lambda record: None)


def killed_at(point: int, path: Path, notes: Path) -> bool:
    """Whether the batch had such a point: it is killed before its operation number `point`."""
    child = os.fork()
    if child == 0:
        left = [point]

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            if event in OPERATIONS and str(path) in str(arguments[0]):
                left[0] -= 1
                if left[0] == 0:
                    os.write(2, f"{event} {Path(str(arguments[0])).name}\n".encode())
                    os.kill(os.getpid(), signal.SIGKILL)

        os.dup2(os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.addaudithook(watch)
        batch(path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def faults(path: Path) -> list[str]:
    records = [json.loads(line) for line in (path / "manifest.jsonl").read_text().splitlines()]
    faults = []
    if Counter(record["id"] for record in records) != {"a": 1, "b": 1}:
        faults.append(f"records {[record['id'] for record in records]}")
    named = {"manifest.jsonl", "batch.json", ".lock"}
    for file in (file for record in records for file in record["files"]):
        named.add(file["name"])
        if hashlib.sha256((path / file["name"]).read_bytes()).hexdigest() != file["sha256"]:
            faults.append(f"hash of {file['name']}")
    others = {file.name for file in path.iterdir()} ^ (named | {"a.1.wav", "a.2.wav", "b.wav"})
    return faults + sorted(others)


def main(base: Path) -> list[dict[str, Any]]:
    found = []
    for point in count(1):
        path, notes = base / f"{point:03d}", base / "notes"
        if not killed_at(point, path, notes):
            return found
        batch(path)
        found.append({"before": notes.read_text().strip(), "faults": faults(path)})
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))

"""Jobs of a test run: a few at a time, none stopped by another's failure, their output in turn.

The output of the job that began first is shown as it comes; what runs beside it is kept in its log
and shown when its turn comes, so that no two are mixed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tools.hosts.checkout import ROOT
from tools.testing.environments import packages
from tools.testing.reports import Row, counted

_POLL = 0.05  # seconds
_LIMIT = 3600.0  # seconds a job may take
_SHOWN = object()
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # dozens of processes would compile the same modules


@dataclass(frozen=True)
class Job:
    """Commands that run one after the other, all of them, whatever each comes to."""

    layer: str
    where: str
    commands: tuple[tuple[str, ...], ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)  # None takes a name out
    needs: tuple[str, ...] = ()  # names of jobs that must have succeeded
    report: Path | None = None  # the JUnit report that its command writes, where it is pytest
    minutes: float = 0.0  # about how long it takes: what takes longest begins first
    host: str = ""
    frontend: str = ""
    python: Path | None = None  # whose packages the row tells
    missing: str = ""  # what this machine lacks for it
    waits: bool = False  # or that another has its turn

    @property
    def name(self) -> str:
        return f"{self.layer} ({self.where})"


class _Running:
    """A job that was started; `step` moves it on and gives its row at its end."""

    def __init__(self, job: Job, log: Path) -> None:
        self.job, self.log = job, log
        self.began = time.monotonic()
        self.waiting = list(job.commands)
        self.failures: list[str] = []
        self.codes: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.row: Row | None = None
        self.file: BinaryIO = log.open("wb")
        if job.report is not None:
            job.report.unlink(missing_ok=True)

    def step(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                if time.monotonic() - self.began > _LIMIT:
                    self.end()
                    self._finish(f"stopped after {_LIMIT:g} s")
                return
            self.codes.append(self.process.returncode)
        if not self.waiting:
            self._finish()
            return
        self._start(self.waiting.pop(0))

    def end(self) -> None:
        """End the process of this job and what it has started."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _start(self, command: tuple[str, ...]) -> None:
        changes = self.job.environment
        given = {name: value for name, value in changes.items() if value is not None}
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **given}
        for name in (_NO_BYTECODE, *(name for name, value in changes.items() if value is None)):
            environment.pop(name, None)
        self.file.write(f"$ {' '.join(command)}\n".encode())
        self.file.flush()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=self.file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _finish(self, problem: str = "") -> None:
        self.file.close()
        took = time.monotonic() - self.began
        self.row = row_of(self.job, self.codes, took, problem)


def row_of(job: Job, codes: Sequence[int], seconds: float, problem: str = "") -> Row:
    """What a job came to. `codes`: the exit codes of its commands.

    A job of tests in which none passed has failed: a layer that skips itself proves nothing.
    """
    counts = {"passed": codes.count(0), "failures": _bad(job, codes), "skips": {}}
    if job.report is not None:
        counts = {"passed": 0, "failures": (), "skips": {}}
        if job.report.is_file():
            counts = counted(job.report)
        if not problem and any(codes) and not counts["failures"]:
            problem = f"pytest ended with exit code {codes[-1]}"
        elif not problem and not counts["failures"] and not counts["passed"]:
            problem = "no test passed"
    return Row(
        job.layer,
        job.where,
        **counts,
        problem=problem,
        seconds=seconds,
        host=job.host,
        frontend=job.frontend,
        packages=packages(job.python) if job.python is not None and counts["passed"] else {},
    )


def run_all(jobs: Sequence[Job], slots: int, folder: Path) -> list[Row]:
    """Every job's row, in the order of `jobs`. `slots` run side by side; logs go to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {job.name: _without(job) for job in jobs if job.missing}
    waiting = longest_first([job for job in jobs if not job.missing])
    running: list[_Running] = []
    unshown: list[_Running] = []  # in the order in which they began
    shown: Iterator[None] = iter(())
    try:
        while waiting or running or unshown:
            layers = {each.job.layer for each in running}
            job = _next(waiting, rows, layers) if len(running) < slots else None
            if job is not None:
                waiting.remove(job)
                failed = [name for name in job.needs if not rows[name].succeeded]
                if failed:
                    rows[job.name] = _blocked(job, failed)
                else:
                    running.append(_Running(job, folder / f"{slug(job.name)}.log"))
                    unshown.append(running[-1])
            for each in running:
                each.step()
                if each.row is not None:
                    rows[each.job.name] = each.row
            running = [each for each in running if each.row is None]
            if next(shown, _SHOWN) is _SHOWN and unshown:
                shown = _show(unshown.pop(0))
            time.sleep(_POLL)
        for _ in shown:
            pass
    finally:
        for each in running:
            each.end()
    return [rows[job.name] for job in jobs]


def longest_first(jobs: Sequence[Job]) -> list[Job]:
    """So that no core is idle while the last one runs; what is needed counts as what needs it."""

    def chain(job: Job) -> float:
        after = (chain(each) for each in jobs if job.name in each.needs)
        return job.minutes + max(after, default=0)

    return sorted(jobs, key=chain, reverse=True)


def slug(name: str) -> str:
    """`name` as a file's name."""
    return "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in name)


def _next(waiting: list[Job], rows: Mapping[str, Row], layers: set[str]) -> Job | None:
    """The first in line for which all that it needs has ended; where there is one, of another layer
    than those that run, so that a page, which waits, is beside what computes."""
    able = [job for job in waiting if all(name in rows for name in job.needs)]
    others = (job for job in able if job.layer not in layers or not job.minutes)
    return next(others, able[0] if able else None)


def _show(running: _Running) -> Iterator[None]:
    """Write the log of a job to stdout as it grows, until the job has ended."""
    print(f"\n=== {running.job.name}", flush=True)
    with running.log.open("rb") as log:
        while True:
            ended = running.row is not None
            sys.stdout.buffer.write(log.read())
            sys.stdout.flush()
            if ended:
                return
            yield


def _without(job: Job) -> Row:
    return Row(
        job.layer,
        job.where,
        missing=job.missing,
        waits=job.waits,
        host=job.host,
        frontend=job.frontend,
    )


def _blocked(job: Job, failed: list[str]) -> Row:
    problem = f"what it needs failed: {', '.join(failed)}"
    return Row(job.layer, job.where, problem=problem, host=job.host, frontend=job.frontend)


def _bad(job: Job, codes: Sequence[int]) -> tuple[str, ...]:
    pairs = zip(job.commands, codes, strict=False)
    return tuple(" ".join(command) for command, code in pairs if code != 0)

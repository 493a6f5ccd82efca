"""Run every layer of tests that this machine can, and end with one table of them.

`python3 -m tools.testing` runs the layers of `make test`; `processors` and `versions` run the
core's tests under other settings of the processor and with other versions. A layer that fails
stops no other. It exits with 1 when one has failed. The rows are kept in build/tests/<what>.json.
"""

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from tools.hosts.checkout import CheckoutError
from tools.testing import turns
from tools.testing.jobs import Job, run_all
from tools.testing.layers import REPORTS, SETUP, layers
from tools.testing.processors import in_turn, processors
from tools.testing.reports import Row, table, verdict
from tools.testing.versions import versions

_QUICK = 2.0  # seconds in which nothing was set up


def main(arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    try:
        every = _jobs(options)
    except CheckoutError as error:
        print(f"!!! {error} !!!", file=sys.stderr)
        return 1
    jobs = chosen(every, options.only)
    if not jobs:
        names = "\n".join(job.name for job in every)
        print(f"!!! No layer has {options.only} in its name. There are:\n{names}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended, too
    began = time.monotonic()
    rows = run_all(_with(jobs, options.pytest, options.jobs), options.jobs, REPORTS)
    rows = [row for row in rows if row.layer != SETUP or row.failed or row.seconds > _QUICK]
    _keep(rows, REPORTS / f"{options.what}.json", whole=not (options.only or options.pytest))
    print(f"\n{table(rows)}\n\n{verdict(rows)} ({time.monotonic() - began:.0f} s)")
    return int(any(row.failed for row in rows))


def chosen(jobs: list[Job], only: list[str]) -> list[Job]:
    """Those whose names hold one of the words, and what they need; all of them without a word."""
    wanted = {job.name for job in jobs if not only or any(word in job.name for word in only)}
    while True:
        needed = {name for job in jobs if job.name in wanted for name in job.needs} - wanted
        if not needed:
            return [job for job in jobs if job.name in wanted]
        wanted |= needed


def _jobs(options: argparse.Namespace) -> list[Job]:
    if options.what == "processors":
        return processors()
    if options.what == "versions":
        return versions()
    jobs = layers(options.lint, options.every_frontend)
    return [*turns.in_turn(jobs, turns.commits()), in_turn()] if options.turn else jobs


def _with(jobs: list[Job], more: list[str], slots: int) -> list[Job]:
    """The jobs with further arguments for pytest, and a thread each where they run side by side.

    Those that have more wait asleep: one that turns on its core has the others' work stand still.
    """
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"} if slots > 1 else {}
    return [
        replace(
            job,
            environment={**threads, **job.environment},
            commands=tuple((*each, *more) for each in job.commands) if job.report else job.commands,
        )
        for job in jobs
    ]


def _keep(rows: list[Row], place: Path, whole: bool) -> None:
    """`whole`: every layer was to run, and all of it."""
    content = {"whole": whole, "rows": [asdict(row) for row in rows]}
    place.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.testing", description=__doc__)
    kinds = ("layers", "processors", "versions")
    parser.add_argument("what", nargs="?", choices=kinds, default="layers")
    parser.add_argument("--lint", action="store_true", help="ruff and pyright, too")
    parser.add_argument(
        "--turn",
        action="store_true",
        help="what .ci/run runs: a part of processors, too, and one of the layers that take turns",
    )
    parser.add_argument("--every-frontend", action="store_true", help="each ComfyUI in each page")
    parser.add_argument("--only", action="append", default=[], help="layers whose name has this")
    parser.add_argument("--pytest", action="append", default=[], help="an argument for pytest")
    parser.add_argument("--jobs", type=int, default=_cores(), help="how many run side by side")
    return parser


def _cores() -> int:
    return min(os.cpu_count() or 1, 4)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

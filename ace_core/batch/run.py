"""Run a batch: the lines that remain, and each job up to its record.

A song gets its files and its record in a thread of its own while the next one is made. It does not
depend on a model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ..errors import BatchError
from ..parallel import Behind
from .folder import Folder, Record
from .jobs import Executor, Job, JobResult, Write
from .prompts import Line


@dataclass(frozen=True, slots=True)
class Remaining:
    """The `pending` lines, the numbers of `finished` and `failed` ones that are left alone, and
    `notes` for the user about differences from the last run."""

    pending: tuple[Line, ...]
    finished: int
    failed: int
    notes: tuple[str, ...]


def remaining_lines(folder: Folder, lines: Sequence[Line], retry_failed: bool = False) -> Remaining:
    """Compare the prompts with the folder's manifest.

    Raises:
        BatchError: a line of a finished song has changed.
    """
    last = folder.manifest.last
    _refuse_changed(folder, lines)
    pending: list[Line] = []
    notes: list[str] = []
    failed = 0
    for line in lines:
        record = last.get(line.id)
        if record is None:
            pending.append(line)
        elif record["status"] == "done":
            if missing := folder.absent(record):
                notes.append(f"{line.id}: {', '.join(missing)} is gone and is made again")
                pending.append(line)
        elif retry_failed or _differs(record, line):
            pending.append(line)
        else:
            failed += 1
    gone = last.keys() - {line.id for line in lines}
    if gone:
        named = ", ".join(sorted(gone)[:5]) + (", …" if len(gone) > 5 else "")
        notes.append(f"songs of the folder that the prompts no longer name are kept: {named}")
    return Remaining(tuple(pending), len(lines) - len(pending) - failed, failed, tuple(notes))


def _refuse_changed(folder: Folder, lines: Sequence[Line]) -> None:
    changed = [
        f"  line {line.number}, id {line.id}: {_difference(record, line)}"
        for line in lines
        if (record := folder.manifest.last.get(line.id)) is not None
        and record["status"] == "done"
        and _differs(record, line)
    ]
    if changed:
        raise BatchError(
            f"{folder.path}: {len(changed)} finished songs had other requests. Give these "
            "lines new ids (the id of a line without one is its number), or choose another folder "
            "with --out.\n" + "\n".join(changed)
        )


def _differs(record: Record, line: Line) -> bool:
    return record.get("request") != line.request


def _difference(record: Record, line: Line) -> str:
    before, now = record.get("request", {}), line.request
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    changes = (f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in names)
    return "; ".join(changes) or "a field is given that was left out"


def run(
    folder: Folder,
    jobs: Sequence[Job],
    executor: Executor,
    common: Record,
    on_record: Callable[[Record], object],
) -> None:
    """Run every job. `on_record` is given its record as soon as it is on the disk, in the thread
    that writes.

    A line with a fault is recorded as failed without the executor. `common` goes into each
    record: version and models. At most one song is written while the next is made.

    Raises:
        SaveError: the folder cannot be written to. Finished songs are kept.
    """
    faulty = [JobResult(job, error=job.line.fault) for job in jobs if job.line.fault]
    sound = [job for job in jobs if not job.line.fault]

    def keep(result: JobResult) -> None:
        finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
        record = folder.keep(result, {**common, "finished": finished})
        folder.clear_partial()
        on_record(record)

    def write_and_keep(write: Write) -> None:
        keep(write())

    try:
        folder.clear_partial()
        for result in faulty:
            keep(result)
        with Behind(write_and_keep) as behind:
            for write in executor(sound, folder.partial) if sound else ():
                behind(write)
                del write  # or its sound would stay while the next song is made
    finally:
        folder.remove_partial()

"""What is left to do in a folder: which lines are finished, failed, changed or gone."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BatchError
from .folder import Folder
from .lines import Line
from .manifest import Record


@dataclass(frozen=True, slots=True)
class Left:
    """`pending` is to be made. `finished` and `failed` are counts of what is left alone; `notes`
    tell the user what is not as it was."""

    pending: tuple[Line, ...]
    finished: int
    failed: int
    notes: tuple[str, ...]


def left_to_do(folder: Folder, lines: Sequence[Line], retry_failed: bool = False) -> Left:
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
    return Left(tuple(pending), len(lines) - len(pending) - failed, failed, tuple(notes))


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
            f"{folder.path}: {len(changed)} finished songs were asked for otherwise. Give these "
            "lines new ids (a line without one is called by its number), or choose another folder "
            "with --out.\n" + "\n".join(changed)
        )


def _differs(record: Record, line: Line) -> bool:
    return record.get("request") != line.request


def _difference(record: Record, line: Line) -> str:
    before, now = record.get("request", {}), line.request
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    told = (f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in names)
    return "; ".join(told) or "a field is written that was left out"

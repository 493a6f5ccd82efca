"""The folder of a batch: its lock, its songs, its manifest, and the salt of its random seeds.

A song's record is put down first, beside its unfinished files; then the files get their names, each
in one step and none that is taken; then the record is appended to the manifest, one line of JSON.
What a crash leaves between the steps is known by that record and removed when the folder is opened,
and the song is made again with the same seeds. A last record that a crash cut short is removed when
the manifest is opened. The last record of an id counts. The system drops the lock when a process
ends.
"""

import hashlib
import itertools
import json
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..errors import BatchError, SaveError
from ..parsing import parse_json, read_json
from ..texts import shown
from ..writing import bytes_content, flush_folder, make_folder, name_all, save_errors, write_file
from .jobs import FIT, JobResult, OutputFile

MANIFEST: Final = "manifest.jsonl"
Record = Mapping[str, Any]

logger = logging.getLogger(__name__)


class Manifest:
    """The records of one folder, on disk and by id. Only the holder of the lock may use it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST
        self.last: dict[str, Record] = {}
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for record in _records(self.path, whole):
            self.last[record["id"]] = record
        if len(whole) < len(content):
            logger.warning(
                "%s: the last record was cut short by a crash and is dropped; its song is made "
                "again.",
                self.path,
            )
            os.truncate(self.path, len(whole))

    def append(self, record: Record) -> None:
        """Add `record`; when this returns it is on the disk.

        Raises:
            SaveError: it cannot be written; the manifest is then as it was before.
        """
        content = _packed(record)
        try:
            with self.path.open("ab", buffering=0) as file:
                _write_or_undo(file.fileno(), content)
        except OSError as error:
            raise SaveError(
                f"{self.path}: a record cannot be written ({error.strerror}). Make room there and "
                "run the same command again; it goes on after the last record."
            ) from error
        self.last[record["id"]] = record


def _packed(record: Record) -> bytes:
    """A line of JSON. Half a character, which UTF-8 has not, is written as JSON's own escape."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _records(path: Path, content: bytes) -> Iterator[Record]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            yield _record(parse_json(line, halves=True))
        except ValueError as error:
            raise BatchError(
                f"{path}, line {number}: this is no record of a batch ({error!r}). Put the line "
                "back as it was, or remove it to make its song again."
            ) from error


def _record(content: Any) -> Record:
    """
    Raises:
        ValueError: a field that is read again has another type.
    """
    record = content if isinstance(content, dict) else {}
    for name in ("id", "status"):
        if not isinstance(record.get(name), str):
            raise ValueError(f"its {name} is {shown(record.get(name))}")
    files = record.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise ValueError(f"its files are {shown(files)}")
    for file in files:
        name, size = file.get("name"), file.get("bytes")
        if not isinstance(name, str) or not isinstance(size, int) or Path(name).name != name:
            raise ValueError(f"one of its files is {shown(file)}")
    return record


def _write_or_undo(descriptor: int, content: bytes) -> None:
    before = os.fstat(descriptor).st_size
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]  # a write may be partial
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, before)
        raise


PLAN: Final = "batch.json"
PARTIAL: Final = ".partial"
NAMING: Final = "record.json"  # of the song whose files are getting their names
FORMAT: Final = 1  # of the plan and of the manifest's records
BLOCK: Final = 2**20  # bytes hashed at a time


class Folder:
    """The folder of a new or a resumed batch. Hold its lock while it is used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.salt = _salt(path)
        self.manifest = Manifest(path)
        self.partial = path / PARTIAL
        self._remove_unrecorded()
        self.remove_partial()

    def clear_partial(self) -> None:
        """Empty the folder of unfinished files.

        Raises:
            SaveError: it cannot be made.
        """
        self.remove_partial()
        make_folder(self.partial)

    def remove_partial(self) -> None:
        """Remove the folder of unfinished files."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _remove_unrecorded(self) -> None:
        """Remove the files that a crash left between their names and their record."""
        path = self.partial / NAMING
        if not path.is_file():
            return
        (record,) = _records(path, path.read_bytes())
        if self.manifest.last.get(record["id"]) == record:
            return
        for file in record["files"]:
            left = self.path / file["name"]
            if left.is_file() and _flushed(left) == (file["sha256"], file["bytes"]):
                left.unlink()

    def absent(self, record: Record) -> list[str]:
        """Names of the record's files that are missing or of another size."""
        return [file["name"] for file in record.get("files", ()) if not self._has(file)]

    def _has(self, file: Record) -> bool:
        path = self.path / file["name"]
        return path.is_file() and path.stat().st_size == file["bytes"]

    def keep(self, result: JobResult, common: Record) -> Record:
        """Name the song's files and append its record, which is returned.

        Raises:
            SaveError: the folder cannot be written to.
        """
        job = result.job
        record: dict[str, Any] = {
            "id": job.id,
            "status": "done" if result.error is None else "failed",
            "line": job.line.number,
            "request": dict(job.line.request),
            "seeds": list(job.seeds),
            **result.facts,
            **common,
        }
        if result.error is None:
            record["files"] = []
            self._name(result, record)
        else:
            record["error"] = result.error
        self.manifest.append(record)
        return record

    def _name(self, result: JobResult, record: dict[str, Any]) -> None:
        """Name the files of `result` and write them down in `record`."""
        try:
            facts = [_facts(file) for file in result.files]
            for names in _names(result):
                record["files"] = [
                    {"name": name, **each} for name, each in zip(names, facts, strict=True)
                ]
                content = bytes_content(_packed(record))
                write_file(self.partial / NAMING, content, replace=True)
                try:
                    paths = [self.path / name for name in names]
                    name_all([file.path for file in result.files], paths)
                    break
                except FileExistsError:  # a file that is not this batch's
                    continue
            flush_folder(self.path)
        except OSError as error:
            raise SaveError(
                f"{shown(self.path)}: song {result.job.id} cannot be written ({error.strerror}). "
                "Make room there and run the same command again; it goes on after the last song."
            ) from error


def _names(result: JobResult) -> Iterator[list[str]]:
    """Names of a song's files: its id, and a number where that is taken. Ids have no dot, so a song
    is never named like an item or another attempt of another one. Files of one kind are counted, so
    that timed lyrics have the number of their song. Of ranked takes the best has no number."""
    suffixes = [file.path.suffix for file in result.files]
    numbers = [suffixes[: place + 1].count(suffix) for place, suffix in enumerate(suffixes)]
    several = max(numbers, default=1) > 1
    first = 1 if any(FIT in file.facts for file in result.files) else 0  # without a number
    for attempt in itertools.count(1):
        stem = result.job.id if attempt == 1 else f"{result.job.id}.take{attempt}"
        yield [
            f"{stem}.{number}{file.path.suffix}"
            if several and number > first
            else f"{stem}{file.path.suffix}"
            for number, file in zip(numbers, result.files, strict=True)
        ]


def _facts(file: OutputFile) -> dict[str, Any]:
    digest, size = _flushed(file.path)
    return {"sha256": digest, "bytes": size, **file.facts}


def _salt(path: Path) -> str:
    """The salt in the plan of this folder, or of a new plan where there is none."""
    plan = path / PLAN
    if plan.exists():
        try:
            content = read_json(plan)
            content = content if isinstance(content, dict) else {}
            salt = content.get("salt")
            if not isinstance(salt, str):
                raise ValueError(f"its salt is {shown(salt)}")
            known = content.get("format") == FORMAT
            return salt if known else _refuse(plan, "another version wrote it")
        except (OSError, ValueError) as error:
            _refuse(plan, repr(error), error)
    others = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
    if others:
        raise BatchError(
            f"{path}: the folder holds other files ({', '.join(others[:3])}) and no batch that "
            "could go on. Choose a new or empty folder with --out."
        )
    salt = secrets.token_hex(8)
    draft = make_folder(path / PARTIAL) / PLAN
    write_file(draft, bytes_content(_packed({"format": FORMAT, "salt": salt})), replace=True)
    with save_errors(plan):
        name_all([draft], [plan])
        flush_folder(path)
    return salt


def _refuse(plan: Path, why: str, cause: Exception | None = None) -> str:
    raise BatchError(
        f"{plan}: the plan of this batch cannot be read ({why}). Put it back as it was, or choose "
        "a new folder with --out."
    ) from cause


def _flushed(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file, after its bytes have reached the disk."""
    digest, size = hashlib.sha256(), 0
    with path.open("r+b") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
        os.fsync(file.fileno())
    return digest.hexdigest(), size


LOCK: Final = ".lock"
PID_OFFSET: Final = 1  # of the holder's process id in the lock file; the byte before it is locked


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock `folder` for this process. The file remains; only the lock on it counts.

    Raises:
        BatchError: another process holds the lock.
        SaveError: the folder cannot be written to, or its disk has no locks.
    """
    with save_errors(folder / LOCK):
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(folder / LOCK, flags, 0o666)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        with save_errors(folder / LOCK):
            taken = _take(file.fileno())
        if not taken:
            file.seek(PID_OFFSET)
            holder = file.read(32).decode("ascii", "replace").strip()
            raise BatchError(
                f"{shown(folder)}: another batch{f' (process {holder})' if holder else ''} is "
                "writing here. Wait until it ends, or choose another folder with --out."
            )
        with save_errors(folder / LOCK):
            file.truncate(PID_OFFSET)
            file.seek(PID_OFFSET)
            file.write(f"{os.getpid()}\n".encode())
        yield


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

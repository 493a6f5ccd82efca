"""The manifest: one JSON line for every song that was finished or has failed.

A record is appended and reaches the disk before the next song begins, so whatever happens, the
manifest tells exactly which songs exist. A last line that was torn by a crash is cut off when the
file is opened again; its song is made again. The last record of an id is the one that counts.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import BatchError, SaveError

NAME: Final = "manifest.jsonl"
Record = Mapping[str, Any]

logger = logging.getLogger(__name__)


class Manifest:
    """The records of one folder, on disk and by id. One process may hold it at a time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
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
        text = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with self.path.open("ab", buffering=0) as file:
                _write_or_undo(file.fileno(), text.encode())
        except OSError as error:
            raise SaveError(
                f"{self.path}: a record cannot be written ({error.strerror}). Make room there and "
                "run the same command again; it goes on after the last record."
            ) from error
        self.last[record["id"]] = record


def _records(path: Path, content: bytes) -> Iterator[Record]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            record = json.loads(line)
            yield {**record, "id": record["id"], "status": record["status"]}
        except (ValueError, KeyError, TypeError) as error:
            raise BatchError(
                f"{path}, line {number}: this is no record of a batch ({error!r}). Put the line "
                "back as it was, or remove it to make its song again."
            ) from error


def _write_or_undo(descriptor: int, content: bytes) -> None:
    before = os.fstat(descriptor).st_size
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]  # a disk may take only a part
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, before)
        raise

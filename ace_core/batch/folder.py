"""The folder of a batch: its songs, its manifest, and the salt that fixes its random seeds.

A song gets its name in one step, after its bytes reached the disk; its record follows. What a
crash leaves between the two is replaced when the song is made again, with the same seeds.
"""

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, Final

from ..errors import BatchError, SaveError
from .manifest import Manifest, Record
from .orders import MadeFile, Outcome

PLAN: Final = "batch.json"
PARTIAL: Final = ".partial"
FORMAT: Final = 1  # of the plan and of the manifest's records
BLOCK: Final = 2**20  # bytes hashed at a time


class Folder:
    """A batch's folder, new or gone on with. Hold its lock while this lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.salt = _salt(path)
        self.manifest = Manifest(path)
        self.partial = path / PARTIAL
        self.leave()

    def clear(self) -> None:
        """Drop what was being made, and make room for the next song."""
        self.leave()
        self.partial.mkdir()

    def leave(self) -> None:
        """Drop what was being made."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def absent(self, record: Record) -> list[str]:
        """Names of the record's files that are not there whole."""
        return [file["name"] for file in record.get("files", ()) if not self._has(file)]

    def _has(self, file: Record) -> bool:
        path = self.path / file["name"]
        return path.is_file() and path.stat().st_size == file["bytes"]

    def keep(self, outcome: Outcome, common: Record) -> Record:
        """Give the song its names and its record, which is returned.

        Raises:
            SaveError: the folder cannot be written to.
        """
        order = outcome.order
        record: dict[str, Any] = {
            "id": order.id,
            "status": "done" if outcome.error is None else "failed",
            "line": order.line.number,
            "request": dict(order.line.request),
            "seeds": list(order.seeds),
            **outcome.facts,
            **common,
        }
        if outcome.error is None:
            record["files"] = self._named(outcome)
        else:
            record["error"] = outcome.error
        self.manifest.append(record)
        return record

    def _named(self, outcome: Outcome) -> list[dict[str, Any]]:
        several = len(outcome.files) > 1
        facts: list[dict[str, Any]] = []
        try:
            for number, file in enumerate(outcome.files, start=1):
                # an id has no dot, so no song can be called as an item of another
                stem = f"{outcome.order.id}.{number}" if several else outcome.order.id
                facts.append(self._placed(file, f"{stem}{file.path.suffix}"))
            _flush_folder(self.path)
        except OSError as error:
            raise SaveError(
                f"{self.path}: song {outcome.order.id} cannot be written ({error.strerror}). Make "
                "room there and run the same command again; it goes on after the last song."
            ) from error
        return facts

    def _placed(self, file: MadeFile, name: str) -> dict[str, Any]:
        digest, size = _flushed(file.path)
        file.path.replace(self.path / name)
        return {"name": name, "sha256": digest, "bytes": size, **file.facts}


def _salt(path: Path) -> str:
    """What the plan of this folder fixed, or a new plan where there is none."""
    plan = path / PLAN
    if plan.exists():
        try:
            content = json.loads(plan.read_bytes())
            known = content["format"] == FORMAT
            return str(content["salt"]) if known else _refuse(plan, "another version wrote it")
        except (ValueError, KeyError, TypeError) as error:
            _refuse(plan, repr(error), error)
    others = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
    if others:
        raise BatchError(
            f"{path}: the folder holds other files ({', '.join(others[:3])}) and no batch that "
            "could go on. Choose a new or empty folder with --out."
        )
    salt = secrets.token_hex(8)
    draft = path / f".{PLAN}"
    draft.write_text(json.dumps({"format": FORMAT, "salt": salt}) + "\n", encoding="utf-8")
    _flushed(draft)
    draft.replace(plan)
    _flush_folder(path)
    return salt


def _refuse(plan: Path, why: str, cause: Exception | None = None) -> str:
    raise BatchError(
        f"{plan}: the plan of this batch cannot be read ({why}). Put it back as it was, or choose "
        "a new folder with --out."
    ) from cause


def _flushed(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file whose bytes have reached the disk."""
    digest, size = hashlib.sha256(), 0
    with path.open("r+b") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _flush_folder(path: Path) -> None:
    """Make renames last. Windows has no such call and needs none."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

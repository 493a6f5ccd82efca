"""The folder of a batch: its manifest on the disk, and its lock."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ace_core.batch.folder import MANIFEST, Manifest, locked
from ace_core.errors import BatchError, SaveError

FIRST = {"id": "a", "status": "failed", "error": "späť\u2028"}
SECOND = {"id": "a", "status": "done", "files": []}


def test_what_was_appended_is_there_when_it_is_opened_again(tmp_path: Path):
    manifest = Manifest(tmp_path)
    manifest.append(FIRST)
    assert Manifest(tmp_path).last == manifest.last == {"a": FIRST}


def test_the_last_record_of_an_id_counts(tmp_path: Path):
    manifest = Manifest(tmp_path)
    manifest.append(FIRST)
    manifest.append(SECOND)
    assert Manifest(tmp_path).last == manifest.last == {"a": SECOND}


def test_a_record_torn_at_any_byte_is_dropped_and_the_next_one_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    other = {**SECOND, "id": "b"}
    Manifest(tmp_path).append(FIRST)
    path = tmp_path / MANIFEST
    whole = path.read_bytes()
    torn = json.dumps(other).encode()
    for length in range(1, len(torn) + 1):
        path.write_bytes(whole + torn[:length])
        caplog.clear()
        manifest = Manifest(tmp_path)
        assert manifest.last == {"a": FIRST}
        assert "cut short" in caplog.text
        manifest.append(other)
        assert Manifest(tmp_path).last == {"a": FIRST, "b": other}


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path):
    (tmp_path / MANIFEST).write_text('{"id": "a", "status": "done"}\n{"id":\n{}\n')
    with pytest.raises(BatchError, match="line 2"):
        Manifest(tmp_path)


def test_a_full_disk_leaves_the_manifest_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    manifest = Manifest(tmp_path)
    manifest.append(FIRST)
    before = (tmp_path / MANIFEST).read_bytes()
    write, parts = os.write, iter((3,))

    def full(descriptor: int, content: memoryview) -> int:
        room = next(parts, 0)
        if not room:
            raise OSError(28, "No space left on device")
        return write(descriptor, content[:room])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SaveError, match="No space left"):
        manifest.append(SECOND)
    assert (tmp_path / MANIFEST).read_bytes() == before
    assert manifest.last == {"a": FIRST}


HOLD = """
import sys, time
from pathlib import Path
from ace_core.batch.folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_held_folder_names_its_holder_until_that_is_killed(tmp_path: Path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(BatchError, match=f"process {holder.pid}"), locked(tmp_path):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    with locked(tmp_path):
        pass


def test_one_process_cannot_hold_a_folder_twice(tmp_path: Path):
    with locked(tmp_path), pytest.raises(BatchError, match="another batch"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass

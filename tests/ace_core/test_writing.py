"""The writer of files: whole or not there, no name taken twice, and nothing left by the dead."""

import errno
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from ace_core import writing
from ace_core.errors import SaveError
from ace_core.writing import (
    ABANDONED,
    Draft,
    bytes_content,
    draft_folder,
    make_folder,
    name_all,
    remove_abandoned,
    write_file,
    write_set,
)

WORDS = bytes_content(b"words")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT: the system has no hard links."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        no_links(monkeypatch)


@pytest.mark.usefixtures("links")
def test_a_file_that_is_there_is_replaced_only_when_that_is_asked_for(tmp_path: Path):
    path = tmp_path / "a.txt"
    write_file(path, bytes_content(b"first"))
    with pytest.raises(SaveError, match="there already"):
        write_file(path, WORDS)
    assert (path.read_bytes(), names(tmp_path)) == (b"first", ["a.txt"])
    write_file(path, WORDS, replace=True)
    assert (path.read_bytes(), names(tmp_path)) == (b"words", ["a.txt"])


@pytest.mark.usefixtures("links")
def test_a_set_takes_the_first_number_that_is_free_for_all_of_it(tmp_path: Path):
    (tmp_path / "b_1").touch()
    (tmp_path / "a_3").symlink_to(tmp_path / "nothing")
    numbered = ([tmp_path / f"a_{n}", tmp_path / f"b_{n}"] for n in (1, 3, 4))
    paths = write_set([WORDS, bytes_content(b"more")], numbered)
    assert [path.name for path in paths] == ["a_4", "b_4"]
    assert [path.read_bytes() for path in paths] == [b"words", b"more"]
    assert names(tmp_path) == ["a_3", "a_4", "b_1", "b_4"]


@pytest.mark.usefixtures("links")
def test_what_had_its_name_gets_the_old_one_back_when_another_of_the_set_is_taken(tmp_path: Path):
    for name in ("x", "y", "b"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        name_all([tmp_path / "x", tmp_path / "y"], [tmp_path / "a", tmp_path / "b"])
    assert names(tmp_path) == ["b", "x", "y"]
    assert all((tmp_path / name).read_text() == name for name in names(tmp_path))


def test_a_write_that_fails_leaves_nothing_and_is_an_error_of_ours(tmp_path: Path):
    def full(file) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SaveError, match="No space left"):
        write_set([WORDS, full], [[tmp_path / "a", tmp_path / "b"]])
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["a\0b", "\ud83c", "x" * 300, "no/such/folder", "file/a"])
def test_names_that_the_system_refuses_are_short_errors_of_ours(tmp_path: Path, name: str):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError) as refused:
        write_file(tmp_path / name, WORDS)
    assert "x" * 200 not in str(refused.value)
    str(refused.value).encode()
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["file", "file/inside", "a\0b", "\ud83c"])
def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path, name: str):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="cannot be made"):
        make_folder(tmp_path / name)


def aged(path: Path) -> Path:
    before = time.time() - ABANDONED - 1
    os.utime(path, (before, before))
    return path


def test_only_partial_files_of_ours_that_nobody_holds_are_removed(tmp_path: Path):
    other = aged_file(tmp_path / "song.partial")
    link = tmp_path / f".{'b' * 32}.partial"
    link.symlink_to(other)
    young = tmp_path / f".{'c' * 32}.partial"
    young.touch()
    dead = aged_file(tmp_path / f".{'d' * 32}.partial")
    with Draft(tmp_path) as held, draft_folder(tmp_path) as folder:
        aged(held.path)
        aged(folder)
        remove_abandoned(tmp_path)
        assert not dead.exists()
        assert all(path.exists() for path in (other, link, young, held.path, folder))
    assert names(tmp_path) == sorted(path.name for path in (other, link, young))


def aged_file(path: Path) -> Path:
    path.touch()
    return aged(path)


def test_a_draft_that_is_removed_before_it_is_locked_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = count()

    def slow(descriptor: int) -> None:
        if next(first) == 0:
            next(tmp_path.iterdir()).unlink()

    monkeypatch.setattr(writing, "lock", slow)
    write_file(tmp_path / "a", WORDS)
    assert names(tmp_path) == ["a"]


WRITE = """
import sys, time
from pathlib import Path
from ace_core.writing import Draft, draft_folder
with Draft(Path(sys.argv[1])) as draft, draft_folder(Path(sys.argv[1])) as folder:
    draft.file.write(b"half"); draft.file.flush(); (folder / "song").touch()
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_write(tmp_path: Path):
    command = [sys.executable, "-c", WRITE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
        for path in tmp_path.iterdir():
            aged(path)
        remove_abandoned(tmp_path)
        assert len(names(tmp_path)) == 2
        os.kill(writer.pid, signal.SIGKILL)
    write_file(tmp_path / "a", WORDS)
    assert names(tmp_path) == ["a"]

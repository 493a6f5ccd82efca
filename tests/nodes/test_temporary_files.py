"""The temp folder stays small, and what a page can still play stays there."""

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

from tools.hosts.pack import Pack


@pytest.fixture
def files(pack: Pack) -> ModuleType:
    return pack.submodule("nodes.temporary_files")


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temp folder of this test alone, with a file of another node."""
    monkeypatch.setattr(
        importlib.import_module("folder_paths"), "get_temp_directory", lambda: str(tmp_path)
    )
    (tmp_path / "ComfyUI_temp_abcde_00001_.flac").write_bytes(b"another's")
    os.utime(tmp_path / "ComfyUI_temp_abcde_00001_.flac", ns=(0, 0))
    return tmp_path


def preview(files: ModuleType, client: str | None, node: str, moment: int) -> Path:
    path = files.preview_file(client, node)
    path.write_bytes(b"sound")
    os.utime(path, ns=(moment, moment))
    files.remove_old_previews(client, node)
    return path


def test_of_each_node_of_each_page_the_newest_previews_stay(files: ModuleType, temp: Path) -> None:
    kept = [preview(files, "a", "3", 1), preview(files, "b", "2", 2), preview(files, None, "2", 3)]
    many = [preview(files, "a", "2", moment) for moment in range(10, 20)]
    kept += many[-files.NODE_PREVIEWS :]
    assert set(temp.glob("ace_step*")) == set(kept)
    assert (temp / "ComfyUI_temp_abcde_00001_.flac").exists()


def test_previews_of_pages_that_were_closed_do_not_pile_up(files: ModuleType, temp: Path) -> None:
    pages = [preview(files, f"page {number}", "2", number) for number in range(1, 81)]
    assert set(temp.glob("ace_step*")) == set(pages[-files.PREVIEWS :])


def test_a_source_that_is_used_again_counts_as_new(
    files: ModuleType, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SOURCES", 2)
    one, two, three = (files.source_file(name)[0] for name in ("one", "two", "three"))
    assert files.source_file("one") == (one, False)
    for moment, path in enumerate((one, two, three), start=1):
        path.write_bytes(b"sound")
        os.utime(path, ns=(moment, moment))
    assert files.source_file("one") == (one, True)
    files.remove_old_sources()
    assert set(temp.glob("ace_step*")) == {one, three}


def test_sources_are_few_where_they_are_large_but_the_newest_stays(
    files: ModuleType, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SOURCE_BYTES", 8)
    for moment, (name, size) in enumerate((("one", 4), ("two", 4), ("three", 4), ("four", 9))):
        path = files.source_file(name)[0]
        path.write_bytes(bytes(size))
        os.utime(path, ns=(moment + 1, moment + 1))
        files.remove_old_sources()
        assert path.exists()
        if name == "three":
            assert {each.stem[-5:] for each in temp.glob("ace_step*")} == {"e_two", "three"}
    assert [each.stem for each in temp.glob("ace_step*")] == ["ace_step_source_four"]


def test_a_file_that_cannot_be_removed_stays_until_later(
    files: ModuleType, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, while the page plays it."""

    def in_use(_: Path) -> None:
        raise PermissionError("in use")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        many = [preview(files, "a", "2", moment) for moment in range(1, 7)]
        assert set(temp.glob("ace_step*")) == set(many)
    preview(files, "a", "2", 7)
    assert len(list(temp.glob("ace_step*"))) == files.NODE_PREVIEWS

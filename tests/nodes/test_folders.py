"""Names in the output folder: taken once, kept inside, and refused where a system cannot hold them.

The nodes are called themselves, with short sounds, so that every name is tried in little time.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import soundfile
import torch

from tools.hosts.pack import Pack

RATE = 48_000


@pytest.fixture
def folders(pack: Pack) -> Any:
    return pack.submodule("nodes.folders")


@pytest.fixture
def place(base_directory: Path) -> Path:
    """A new folder inside the output folder."""
    folder = base_directory / "output" / f"names_{uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    return folder


def sound(items: int = 1) -> dict[str, Any]:
    return {"waveform": torch.rand(items, 2, 600) - 0.5, "sample_rate": RATE}


def save_audio(pack: Pack, prefix: str, items: int = 1, **more: Any) -> None:
    node = pack.nodes["AceStep15SaveAudio"]
    given = {"audio": sound(items), "filename_prefix": prefix, "format": "wav16", "bitrate": "320"}
    call(node, {**given, **more})


def call(node: Any, given: dict[str, Any]) -> Any:
    hidden = SimpleNamespace(prompt={}, extra_pnginfo=None, unique_id="1")
    return type(node.__name__, (node,), {"hidden": hidden}).execute(**given)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["song", "song/", "take%batch_num%", "%batch_num%_x/", "a.b"])
def test_no_run_takes_a_name_of_an_earlier_one(pack: Pack, place: Path, name: str) -> None:
    for _ in range(3):
        save_audio(pack, f"{place.name}/{name}", items=2)
    assert len(names(place)) == 6
    assert {soundfile.info(place / each).frames for each in names(place)} == {600}


def test_numbers_go_on_behind_every_file_of_that_name(pack: Pack, place: Path) -> None:
    for name in ("song_00007_.txt", "SONG_00009_.flac", "songs_00050_.wav", "song_x_.wav"):
        (place / name).touch()
    save_audio(pack, f"{place.name}/song")
    assert "song_00010_.wav" in names(place)


def test_a_sound_and_its_lyrics_have_one_number(pack: Pack, folders: Any, place: Path) -> None:
    words = folders.text_content("words")
    output = folders.output(f"{place.name}/song")
    taken = place / "song_00001_.lrc"

    def late(file: Any) -> None:
        taken.write_text("of another server")  # after the number was counted
        file.write(b"sound")

    (write,) = output.writes([{"_.wav": late, "_.lrc": words}])
    paths = write()
    assert [path.name for path in paths] == ["song_00002_.wav", "song_00002_.lrc"]
    assert taken.read_text() == "of another server"
    assert len(names(place)) == 3


def test_stems_whose_names_are_one_for_a_file_get_numbers(pack: Pack, place: Path) -> None:
    stem = pack.submodule("ace_core.audio.mixing").Stem
    called = ["lead vocal", "lead_vocal", "a/b", "a b", "Bass", "bass", "CON", "*"]
    stems = tuple(stem(name, sound()["waveform"]) for name in called)
    given = {"stems": stems, "filename_prefix": f"{place.name}/s", "format": "flac16"}
    for _ in range(2):
        call(pack.nodes["AceStep15SaveStems"], {**given, "apply_levels": False})
    assert names(place) == ["s_00001", "s_00002"]
    for folder in (place / "s_00001", place / "s_00002"):
        assert len({each.lower() for each in names(folder)}) == len(called)
        assert {"Bass.flac", "bass_2.flac", "lead_vocal_2.flac"} <= {*names(folder)}


def test_stems_that_cannot_be_written_leave_no_folder(
    pack: Pack, folders: Any, place: Path
) -> None:
    def full(file: Any) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(pack.submodule("ace_core.errors").SaveError, match="No space left"):
        folders.output(f"{place.name}/s").save_folder({"bass.flac": full})
    assert names(place) == []


@pytest.mark.parametrize(
    "prefix",
    ["", " ", ".", "..", "a/../b", "/a", "\\a", "C:\\a", "C:a", "a:b", "what?", "a*", "a/CON"],
)
def test_a_prefix_that_is_no_name_inside_is_refused(pack: Pack, folders: Any, prefix: str) -> None:
    refused_before_a_run(pack, folders, prefix)


@pytest.mark.parametrize(
    "prefix", ["b. ", "nul.x/a", "a.", "a\0", "\ud83c", "x" * 300, "a\nb"], ids=ascii
)
def test_a_prefix_that_some_system_cannot_hold_is_refused(
    pack: Pack, folders: Any, prefix: str
) -> None:
    refused_before_a_run(pack, folders, prefix)


def refused_before_a_run(pack: Pack, folders: Any, prefix: str) -> None:
    for node in ("AceStep15SaveAudio", "AceStep15SaveStems", "AceStep15SaveLyrics"):
        complaint = pack.nodes[node].validate_inputs(filename_prefix=prefix)
        assert isinstance(complaint, str) and len(complaint) < 600
        complaint.encode()
    with pytest.raises(pack.submodule("ace_core.errors").SaveError):
        folders.output(prefix)


def test_a_file_in_the_folders_way_is_an_error_of_ours(pack: Pack, place: Path) -> None:
    (place / "file").write_text("kept")
    for name in ("file/song", "file/deep/song"):
        with pytest.raises(pack.submodule("ace_core.errors").SaveError, match="cannot be made"):
            save_audio(pack, f"{place.name}/{name}")
    assert names(place) == ["file"] and (place / "file").read_text() == "kept"


def test_a_link_that_leads_outside_of_the_output_folder_is_refused(
    pack: Pack, place: Path, tmp_path: Path
) -> None:
    (place / "out").symlink_to(tmp_path)
    (place / "in").symlink_to(place)
    for name in ("out/song", "out/deep/song"):
        with pytest.raises(pack.submodule("ace_core.errors").SaveError, match="symbolic link"):
            save_audio(pack, f"{place.name}/{name}")
    assert names(tmp_path) == []
    (place / "loop").symlink_to(place / "loop")
    with pytest.raises(pack.submodule("ace_core.errors").SaveError, match="cannot be made"):
        save_audio(pack, f"{place.name}/loop/song")
    (place / "song_00001_.wav").symlink_to(tmp_path / "elsewhere")
    save_audio(pack, f"{place.name}/in/song")
    assert "song_00002_.wav" in names(place) and names(tmp_path) == []

"""Songs of the library on the disk."""

import errno
from pathlib import Path

import pytest
import torch

from ace_core.audio import tags
from ace_core.errors import SaveError
from ace_core.inference.saving import audio_dict, make_folder, save_song
from ace_core.types import Song


def test_a_song_that_is_made_again_is_saved_beside_the_first(tmp_path: Path):
    paths = []
    for number in range(3):
        audio = audio_dict(torch.full((2, 480), number / 4), {"caption": str(number)}, "key")
        save_song(audio, Song(caption=str(number)), tmp_path, "flac")
        paths.append(Path(audio["path"]))
    assert [path.name for path in paths] == ["key.flac", "key_2.flac", "key_3.flac"]
    assert [tags.read(path)["description"] for path in paths] == ["0", "1", "2"]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_in_whose_place_a_file_is_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="cannot be made"):
        make_folder(str(tmp_path / "file"))
    assert make_folder(None) is None


def test_a_full_disk_leaves_no_song_and_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    audio = audio_dict(torch.zeros(2, 480), {}, "key")
    with pytest.raises(SaveError, match="No space left"):
        save_song(audio, Song(), tmp_path, "flac")
    assert (audio["path"], list(tmp_path.iterdir())) == ("", [])

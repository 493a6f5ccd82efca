"""Songs are written while the next ones are made, and those of one run at the same time.

Nothing is timed: the encoder waits for what only other work can do, and fails where nothing is
beside it.
"""

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ace_core.audio import files
from ace_core.inference import music

from .conftest import ONE, Make

LONG = 120.0  # seconds until a test gives up
TWO = replace(ONE, batch_size=2, seeds=[1, 2])
DRAWN = "a {calm|loud|slow|wild} {piano|guitar} piece"  # each song is a run of its own


@pytest.fixture(autouse=True)
def several_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)


def watch(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, before: Any) -> None:
    real = getattr(module, name)

    def watched(*given: Any, **named: Any) -> Any:
        before()
        return real(*given, **named)

    monkeypatch.setattr(module, name, watched)


def test_the_songs_of_a_batch_are_encoded_at_the_same_time(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    meeting = threading.Barrier(2)
    watch(monkeypatch, files, "_encode", lambda: meeting.wait(LONG))
    result = make(config=TWO, save_dir=str(tmp_path))
    assert result.success, result.error
    assert {Path(audio["path"]) for audio in result.audios} == {*tmp_path.iterdir()}
    assert [Path(audio["path"]).stem for audio in result.audios] == [
        audio["key"] for audio in result.audios
    ]


def test_a_song_is_encoded_while_the_next_one_is_made(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runs: list[str] = []
    second = threading.Event()

    def begun() -> None:
        runs.append("run")
        if len(runs) == 2:
            second.set()

    def encoding() -> None:
        assert second.wait(LONG)

    watch(monkeypatch, music, "sample", begun)
    watch(monkeypatch, files, "_encode", encoding)
    result = make(caption=DRAWN, config=TWO, save_dir=str(tmp_path))
    assert result.success, result.error
    assert {Path(audio["path"]) for audio in result.audios} == {*tmp_path.iterdir()}
    assert len(runs) == 2


@pytest.mark.parametrize("failing", [1, 2])
def test_of_songs_of_which_one_cannot_be_saved_none_is_lost(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
):
    encoded: list[str] = []

    def full() -> None:
        encoded.append("song")
        if len(encoded) == failing:
            raise OSError(28, "No space left on device")

    watch(monkeypatch, files, "_encode", full)
    result = make(caption=DRAWN, config=TWO, save_dir=str(tmp_path))
    assert not result.success
    assert "No space left" in (result.error or "")
    assert [audio["params"]["seed"] for audio in result.audios] == [1, 2]
    paths = [audio["path"] for audio in result.audios]
    assert paths[failing - 1] == ""
    assert {*filter(None, paths)} == {str(path) for path in tmp_path.iterdir()}


def test_the_run_is_over_for_its_progress_when_its_songs_are_saved(make: Make, tmp_path: Path):
    saved: dict[float, int] = {}

    def tell(share: float, desc: str) -> None:
        saved[share] = len([*tmp_path.glob("*.flac")])

    result = make(config=TWO, save_dir=str(tmp_path), progress=tell)
    assert saved[1.0] == 2
    assert result.extra_outputs["time_costs"]["pipeline_total_time"] > 0

"""The files of a batch are encoded at the same time, and measured beside it.

Nothing is timed: the encoder waits for what only other work can do, and fails where nothing is
beside it.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import soundfile
import torch

from tests.nodes.test_folders import RATE, call, names
from tools.hosts.pack import Pack

LONG = 120.0  # seconds until a test gives up
ITEMS = 3


@pytest.fixture(autouse=True)
def several_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)


@pytest.fixture
def place(base_directory: Path) -> Path:
    folder = base_directory / "output" / f"beside_{uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    return folder


def steps(items: int = ITEMS) -> dict[str, Any]:
    """Sounds that can be told apart: item 0 is 0.1 throughout, item 1 is 0.2."""
    levels = torch.arange(1, items + 1)[:, None, None] / 10
    return {"waveform": levels.expand(-1, 2, 6000).clone(), "sample_rate": RATE}


def save(pack: Pack, place: Path, audio: dict[str, Any]) -> Any:
    given = {"filename_prefix": f"{place.name}/song", "format": "wav32f", "bitrate": "320"}
    return call(pack.nodes["AceStep15SaveAudio"], {"audio": audio, **given})


def watch_encoder(pack: Pack, monkeypatch: pytest.MonkeyPatch, before: Any) -> None:
    """`before` is called with each item that is encoded."""
    files = pack.submodule("ace_core.audio.files")
    encode = files._encode

    def watched(file: Any, audio: torch.Tensor, *more: Any) -> None:
        before(audio)
        encode(file, audio, *more)

    monkeypatch.setattr(files, "_encode", watched)


def test_the_files_of_a_batch_are_encoded_at_the_same_time(
    pack: Pack, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(ITEMS)
    watch_encoder(pack, monkeypatch, lambda _: meeting.wait(LONG))
    save(pack, place, steps())
    assert names(place) == [f"song_{number:05}_.wav" for number in (1, 2, 3)]


def test_files_waveforms_and_lines_are_in_order_where_the_last_item_is_finished_first(
    pack: Pack, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = [threading.Event() for _ in range(ITEMS + 1)]
    finished[-1].set()
    writing = pack.submodule("ace_core.writing")
    name_all = writing.name_all

    def after_the_next(audio: torch.Tensor) -> None:
        assert finished[round(float(audio[0, 0]) * 10)].wait(LONG)

    def named(sources: Any, targets: Any) -> None:
        name_all(sources, targets)
        finished[int(targets[0].name.split("_")[1]) - 1].set()

    watch_encoder(pack, monkeypatch, after_the_next)
    monkeypatch.setattr(writing, "name_all", named)
    shown = save(pack, place, steps()).ui
    files = [each["filename"] for each in shown["audio"]]
    waves = [json.loads(each) for each in shown["ace_step_waveforms"]]
    assert files == [f"song_{number:05}_.wav" for number in (1, 2, 3)]
    assert [wave["filename"] for wave in waves] == files
    assert [max(wave["peaks"]) for wave in waves] == [
        round(255 * level) for level in (0.1, 0.2, 0.3)
    ]
    assert [line.split(":")[0] for line in shown["ace_step_text"][0].splitlines()] == files
    for number, file in enumerate(files, start=1):
        assert soundfile.read(place / file)[0].max() == pytest.approx(number / 10)


def test_a_song_is_measured_while_it_is_encoded(
    pack: Pack, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = threading.Event()
    formats = pack.submodule("nodes.formats")
    true_peak_db = formats.true_peak_db

    def measuring(item: torch.Tensor) -> float:
        measured.set()
        return true_peak_db(item)

    def encoding(_: torch.Tensor) -> None:
        assert measured.wait(LONG)

    monkeypatch.setattr(formats, "true_peak_db", measuring)
    watch_encoder(pack, monkeypatch, encoding)
    save(pack, place, steps(1))


def test_peaks_and_loudness_of_a_saved_song_are_computed_once(
    pack: Pack, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    for module, name in (("nodes.save", "loudness"), ("nodes.waveform_ui", "loudness")):
        count(monkeypatch, pack.submodule(module), name, computed)
    count(monkeypatch, pack.submodule("nodes.waveform_ui"), "levels", computed)
    save(pack, place, steps(1))
    assert sorted(computed) == ["levels", "loudness"]


def count(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, calls: list[str]) -> None:
    real = getattr(module, name)

    def counted(*given: Any) -> Any:
        calls.append(name)
        return real(*given)

    monkeypatch.setattr(module, name, counted)


def test_nothing_is_written_where_one_item_of_a_batch_is_refused(pack: Pack, place: Path) -> None:
    audio = steps()
    audio["waveform"][1, 0, 5] = float("nan")
    with pytest.raises(pack.submodule("ace_core.errors").InvalidAudioError):
        save(pack, place, audio)
    assert names(place) == []


def test_a_full_disk_is_said_as_it_was_and_leaves_the_songs_that_fit(
    pack: Pack, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(audio: torch.Tensor) -> None:
        if round(float(audio[0, 0]) * 10) == 2:
            raise OSError(28, "No space left on device")

    watch_encoder(pack, monkeypatch, full)
    with pytest.raises(pack.submodule("ace_core.errors").SaveError, match="No space left"):
        save(pack, place, steps())
    assert names(place) == ["song_00001_.wav", "song_00003_.wav"]


def test_stems_are_encoded_at_the_same_time(
    pack: Pack, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(ITEMS)
    watch_encoder(pack, monkeypatch, lambda _: meeting.wait(LONG))
    stem = pack.submodule("ace_core.audio.mixing").Stem
    stems = tuple(stem(name, steps(1)["waveform"]) for name in ("vocals", "drums", "bass"))
    given = {"stems": stems, "filename_prefix": f"{place.name}/s", "format": "flac16"}
    shown = call(pack.nodes["AceStep15SaveStems"], {**given, "apply_levels": False}).ui
    assert names(place / "s_00001") == ["bass.flac", "drums.flac", "vocals.flac"]
    lines = shown["ace_step_text"][0].splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["vocals.flac", "drums.flac", "bass.flac"]


@pytest.mark.parametrize(
    ("node", "module", "name"),
    [
        ("AceStep15Picture", "nodes.picture", "picture"),
        ("AceStep15Measure", "nodes.measure", "measure"),
        ("AceStep15Measure", "nodes.measure", "measured_picture"),
    ],
)
def test_pictures_of_a_batch_are_drawn_at_the_same_time(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, node: str, module: str, name: str
) -> None:
    meeting = threading.Barrier(ITEMS)
    real = getattr(pack.submodule(module), name)

    def meet(*given: Any) -> Any:
        meeting.wait(LONG)
        return real(*given)

    monkeypatch.setattr(pack.submodule(module), name, meet)
    audio = {"waveform": torch.rand(ITEMS, 2, RATE) - 0.5, "sample_rate": RATE}
    call(pack.nodes[node], {"audio": audio})

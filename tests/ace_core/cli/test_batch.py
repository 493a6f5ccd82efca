"""Many songs by the command: its output, the files it leaves, and that a kill does no harm."""

import gc
import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from ace_core.audio import files
from ace_core.batch.folder import locked
from ace_core.batch.jobs import Job
from ace_core.batch.local import load_worker
from ace_core.batch.models import ModelChoice
from ace_core.batch.prompts import Line
from ace_core.cli import batch
from ace_core.cli.output import Exit
from ace_core.inference import music
from tools.miniature import Miniature
from tools.testing.batch_trials import SONG, command, faults, prepare, records, run_and_kill

from .conftest import write_tone

LOUD = {"id": "loud", **SONG, "seed": 5}
SILENT = {"id": "silent", **SONG, "src_audio": "silent.wav"}


@pytest.fixture
def prompts(tmp_path: Path, tone: Path) -> Path:
    write_tone(tmp_path / "silent.wav", 0.0)
    return write(tmp_path, SILENT, LOUD)


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "prompts.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_failed_song_is_reported_and_made_when_asked_again(
    ask: Any, models: tuple[str, str], prompts: Path, tmp_path: Path
):
    words = ("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    code, output, errors = ask(*words)
    assert code == Exit.SOME_FAILED
    assert [(song.get("id"), song.get("status")) for song in output[:2]] == [
        ("silent", "failed"),
        ("loud", "done"),
    ]
    assert "is silent" in output[0]["error"]
    assert output[1]["seeds"] == [5]
    assert output[1]["models"]["dit"]["name"] == "acestep-v15-turbo"
    assert output[2] == {"finished": 1, "failed": 1, "songs": 2}
    assert ask(*words)[:2] == (Exit.SOME_FAILED, [output[2]])
    write_tone(tmp_path / "silent.wav")
    code, output, errors = ask(*words, "--retry-failed")
    assert [song.get("id") for song in output] == ["silent", None]
    assert (code, output[1]) == (Exit.DONE, {"finished": 2, "failed": 0, "songs": 2})
    assert "Resuming: 1 songs are finished" in errors


@pytest.mark.parametrize("bad", ["calm \ud83c", "a\0b"])
def test_a_text_that_no_model_can_read_fails_its_line_alone(
    ask: Any, models: tuple[str, str], tone: Path, tmp_path: Path, bad: str
):
    prompts = write(tmp_path, {"id": "bad", **SONG, "caption": bad}, LOUD)
    words = ("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    code, output, _ = ask(*words)
    assert code == Exit.SOME_FAILED
    assert [song.get("status") for song in output] == ["failed", "done", None]
    assert "`caption` has" in output[0]["error"]
    assert ask(*words)[:2] == (Exit.SOME_FAILED, [output[2]])
    code, output, _ = ask(*words, "--retry-failed")
    assert [song.get("status") for song in output] == ["failed", None]


def test_lines_time_their_lyrics_and_score_their_songs(
    ask: Any, models: tuple[str, str], tmp_path: Path
):
    sung = {"caption": "rain", "lyrics": "la la", "duration": 10, "thinking": False}
    sung = {**sung, "inference_steps": 1, "audio_format": "wav"}
    timed = {"id": "timed", **sung, "lyric_timestamps": "srt", "score": True}
    prompts = write(tmp_path, {**timed, "batch_size": 2, "seeds": [5, 6]}, {"id": "bare", **sung})
    songs = tmp_path / "songs"
    words = ("batch", prompts, "--out", songs, *models, "--no-lm")
    code, (first, bare, _), _ = ask(*words)
    assert code == Exit.DONE
    names = ["timed.1.wav", "timed.1.srt", "timed.2.wav", "timed.2.srt"]
    assert [file["name"] for file in first["files"]] == names
    assert [file["seed"] for file in first["files"]] == [5, 5, 6, 6]
    for song, text in zip(first["files"][::2], first["files"][1::2], strict=True):
        assert 0 <= song["score"]["total"] <= 1
        assert "score" not in text
        assert " --> " in (songs / text["name"]).read_text(encoding="utf-8")
    ((alone,),) = (bare["files"],)
    assert (alone["name"], "score" in alone) == ("bare.wav", False)
    (songs / "timed.2.srt").unlink()  # a song without its timed lyrics is not finished
    _, (again, _), errors = ask(*words)
    assert [file["sha256"] for file in again["files"]] == [
        file["sha256"] for file in first["files"]
    ]
    assert "timed: timed.2.srt is gone and is made again" in errors


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"lyric_timestamps": "txt"}, "Choose one of lrc, karaoke, srt"),
        ({"lyric_timestamps": "lrc", "instrumental": True}, "nothing to time"),
        ({"lyric_timestamps": "lrc", "lyrics": "[Verse]"}, "nothing to time"),
        ({"score": "yes"}, "score is 'yes'"),
    ],
)
def test_a_line_that_cannot_be_timed_or_scored_is_reported_at_once(
    ask: Any, models: tuple[str, str], tmp_path: Path, fields: dict[str, Any], fault: str
):
    prompts = write(tmp_path, {"caption": "rain", "lyrics": "la la", "duration": 10, **fields})
    code, (output,), _ = ask("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    assert (code, fault in output["error"]) == (Exit.USAGE, True), output


def test_faulty_lines_are_reported_before_anything_is_made(
    ask: Any, models: tuple[str, str], tmp_path: Path
):
    prompts = write(tmp_path, {"bpm": 1}, {"caption": "x"}, {"sed": 1})
    code, (output,), _ = ask("batch", prompts, "--out", tmp_path / "songs", *models)
    assert code == Exit.USAGE
    assert [line.split(":")[0] for line in output["error"].splitlines()[1:]] == [
        "  line 1",
        "  line 3",
    ]
    assert not (tmp_path / "songs").exists()


def test_a_changed_line_is_reported(
    ask: Any, models: tuple[str, str], prompts: Path, tmp_path: Path
):
    words = ("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    ask(*words)
    write(tmp_path, SILENT, {**LOUD, "seed": 6})
    code, (output,), _ = ask(*words)
    assert code == Exit.FAILED
    assert "line 2, id loud: seed was 5, is 6" in output["error"]


def test_a_folder_that_is_being_written_is_left_alone(
    ask: Any, models: tuple[str, str], prompts: Path, tmp_path: Path
):
    songs = tmp_path / "songs"
    songs.mkdir()
    with locked(songs):
        code, (output,), _ = ask("batch", prompts, "--out", songs, *models)
    assert (code, "another batch" in output["error"]) == (Exit.FAILED, True)


def test_without_ray_the_extra_is_named(
    ask: Any,
    models: tuple[str, str],
    prompts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, (output,), _ = ask("batch", prompts, "--out", tmp_path / "songs", *models, "--ray")
    assert (code, "pip install 'ray[data]'" in output["error"]) == (Exit.FAILED, True)
    assert not (tmp_path / "songs").exists()


def test_songs_leave_no_tensors_behind(checkpoints: Miniature, tone: Path, tmp_path: Path):
    make = load_worker(ModelChoice(str(checkpoints.release), "acestep-v15-turbo", None), tmp_path)
    alive = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = make(Job(Line("a", 1, SONG), (number,)), folder)()
        assert result.error is None
        del result
        gc.collect()
        alive.append(sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects()))
    assert alive[1] == alive[2], alive


def test_a_song_is_encoded_while_the_next_one_is_made(
    ask: Any,
    models: tuple[str, str],
    tone: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """The first is encoded when the second has begun, which waits until the first is reported."""
    sampled, reported = threading.Event(), threading.Event()
    made, encode = [], files._encode

    def sample(*given: Any, **named: Any) -> Any:
        made.append("song")
        if len(made) == 2:
            sampled.set()
            assert reported.wait(120), "the first song has no record"
        return music_sample(*given, **named)

    def after_the_second_began(*given: Any) -> None:
        assert sampled.wait(120), "the second song was not begun"
        encode(*given)

    def add(progress: Any, record: Any) -> None:
        report(progress, record)
        reported.set()

    music_sample, report = music.sample, batch._Progress.add
    monkeypatch.setattr(music, "sample", sample)
    monkeypatch.setattr(files, "_encode", after_the_second_began)
    monkeypatch.setattr(batch._Progress, "add", add)
    prompts = write(tmp_path, *({"id": name, **SONG, "seed": 5} for name in ("a", "b")))
    code, output, errors = ask("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    assert code == Exit.DONE, (output, errors)
    assert [song.get("id") for song in output] == ["a", "b", None]


def test_a_batch_killed_while_it_sings_comes_to_its_end(checkpoints: Miniature, tmp_path: Path):
    names = prepare(tmp_path, 3, lambda folder: shutil.copytree(checkpoints.root, folder))
    assert "(exit -9)" in run_and_kill(tmp_path, random.Random(3), [], early=0.0)
    assert records(tmp_path)
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == Exit.DONE, done.stderr
    assert faults(tmp_path, names) == []


def test_lines_ask_for_the_best_of_several_and_for_takes_until_one_fits(
    ask: Any, models: tuple[str, str], tmp_path: Path
):
    asked: dict[str, Any] = {"caption": "rain", "thinking": False, "inference_steps": 1}
    asked |= {"bpm": 120, "duration": 10, "seed": 5}
    best = {"id": "best", **asked, "best_of": 2, "prefer": "tempo"}
    until = {"id": "until", **asked, "until": "ending", "tries": 9}
    prompts = write(tmp_path, best, until)
    words = ("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    code, output, _ = ask(*words)
    assert code == Exit.DONE, output
    ranked, tried, _ = output
    assert [file["name"] for file in ranked["files"]] == ["best.flac", "best.2.flac"]
    assert [file["fit"]["rank"] for file in ranked["files"]] == [1, 2]
    assert "BPM" in ranked["files"][0]["fit"]["criteria"]["tempo"]["reason"]
    assert tried["files"][0]["name"] == "until.flac"
    assert len(tried["seeds"]) == 9  # more than a batch may have
    assert {file["seed"] for file in tried["files"]} <= set(tried["seeds"])
    assert "by ending" in tried["notes"]
    assert ask(*words)[0] == Exit.DONE  # resumed: nothing is left
    write(tmp_path, {"caption": "x", "duration": 10, "thinking": False, "until": "key"})
    code, output, _ = ask(*words)
    assert code == Exit.USAGE
    assert "the song asks for no key" in output[0]["error"]

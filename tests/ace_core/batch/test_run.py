"""A batch on disk: names, records, what is left to do. The songs here are a few bytes."""

import gc
import hashlib
import json
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ace_core.batch.folder import PARTIAL, PLAN, Folder, Manifest, Record
from ace_core.batch.jobs import Job, JobResult, OutputFile, Write
from ace_core.batch.prompts import Line, seeds_of
from ace_core.batch.run import Remaining, remaining_lines, run
from ace_core.errors import BatchError, SaveError

COMMON = {"version": "1"}


def line(name: str, number: int = 1, **request: Any) -> Line:
    return Line(name, number, request)


def written(job: Job, folder: Path) -> JobResult:
    """A file for each seed; a request to fail is one that fails."""
    if job.line.request.get("caption") == "fail":
        return JobResult(job, error="asked to fail")
    files = []
    for seed in job.seeds:
        path = folder / f"{seed}.wav"
        path.write_bytes(f"{job.id} {seed}".encode())
        files.append(OutputFile(path, {"seed": seed}))
    return JobResult(job, tuple(files), {"seconds": 1.5})


def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
    return (partial(written, job, folder) for job in jobs)


def make(path: Path, lines: Sequence[Line], **options: Any) -> tuple[list[Record], Remaining]:
    folder = Folder(path)
    remaining = remaining_lines(folder, lines, **options)
    jobs = [Job(each, seeds_of(each, folder.salt)) for each in remaining.pending]
    records: list[Record] = []
    run(folder, jobs, executor, COMMON, records.append)
    return records, remaining


def test_a_song_lies_under_its_id_with_a_record_of_how_it_was_made(tmp_path: Path):
    ((record,), _) = make(tmp_path, [line("a", 3, caption="x", seed=7)])
    content = b"a 7"
    file = {
        "name": "a.wav",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "seed": 7,
    }
    finished = record["finished"]
    assert record == {
        "id": "a",
        "status": "done",
        "line": 3,
        "request": {"caption": "x", "seed": 7},
        "seeds": [7],
        "seconds": 1.5,
        "version": "1",
        "finished": finished,
        "files": [file],
    }
    assert (tmp_path / "a.wav").read_bytes() == content
    assert json.loads((tmp_path / "manifest.jsonl").read_text()) == record
    assert not (tmp_path / PARTIAL).exists()


def test_items_of_one_line_are_numbered(tmp_path: Path):
    ((record,), _) = make(tmp_path, [line("a", batch_size=2, seeds=[5, 6])])
    assert [file["name"] for file in record["files"]] == ["a.1.wav", "a.2.wav"]
    assert (tmp_path / "a.2.wav").read_bytes() == b"a 6"


def test_a_failed_song_is_recorded_and_does_not_stop_the_others(tmp_path: Path):
    records, _ = make(tmp_path, [line("a", caption="fail"), line("b")])
    assert [(each["id"], each["status"]) for each in records] == [("a", "failed"), ("b", "done")]
    assert records[0]["error"] == "asked to fail"


def test_what_is_finished_is_not_made_again_and_keeps_its_random_seed(tmp_path: Path):
    first, _ = make(tmp_path, [line("a"), line("b")])
    again, remaining = make(tmp_path, [line("a"), line("b"), line("c")])
    assert [each["id"] for each in again] == ["c"]
    assert remaining.finished == 2
    (tmp_path / "b.wav").unlink()
    ((made,), remaining) = make(tmp_path, [line("a"), line("b"), line("c")])
    assert remaining.notes == ("b: b.wav is gone and is made again",)
    assert (made["id"], made["seeds"]) == ("b", first[1]["seeds"])


def test_a_file_cut_short_is_made_again(tmp_path: Path):
    make(tmp_path, [line("a")])
    (tmp_path / "a.wav").write_bytes(b"a")
    assert [each["id"] for each in make(tmp_path, [line("a")])[0]] == ["a"]


@pytest.mark.parametrize("now", [{"caption": "y"}, {"caption": "x", "bpm": 90}, {}])
def test_a_changed_line_of_a_finished_song_is_refused(tmp_path: Path, now: dict[str, Any]):
    make(tmp_path, [line("a", caption="x")])
    with pytest.raises(BatchError, match=r"line 4, id a: (caption|bpm) was"):
        make(tmp_path, [line("a", 4, **now)])


def test_failed_songs_are_left_alone_unless_asked_for_or_changed(tmp_path: Path):
    make(tmp_path, [line("a", caption="fail")])
    records, remaining = make(tmp_path, [line("a", caption="fail")])
    assert (records, remaining.failed, remaining.finished) == ([], 1, 0)
    assert len(make(tmp_path, [line("a", caption="fail")], retry_failed=True)[0]) == 1
    ((made,), remaining) = make(tmp_path, [line("a", caption="better")])
    assert (made["status"], remaining.failed) == ("done", 0)
    assert Manifest(tmp_path).last["a"]["status"] == "done"


def test_songs_that_the_prompts_no_longer_name_are_kept_and_told(tmp_path: Path):
    make(tmp_path, [line("a"), line("b")])
    _, remaining = make(tmp_path, [line("b")])
    assert remaining.notes == ("songs of the folder that the prompts no longer name are kept: a",)
    assert (tmp_path / "a.wav").exists()


def test_a_folder_of_other_things_is_refused(tmp_path: Path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(BatchError, match=r"holiday\.jpg"):
        Folder(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2, "salt": "a"}'])
def test_a_plan_that_cannot_be_read_is_refused(tmp_path: Path, content: str):
    (tmp_path / PLAN).write_text(content)
    with pytest.raises(BatchError, match="the plan of this batch"):
        Folder(tmp_path)


def test_a_folder_that_cannot_be_written_to_stops_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    Folder(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left"):
        make(tmp_path, [line("a")])
    assert Manifest(tmp_path).last == {}


def test_a_line_with_a_bad_text_is_recorded_and_the_others_are_made(tmp_path: Path):
    bad = Line("a", 1, {"caption": "calm \ud83c"}, "`caption` has half a character")
    records, _ = make(tmp_path, [bad, line("b", 2)])
    assert [(each["id"], each["status"]) for each in records] == [("a", "failed"), ("b", "done")]
    assert Manifest(tmp_path).last["a"]["request"] == {"caption": "calm \ud83c"}
    records, remaining = make(tmp_path, [bad, line("b", 2)])
    assert (records, remaining.failed, remaining.finished) == ([], 1, 1)
    ((again,), _) = make(tmp_path, [bad, line("b", 2)], retry_failed=True)
    assert again["error"] == bad.fault
    ((made,), _) = make(tmp_path, [line("a", caption="calm"), line("b", 2)])
    assert (made["id"], made["status"]) == ("a", "done")


def test_a_file_that_is_not_the_batchs_is_not_replaced(tmp_path: Path):
    Folder(tmp_path)
    (tmp_path / "a.1.wav").write_text("of the user")
    ((record,), _) = make(tmp_path, [line("a", batch_size=2, seeds=[5, 6])])
    assert [file["name"] for file in record["files"]] == ["a.take2.1.wav", "a.take2.2.wav"]
    assert (tmp_path / "a.1.wav").read_text() == "of the user"
    assert not (tmp_path / "a.2.wav").exists()
    again, remaining = make(tmp_path, [line("a", batch_size=2, seeds=[5, 6])])
    assert (again, remaining.finished) == ([], 1)


LONG = (
    120.0  # seconds until a test gives up; nothing waits that long where songs are written beside
)
PAIR = [Job(line("a"), (1,)), Job(line("b", 2), (2,))]


def test_a_song_has_its_files_and_its_record_while_the_next_is_made(tmp_path: Path):
    """It is written when the next one has begun, which waits for the record of the first."""
    begun, recorded = threading.Event(), threading.Event()

    def write(job: Job, folder: Path) -> JobResult:
        assert begun.wait(LONG)
        return written(job, folder)

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
        yield partial(write, jobs[0], folder)
        begun.set()
        assert recorded.wait(LONG)
        assert (tmp_path / "a.wav").read_bytes() == b"a 1"
        yield partial(write, jobs[1], folder)

    records: list[Record] = []

    def keep(record: Record) -> None:
        records.append(record)
        recorded.set()

    run(Folder(tmp_path), PAIR, executor, COMMON, keep)
    assert [record["id"] for record in records] == ["a", "b"]


def test_a_song_that_is_being_written_is_whole_when_the_next_is_interrupted(tmp_path: Path):
    interrupted = threading.Event()

    def write(job: Job, folder: Path) -> JobResult:
        assert interrupted.wait(LONG)
        return written(job, folder)

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
        yield partial(write, jobs[0], folder)
        threading.Timer(0.05, interrupted.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Folder(tmp_path), PAIR, executor, COMMON, lambda record: None)
    assert (tmp_path / "a.wav").read_bytes() == b"a 1"
    assert {*Manifest(tmp_path).last} == {"a"}
    assert not (tmp_path / PARTIAL).exists()


def test_no_song_is_begun_behind_one_whose_writing_failed_and_one_that_was_under_way(
    tmp_path: Path,
):
    begun = []

    def full(job: Job) -> JobResult:
        raise SaveError("No space left")

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
        for job in jobs:
            begun.append(job.id)
            yield partial(full, job)

    jobs = [Job(line(name, number), (1,)) for number, name in enumerate("abc", start=1)]
    with pytest.raises(SaveError, match="No space left"):
        run(Folder(tmp_path), jobs, executor, COMMON, lambda record: None)
    assert begun == ["a", "b"]


def test_a_song_that_is_written_is_not_kept_in_memory(tmp_path: Path):
    class Sound:
        """What a song holds until it is written."""

    def write(job: Job, folder: Path, sound: Sound) -> JobResult:
        return written(job, folder)

    sounds, recorded = [], threading.Semaphore(0)

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
        for job in jobs:
            sound = Sound()
            sounds.append(weakref.ref(sound))
            yield partial(write, job, folder, sound)
            del sound
            assert recorded.acquire(timeout=LONG)
            threading.Event().wait(0.05)  # the thread lets go of it behind the record
            gc.collect()
            assert sounds[-1]() is None

    run(Folder(tmp_path), PAIR, executor, COMMON, lambda record: recorded.release())
    assert len(sounds) == 2

"""The batch as a Ray Data job on a local Ray of two workers: the same manifest, the same resume.

`make test-ray` installs Ray and runs this; without Ray it is skipped.
"""

import importlib.util
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.miniature import Miniature
from tools.testing import batch_trials
from tools.testing.batch_trials import command, faults, prepare, records, run_and_kill

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="!!! RAY TESTS SKIPPED: `make test-ray` installs Ray and runs them. !!!",
)
ON_RAY = ["--ray", "local", "--workers", "2"]
TAKES = ("seconds", "time_costs", "finished")  # fields that no two runs have in common


@pytest.fixture
def base(
    checkpoints: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, list[str]]:
    """A batch of three songs, and their ids."""
    for name, value in (("RAY_USAGE_STATS_ENABLED", "0"), ("RAY_AUTH_MODE", "disabled")):
        monkeypatch.setenv(name, value)
        monkeypatch.setitem(batch_trials.ONE_THREAD, name, value)
    names = prepare(tmp_path, 3, lambda folder: shutil.copytree(checkpoints.root, folder))
    return tmp_path, names


def run(base: Path, *options: str) -> int:
    return subprocess.run(
        command(base, *options), env=batch_trials.ONE_THREAD, capture_output=True, check=False
    ).returncode


def told(base: Path) -> list[dict[str, Any]]:
    """The records without what is another each time, in the order of their ids."""
    found = [json.loads(line) for line in records(base)]
    kept = [{key: value for key, value in each.items() if key not in TAKES} for each in found]
    return sorted(kept, key=lambda record: record["id"])


def test_ray_makes_the_same_songs_and_records_as_one_process(base: tuple[Path, list[str]]):
    folder, _ = base
    with (folder / "prompts.jsonl").open("a") as prompts:
        prompts.write('{"id": "none", "task_type": "cover", "caption": "x", "src_audio": "a.wav"}')
    (folder / "a.wav").write_bytes(b"no sound")
    assert run(folder, *ON_RAY) == 3
    on_ray = told(folder)
    assert [record["status"] for record in on_ray] == ["failed", "done", "done", "done"]
    os.rename(folder / "songs", folder / "by ray")
    (folder / "songs").mkdir()
    shutil.copy(folder / "by ray" / "batch.json", folder / "songs")
    assert run(folder) == 3
    assert told(folder) == on_ray


def test_a_batch_on_ray_that_was_killed_comes_to_its_end(base: tuple[Path, list[str]]):
    folder, names = base
    assert "(exit -9)" in run_and_kill(folder, random.Random(3), ON_RAY, early=0.0)
    assert run(folder, *ON_RAY) == 0
    assert faults(folder, names) == []

"""What `docs/command_line.md` states beside its code blocks, tables and options."""

import ast
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile

from ace_core.batch import cluster
from ace_core.batch.cluster import ATTEMPTS, LOST, Attempts, Cluster, Worker, ray_executor
from ace_core.batch.jobs import Job, JobResult, Write
from ace_core.batch.prompts import CONFIG_FIELDS, Line
from ace_core.cli.output import Exit
from tools.hosts.checkout import ROOT
from tools.testing import batch_trials

PAGE = " ".join((ROOT / "docs" / "command_line.md").read_text(encoding="utf-8").split())
MODULES = {"Pillow": "PIL", "PyYAML": "yaml"}  # of packages with another name
LATE = {"ray", "gguf"}  # imported where they are asked for, and named where they are missing
QUICK = ("--no-thinking", "--inference-steps", 1, "--caption", "rain", "--no-lm")


def imported(file: Path) -> set[str]:
    """The top-level modules that a file of ours imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = {n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level and n.module}
    return {name.split(".")[0] for name in plain | froms}


def test_the_packages_on_the_page_are_those_that_the_library_imports():
    (listed,) = re.findall(r"in any environment that has ([^.]*?), as ComfyUI's", PAGE)
    named = {MODULES.get(name, name) for name in re.findall(r"\w+", listed)} - {"and"}
    found = set().union(*map(imported, (ROOT / "ace_core").rglob("*.py")))
    assert found - set(sys.stdlib_module_names) - LATE == named


def test_the_fields_of_the_run_on_the_page_are_those_of_a_line():
    (listed,) = re.findall(r"and of `GenerationConfig` (.*?)\. `id` is", PAGE)
    assert set(re.findall(r"`(\w+)`", listed)) == set(CONFIG_FIELDS)


def test_a_named_file_is_replaced_and_one_in_a_folder_is_not(
    ask: Any, models: tuple[str, str], tone: Path, tmp_path: Path
):
    def cover(seed: int, out: Path) -> str:
        code, (output,), _ = ask("cover", tone, *QUICK, *models, "--seed", seed, "-o", out)
        assert code == Exit.DONE
        return output["songs"][0]["path"]

    file, folder = tmp_path / "rain.wav", tmp_path / "takes"
    assert [cover(1, file), cover(2, file)] == [str(file)] * 2
    (again,) = [cover(2, tmp_path / "again.wav")]
    assert (soundfile.read(file)[0] == soundfile.read(again)[0]).all()
    assert sorted(path.name for path in tmp_path.glob("*rain*")) == ["rain.wav"]
    first, second = cover(3, folder), cover(3, folder)
    assert second == str(Path(first).with_stem(f"{Path(first).stem}_2"))


def test_the_trials_on_the_page_can_be_run(monkeypatch: pytest.MonkeyPatch):
    (text,) = re.findall(r"`python -m tools\.testing\.batch_trials (.*?) test these promises", PAGE)
    named = re.findall(r"\b[a-z]+\b", text.replace("and", ""))
    assert named == ["kills", "together", "memory"]
    ran: list[str] = []
    for name in named:
        monkeypatch.setattr(batch_trials, name, lambda *_, name=name: ran.append(name) or True)
        monkeypatch.setattr(sys, "argv", ["batch_trials", name])
        with pytest.raises(SystemExit, match="0"):
            batch_trials.main()
    assert ran == named


class FakeRay:
    """What the executor asks of Ray, run here; the settings that it was given."""

    def __init__(self, gpus: int) -> None:
        self.gpus = gpus
        self.given: dict[str, Any] = {}
        self.exceptions = SimpleNamespace(RayError=OSError)
        context = SimpleNamespace()
        self.data = SimpleNamespace(
            DataContext=SimpleNamespace(get_current=lambda: context),
            ActorPoolStrategy=lambda **settings: settings,
            from_items=self._from_items,
        )

    def init(self, **settings: Any) -> None:
        self.given |= settings

    def shutdown(self) -> None:
        pass

    def get(self, value: Any) -> Any:
        return value

    def cluster_resources(self) -> dict[str, float]:
        return {"GPU": self.gpus} if self.gpus else {}

    def remote(self, kind: Any) -> Any:
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda: remote(kind())))

    def _from_items(self, items: list[Any], override_num_blocks: int) -> Any:
        def map_batches(kind: Any, fn_constructor_args: Any, **settings: Any) -> Any:
            self.given |= settings
            worker = kind(*fn_constructor_args)
            blocks = [worker({"job": [item["job"]]}) for item in items]
            return SimpleNamespace(iter_batches=lambda **_: blocks)

        return SimpleNamespace(map_batches=map_batches)


def remote(attempts: Attempts) -> Any:
    """The actor's methods as Ray has them."""
    return SimpleNamespace(
        start=SimpleNamespace(remote=attempts.start),
        finish=SimpleNamespace(remote=attempts.finish),
    )


def made(job: Job, folder: Path) -> Write:
    return lambda: JobResult(job)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> FakeRay:
    ray = FakeRay(getattr(request, "param", 0))
    monkeypatch.setattr(cluster, "_ray", lambda: ray)
    return ray


JOBS = [Job(Line("a", 1, {}), (1,)), Job(Line("b", 2, {}), (2,))]


@pytest.mark.parametrize(
    ("fake", "asked", "workers"), [(0, None, 1), (3, None, 3), (3, 2, 2)], indirect=["fake"]
)
def test_there_is_one_worker_per_gpu_unless_a_number_is_given(
    fake: FakeRay, tmp_path: Path, asked: int | None, workers: int
):
    execute = ray_executor(lambda: made, Cluster(None, asked))
    assert [write().job.id for write in execute(JOBS, tmp_path)] == ["a", "b"]
    assert fake.given["compute"]["size"] == workers
    assert (fake.given.get("num_gpus"), fake.given["address"]) == (1 if fake.gpus else None, None)


def test_a_song_that_kills_three_workers_is_recorded_as_failed(fake: FakeRay, tmp_path: Path):
    attempts = Attempts()
    for _ in range(ATTEMPTS):  # as a worker that dies while it makes the song
        attempts.start("a")
    worker = Worker(lambda: made, remote(attempts), 1)
    results = [cluster.pickle.loads(worker._packed(job))[0] for job in JOBS]
    assert [result.error for result in results] == [LOST, None]
    assert ATTEMPTS == 3

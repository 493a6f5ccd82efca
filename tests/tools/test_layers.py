"""Which layers a machine has: a ComfyUI each, a page each, and what it lacks."""

from pathlib import Path

import pytest

from tools.hosts.checkout import ROOT, CheckoutError
from tools.testing import environments, layers, processors
from tools.testing.frontends import FRONTENDS, pairs_of, required_by, static_of
from tools.testing.jobs import Job, longest_first
from tools.testing.turns import RENDERERS, in_turn, one_layer, taking_turns


def checkout(place: Path, version: str, frontend: str) -> Path:
    place.mkdir(parents=True)
    (place / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
    requirements = (
        f"torch\ncomfyui-frontend-package=={frontend}\n# remark\nkornia>=0.7.1\nspandrel\n"
    )
    (place / "requirements.txt").write_text(requirements)
    return place


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two checkouts, the newer one first, on a machine with all that a page needs."""
    new = checkout(tmp_path / "new", "0.33.0", "1.49.6")
    old = checkout(tmp_path / "old", "0.20.1", "1.43.18")
    monkeypatch.setattr(layers, "lacks_browser", lambda: "")
    monkeypatch.setenv("COMFYUI_PATH", f"{new}:{old}")
    return new, old


def named(jobs: list[Job], name: str) -> Job:
    (found,) = (job for job in jobs if job.name == name)
    return found


def test_each_comfyui_has_its_page_and_the_newest_the_newest(two: tuple[Path, Path]):
    new, old = two
    newest = list(FRONTENDS)[-1]
    assert pairs_of(two) == [(new, "1.49.6"), (old, "1.43.18"), (new, newest)]
    assert pairs_of(two, every=True) == [(place, each) for place in two for each in FRONTENDS]
    assert pairs_of([]) == []


def test_a_comfyui_that_requires_the_newest_page_is_visited_once(tmp_path: Path):
    newest = list(FRONTENDS)[-1]
    place = checkout(tmp_path / "a", "0.40.0", newest)
    assert pairs_of([place]) == [(place, newest)]


def test_a_comfyui_without_a_pinned_page_is_named(tmp_path: Path):
    place = checkout(tmp_path / "a", "0.40.0", "1.0")
    (place / "requirements.txt").write_text("comfyui-frontend-package\n")
    with pytest.raises(CheckoutError, match=r"a/requirements\.txt pins no comfyui-frontend"):
        required_by(place)


def test_a_layer_works_with_its_own_comfyui_environment_and_page(two: tuple[Path, Path]):
    new, old = two
    jobs = layers.layers()
    host = named(jobs, "nodes, host (ComfyUI 0.20.1)")
    assert host.environment["COMFYUI_PATH"] == str(old)
    assert host.python == environments.ROOT / ".venv-hosts" / "0.20.1" / "bin" / "python"
    assert host.needs == ("set up (.venv-hosts/0.20.1)",)
    page = named(jobs, "browser (ComfyUI 0.33.0, frontend 1.58.1)")
    assert page.environment["COMFYUI_PATH"] == str(new)
    assert page.environment["COMFYUI_FRONTEND_ROOT"] == str(static_of("1.58.1"))
    assert {"set up (.venv-hosts/0.33.0)", "set up (frontend 1.58.1)"} <= set(page.needs)
    assert named(jobs, "core (.venv)").environment["COMFYUI_PATH"] == str(new)


def test_what_a_layer_needs_is_among_the_jobs(two: tuple[Path, Path]):
    for jobs in (layers.layers(lint=True, every_frontend=True), processors.processors()):
        names = [job.name for job in jobs]
        assert len(set(names)) == len(names)
        assert {name for job in jobs for name in job.needs} <= set(names)


def test_music_is_heard_in_a_layer_of_its_own(two: tuple[Path, Path]):
    jobs = layers.layers()
    assert "tests/music" in named(jobs, "music (.venv)").commands[0]
    assert "--ignore=tests/music" in named(jobs, "core (.venv)").commands[0]
    assert named(one_layer(jobs, 1), "music (.venv)").missing == ""


def test_pages_begin_first_and_what_is_short_fills_the_end(two: tuple[Path, Path]):
    jobs = [*layers.layers(lint=True), processors.in_turn()]
    able = [job for job in jobs if not job.missing and job.layer != "set up"]
    order = [job.layer for job in longest_first(able)]
    assert order[:5] == ["browser"] * 3 + ["nodes, host"] * 2
    assert order.index("music") < order.index("lint")


def test_without_a_comfyui_the_rows_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    jobs = layers.layers()
    missing = {job.name: job.missing for job in jobs if job.layer in ("nodes, host", "browser")}
    assert set(missing) == {"nodes, host (ComfyUI)", "browser (ComfyUI)"}
    assert all("set COMFYUI_PATH to a checkout" in reason for reason in missing.values())
    assert named(jobs, "core (.venv)").environment["COMFYUI_PATH"] is None


def test_without_a_browser_each_page_says_what_lacks(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(layers, "lacks_browser", lambda: "no node on the PATH")
    pages = [job for job in layers.layers() if job.layer == "browser"]
    assert [(job.host, job.frontend, job.missing) for job in pages] == [
        ("0.33.0", "1.49.6", "no node on the PATH"),
        ("0.20.1", "1.43.18", "no node on the PATH"),
        ("0.33.0", "1.58.1", "no node on the PATH"),
    ]


def test_each_commit_has_the_next_setting_and_in_time_all_numerical_tests(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(processors.platform, "machine", lambda: "x86_64")
    count = len(processors.SETTINGS) * processors.PARTS
    seen = []
    for commits in range(2 * count):
        monkeypatch.setattr(processors, "commits", lambda commits=commits: commits)
        seen.append(processors.in_turn())
    assert [job.name for job in seen[:count]] == [job.name for job in seen[count:]]
    assert len({job.name for job in seen}) == count
    files = set(processors.numerical_tests())
    assert "tests/ace_core/models/test_vae.py" in files
    for setting in processors.SETTINGS:
        jobs = [job for job in seen[:count] if job.where.endswith(f": {setting.name}")]
        ran = [word for job in jobs for word in job.commands[0] if word.startswith("tests/")]
        assert len(ran) == len(files) and set(ran) == files
        assert all(setting.environment.items() <= job.environment.items() for job in jobs)


def test_each_commit_has_one_of_the_layers_that_take_turns_and_names_the_others(
    two: tuple[Path, Path],
):
    whole = layers.layers(lint=True)
    assert not [job for job in whole if job.waits]
    oldest = "browser (ComfyUI 0.20.1, frontend 1.43.18)"
    turns = ["nodes (stand-in)", "browser (ComfyUI 0.33.0, frontend 1.49.6)", oldest]
    for turn, runs in enumerate(turns * 2):
        jobs, waiting = one_layer(whole, turn), [name for name in turns if name != runs]
        assert [job.name for job in jobs] == [job.name for job in whole]
        assert [job.name for job in jobs if job.waits] == waiting
        for name in waiting:
            assert f"it is the turn of {runs}; `make test` runs all" in named(jobs, name).missing
        assert [job for job in jobs if job.name not in waiting] == [
            job for job in whole if job.name not in waiting
        ]


def test_pages_before_the_newest_are_visited_in_each_renderer_in_turn(two: tuple[Path, Path]):
    whole = layers.layers()
    newest = list(FRONTENDS)[-1]
    left_out = dict[str, list[str]]()
    for turn in range(6):
        for before, job in zip(whole, in_turn(whole, turn), strict=True):
            if job.frontend in ("", newest):
                assert job.commands == before.commands
            elif not job.missing:
                *command, option, choice = job.commands[0]
                assert (tuple(command), option) == (before.commands[0], "-k")
                assert job.where == f"{before.where}, {choice.replace('not', 'not in')}"
                left_out.setdefault(job.frontend, []).append(choice.removeprefix("not "))
    assert left_out == {"1.43.18": list(RENDERERS), "1.49.6": list(RENDERERS)}


def test_the_renderers_are_those_that_tests_of_the_page_are_named_by():
    text = (ROOT / "tests" / "browser" / "conftest.py").read_text(encoding="utf-8")
    assert f"RENDERERS = {RENDERERS!r}".replace("'", '"') in text


def test_what_nothing_stands_for_runs_with_every_commit(
    tmp_path: Path, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    """The stand-in where there is no ComfyUI, and a layer that would take turns with itself."""
    monkeypatch.setattr(layers, "lacks_browser", lambda: "no node on the PATH")
    assert [job.name for job in taking_turns(layers.layers())] == ["nodes (stand-in)"]
    assert one_layer(layers.layers(), 1) == layers.layers()
    monkeypatch.setenv("HOME", str(tmp_path / "empty"))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    assert taking_turns(layers.layers()) == []


def test_another_processor_than_x86_runs_what_it_can(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processors.platform, "machine", lambda: "aarch64")
    ran = [job.where for job in processors.processors()[1:] if not job.missing]
    assert ran == ["1 thread", "2 threads"]
    assert processors.in_turn().where.endswith(("of 12: 1 thread", "of 12: 2 threads"))


def test_an_environment_is_made_once_for_the_same_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    commands: list[list[str]] = []
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "environment_of", lambda _: tmp_path / "env")

    def ran(command: list[str], **_: object) -> None:
        commands.append([str(part) for part in command])
        (tmp_path / "env").mkdir(exist_ok=True)

    monkeypatch.setattr(environments.subprocess, "run", ran)
    place = checkout(tmp_path / "a", "1.0.0", "1.0")
    environments.make_host(place)
    (installed,) = (each for each in commands if "kornia>=0.7.1" in each)
    assert "comfyui-frontend-package==1.0" in installed
    assert not {"torch", "spandrel", "# remark"} & set(installed)
    assert commands[-1][-2:] == ["--no-deps", "spandrel"]
    assert all("--no-compile" in each for each in commands if "pip" in each)
    count = len(commands)
    environments.make_host(place)
    assert len(commands) == count
    (place / "requirements.txt").write_text("torch\neinops\n")
    environments.make_host(place)
    assert any("einops" in each for each in commands[count:])

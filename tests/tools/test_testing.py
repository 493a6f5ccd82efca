"""The run of all layers: none stops another, the output is in turn, one table at the end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.hosts.checkout import ROOT
from tools.testing.__main__ import _with, chosen
from tools.testing.jobs import Job, longest_first, run_all
from tools.testing.reports import Row, table, verdict

TESTS = """
import pytest

def test_good(): pass
def test_bad(): assert BAD
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
"""


def python(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def of_pytest(folder: Path, name: str, text: str, *options: str) -> Job:
    """A layer of one file of tests, outside this repository's settings."""
    file = folder / f"test_{name}.py"
    file.write_text(text)
    report = folder / f"{name}.xml"
    command = (sys.executable, "-m", "pytest", "-c", "/dev/null", "-p", "no:cacheprovider")
    command += (f"--rootdir={folder}", str(file), f"--junitxml={report}", *options)
    return Job("tests", name, (command,), report=report)


def test_a_failing_layer_stops_no_other_and_is_counted(tmp_path: Path):
    jobs = [
        of_pytest(tmp_path, "bad", f"BAD = False\n{TESTS}"),
        of_pytest(tmp_path, "good", f"BAD = True\n{TESTS}"),
    ]
    bad, good = run_all(jobs, 1, tmp_path)
    assert (bad.passed, bad.skips) == (1, {"not here": 1})
    assert bad.failed
    assert [name.split("::")[1] for name in bad.failures] == ["test_bad"]
    assert (good.passed, good.failures, good.skips) == (2, (), {"not here": 1})
    assert good.succeeded
    assert good.seconds > 0


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("import pytest\n@pytest.mark.skip\ndef test_a(): pass", [], "no test passed"),
        ("def test_a(): pass", ["-k", "absent"], "pytest ended with exit code 5"),
        ("import os\ndef test_a(): os._exit(3)", [], "pytest ended with exit code 3"),
    ],
    ids=["all skipped", "none chosen", "dies"],
)
def test_a_layer_that_proves_nothing_has_failed(
    tmp_path: Path, text: str, options: list[str], problem: str
):
    (row,) = run_all([of_pytest(tmp_path, "nothing", text, *options)], 1, tmp_path)
    assert row.failed
    assert row.problem == problem


def test_a_report_of_an_earlier_run_is_not_read(tmp_path: Path):
    job = of_pytest(tmp_path, "stale", "def test_a(): pass", "--no-such-option")
    assert job.report is not None
    job.report.write_text('<testsuites><testcase classname="a" name="b"/></testsuites>')
    (row,) = run_all([job], 1, tmp_path)
    assert (row.passed, row.problem) == (0, "pytest ended with exit code 4")


def test_every_command_of_a_layer_runs_and_the_failed_ones_are_named(tmp_path: Path):
    good, bad = python("print('a line')"), python("raise SystemExit(2)")
    (row,) = run_all([Job("lint", "here", (bad, good, bad))], 1, tmp_path)
    assert (row.passed, row.failures) == (1, (" ".join(bad), " ".join(bad)))


def test_what_needs_a_failed_job_has_failed_and_what_lacks_something_has_not_run(tmp_path: Path):
    jobs = [
        Job("set up", "it", (python("raise SystemExit(1)"),)),
        Job("tests", "of it", (python("pass"),), needs=("set up (it)",)),
        Job("tests", "elsewhere", (python("pass"),)),
        Job("browser", "no", missing="no Chromium on the PATH"),
    ]
    _, of_it, elsewhere, browser = run_all(jobs, 2, tmp_path)
    assert of_it.problem == "what it needs failed: set up (it)"
    assert elsewhere.succeeded
    assert (browser.missing, browser.failed) == ("no Chromium on the PATH", False)


def test_layers_that_run_side_by_side_are_shown_one_after_the_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Each waits for the other's first line to be written, so both run at once."""
    text = (
        "import pathlib, sys, time\nmine, other = sys.argv[1:]\n"
        "print(mine, 'begins', flush=True)\npathlib.Path(mine).touch()\n"
        "until = time.monotonic() + 60\n"
        "while not pathlib.Path(other).exists() and time.monotonic() < until: time.sleep(0.01)\n"
        "print(mine, 'ends', pathlib.Path(other).exists())"
    )
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    jobs = [
        Job("job", "a", ((*python(text), a, b),)),
        Job("job", "b", ((*python(text), b, a),)),
    ]
    rows = run_all(jobs, 2, tmp_path)
    assert all(row.succeeded for row in rows)
    lines = capfd.readouterr().out.splitlines()
    shown = [line for line in lines if line.startswith((a, b))]
    assert shown == [f"{a} begins", f"{a} ends True", f"{b} begins", f"{b} ends True"]


def test_no_more_layers_run_at_once_than_there_are_cores(tmp_path: Path):
    text = (
        "import os, pathlib, sys, time\n"
        "folder, most = pathlib.Path(sys.argv[1]), int(sys.argv[2])\n"
        "mine = folder / f'{os.getpid()}.runs'\nmine.touch()\ntime.sleep(0.3)\n"
        "many = len(list(folder.glob('*.runs')))\nmine.unlink()\nsys.exit(many > most)"
    )
    for most in (1, 2):
        jobs = [Job("job", name, ((*python(text), str(tmp_path), str(most)),)) for name in "abc"]
        assert all(row.succeeded for row in run_all(jobs, most, tmp_path))


def test_the_longest_begins_first_after_what_it_needs_and_the_rows_keep_their_order(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    jobs = [
        Job("set up", "a", (python("pass"),)),
        Job("set up", "b", (python("pass"),)),
        Job("lint", "x", (python("pass"),), needs=("set up (a)",), minutes=1),
        Job("core", "x", (python("pass"),), needs=("set up (a)",), minutes=3),
        Job("browser", "y", (python("pass"),), needs=("set up (b)",), minutes=9),
    ]
    began = ["set up (b)", "browser (y)", "set up (a)", "core (x)", "lint (x)"]
    assert [job.name for job in longest_first(jobs)] == began
    assert [row.name for row in run_all(jobs, 1, tmp_path)] == [job.name for job in jobs]
    shown = [line[4:] for line in capfd.readouterr().out.splitlines() if line.startswith("=== ")]
    assert shown == began


def test_a_layer_runs_beside_another_kind_of_layer_where_there_is_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    slow = (python("import time; time.sleep(0.5)"),)
    jobs = [
        Job("browser", "a", slow, minutes=3),
        Job("browser", "b", slow, minutes=3),
        Job("browser", "c", slow, minutes=3),
        Job("core", "x", slow, minutes=1),
    ]
    assert all(row.succeeded for row in run_all(jobs, 2, tmp_path))
    shown = [line[4:] for line in capfd.readouterr().out.splitlines() if line.startswith("=== ")]
    assert shown == ["browser (a)", "core (x)", "browser (b)", "browser (c)"]


def test_the_environment_of_a_layer_is_set_and_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COMFYUI_PATH", "a:b")
    text = "import os; assert 'COMFYUI_PATH' not in os.environ; assert os.environ['X'] == '1'"
    job = Job("job", "a", (python(text),), environment={"COMFYUI_PATH": None, "X": "1"})
    (row,) = run_all([job], 1, tmp_path)
    assert row.succeeded


def test_what_a_layer_compiles_is_kept_for_its_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "small.py").write_text("")
    job = Job("job", "a", (python(f"import sys; sys.path[0] = {str(tmp_path)!r}; import small"),))
    (row,) = run_all([job], 1, tmp_path)
    assert row.succeeded
    assert list(tmp_path.glob("__pycache__/small.*.pyc"))


def test_threads_of_layers_that_run_side_by_side_sleep_while_they_wait():
    job = Job("core", "x", environment={"OMP_NUM_THREADS": "2"})
    beside, alone = _with([job], [], 2), _with([job], [], 1)
    assert [each.environment.get("OMP_WAIT_POLICY") for each in (*beside, *alone)] == [
        "PASSIVE",
        None,
    ]
    assert beside[0].environment["OMP_NUM_THREADS"] == "2"


def test_the_table_has_a_line_for_each_layer_and_says_why():
    rows = [
        Row("core", ".venv", 12, skips={"no tokenizer": 2}, seconds=61.4),
        Row("nodes", "stand-in", 3, tuple(f"t::{i}" for i in range(7))),
        Row("browser", "ComfyUI", missing="no Chromium on the PATH"),
    ]
    assert table(rows).splitlines() == [
        "layer    where     passed  failed  skipped  seconds",
        "core     .venv         12       0        2       61",
        "  2 skipped: no tokenizer",
        "nodes    stand-in       3       7        0        0",
        *(f"  FAILED: t::{i}" for i in range(5)),
        "  FAILED: and 2 more",
        "browser  ComfyUI        -       -        -        -",
        "  not run: no Chromium on the PATH",
    ]
    assert verdict(rows).splitlines() == [
        "!!! NOT RUN: browser (ComfyUI): no Chromium on the PATH !!!",
        "FAILED: nodes (stand-in)",
    ]
    assert verdict(rows[:1]) == "1 of 1 layers ran, all of them passed."


def test_a_choice_of_layers_brings_what_they_need():
    jobs = [
        Job("set up", "a"),
        Job("set up", "b", needs=("set up (a)",)),
        Job("core", "x", needs=("set up (a)",)),
        Job("browser", "y", needs=("set up (b)",)),
    ]
    assert chosen(jobs, ["core"]) == [jobs[0], jobs[2]]
    assert chosen(jobs, ["browser"]) == [jobs[0], jobs[1], jobs[3]]
    assert chosen(jobs, []) == jobs


def test_an_interrupted_run_ends_what_it_has_started(tmp_path: Path):
    """The job is a process that writes its id and sleeps; the run is stopped as CI stops it."""
    mark = tmp_path / "pid"
    job = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))"
    text = (
        "import sys; from pathlib import Path; from tools.testing import __main__ as it\n"
        "from tools.testing.jobs import Job\n"
        f"sleeper = (sys.executable, '-c', {job + '; time.sleep(300)'!r})\n"
        "it._jobs = lambda _: [Job('a', 'b', (sleeper,))]\n"
        f"it.REPORTS = Path({str(tmp_path)!r})\nsys.exit(it.main([]))"
    )
    with subprocess.Popen([sys.executable, "-c", text], cwd=ROOT) as run:
        until = time.monotonic() + 60
        while not (mark.exists() and mark.read_text()):
            assert time.monotonic() < until
            time.sleep(0.05)
        run.terminate()
        assert run.wait(60) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_the_command_says_which_layers_there_are():
    command = [sys.executable, "-m", "tools.testing", "--only", "no such layer"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "core (.venv)" in done.stderr.splitlines()

"""The whole song of the benchmarks: who is measured, what becomes of a candidate that fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import official, real_song
from tools.hosts.checkout import ROOT

MARK = Path("acestep", "core", "generation", "handler", "__init__.py")
FIGURES = {"sampling": (3.0, 4.0), "decoding": (1.0, 2.0), "peak": 6.0}


def named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout at `place`, as far as its name goes, and ACESTEP_PATH names it."""
    (place / MARK).parent.mkdir(parents=True)
    (place / MARK).write_text("")
    monkeypatch.setenv("ACESTEP_PATH", str(place))


def test_without_an_official_checkout_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("ACESTEP_PATH", raising=False)
    assert "official" not in real_song.present()
    lines = [line for line in capsys.readouterr().out.splitlines() if "official" in line]
    assert lines == [
        "!!! The official pipeline is not measured: ACESTEP_PATH names no checkout. !!!"
    ]


def test_the_official_pipeline_has_ours_in_its_own_dtype_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    named(tmp_path, monkeypatch)
    assert {"ours", "ours float32", "official"} <= set(real_song.present())


def test_a_wrong_official_path_ends_the_run_before_it_measures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("ACESTEP_PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=f"ACESTEP_PATH has {tmp_path}, but there is no official"):
        real_song.present()


def test_the_official_pipeline_has_its_own_python(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACESTEP_PYTHON", "/its/python")
    assert official.python() == "/its/python"
    monkeypatch.delenv("ACESTEP_PYTHON")
    assert official.python() == sys.executable


def test_a_candidate_that_ends_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ACESTEP_PYTHON", "false")  # ends with 1, whatever it is asked
    assert real_song.in_own_process("official", "--seconds", "1") is None
    assert "!!! official ended with 1: out of memory" in capsys.readouterr().out


def test_each_of_ours_is_compared_with_each_peer(capsys: pytest.CaptureFixture[str]):
    half = {"sampling": (1.5, 4.0), "decoding": (0.5, 2.0), "peak": 1.5}
    real_song.report({"ours": half, "ours float32": FIGURES, "official": FIGURES})
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "CPU time: ours / official 0.50",
        "CPU time: ours float32 / official 1.00",
        "peak: ours / official 0.25",
        "peak: ours float32 / official 1.00",
    ]


ASK = """
import json, torch
from pathlib import Path
from benchmarks.measure import limit_memory

def fits(size):
    try:
        torch.empty(size, dtype=torch.uint8)
    except RuntimeError:
        return False
    return True

limit_memory()
available = Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]
print(json.dumps([fits(2**26), fits(int(available) * 1024)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_is_beyond_the_machines_memory_fails_where_it_is_asked_for():
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [True, False]

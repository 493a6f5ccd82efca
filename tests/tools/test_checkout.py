"""Which ComfyUI checkouts are found, and which one a process works with."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.hosts import checkout
from tools.hosts.checkout import CheckoutError, find_checkout, find_checkouts, require_checkout


def make(place: Path, version: str) -> Path:
    place.mkdir(parents=True)
    (place / "comfyui_version.py").write_text(f'# made by us\n__version__ = "{version}"\n')
    return place


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a ComfyUI; nothing named; a Python that was made for no ComfyUI."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.setattr(checkout.sys, "prefix", str(tmp_path / ".venv"))
    return tmp_path


def name(monkeypatch: pytest.MonkeyPatch, *places: Path | str) -> None:
    monkeypatch.setenv("COMFYUI_PATH", os.pathsep.join(map(str, places)))


def test_without_a_checkout_there_is_none():
    assert find_checkouts() == ()
    assert find_checkout() is None


def test_all_in_the_usual_place_are_found_the_oldest_version_first(home: Path):
    new = make(home / "comfy" / "ComfyUI", "0.33.0")
    old = make(home / "comfy" / "ComfyUI-b", "0.9.2")
    (home / "comfy" / "ComfyUI-empty").mkdir()
    (home / "comfy" / "ComfyUI-link").symlink_to(old)
    assert find_checkouts() == (old, new)


def test_one_process_takes_the_plain_name_first_and_else_the_newest(home: Path):
    newest = make(home / "comfy" / "ComfyUI-new", "0.33.0")
    make(home / "comfy" / "ComfyUI-old", "0.9.2")
    assert find_checkout() == newest
    plain = make(home / "comfy" / "ComfyUI", "0.20.1")
    assert find_checkout() == plain


def test_a_list_is_taken_in_its_order_and_one_process_takes_its_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    make(home / "comfy" / "ComfyUI", "0.20.1")
    new, old = make(home / "new", "0.33.0"), make(home / "old", "0.9.2")
    name(monkeypatch, new, "~/old")
    assert find_checkouts() == (new, old)
    assert find_checkout() == new


def test_a_python_made_for_a_version_takes_the_checkout_of_that_version(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    old = make(home / "comfy" / "ComfyUI", "0.20.1")
    new = make(home / "comfy" / "ComfyUI-new", "0.33.0")
    monkeypatch.setattr(checkout.sys, "prefix", str(checkout.environment_of(new)))
    assert find_checkout() == new
    name(monkeypatch, old, new)
    assert find_checkout() == new
    name(monkeypatch, old)
    with pytest.raises(CheckoutError, match=r"is ComfyUI 0\.20\.1, but .* of ComfyUI 0\.33\.0"):
        find_checkout()


def test_a_place_that_is_no_comfyui_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    name(monkeypatch, make(home / "good", "1.0.0"), home / "bad")
    for find in (find_checkouts, find_checkout):
        with pytest.raises(CheckoutError, match=r"COMFYUI_PATH has .*/bad, but there is no"):
            find()


def test_two_checkouts_of_one_version_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch):
    name(monkeypatch, make(home / "a", "1.0.0"), make(home / "b", "1.0.0"))
    with pytest.raises(CheckoutError, match=r"/a and .*/b are both ComfyUI 1\.0\.0"):
        find_checkouts()


READERS = (  # of COMFYUI_PATH: what `make` runs, and what is run by hand
    "pytest tests/tools -q",
    "tools.demo",
    "tools.testing",
    "tools.testing --only browser",
    "tools.testing.environments",
    "tools.testing.environments run -m tools.demo",
    "tools.testing.soak",
    "tools.testing.determinism",
    "tools.docs.make_pictures",
    "tools.docs.hosts_page --read",
    "benchmarks.text_to_music",
    "benchmarks.dit_step",
    "benchmarks.language_model",
    "benchmarks.real_song",
)


@pytest.mark.parametrize("command", READERS)
def test_a_wrong_path_is_one_line(command: str):
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=checkout.ROOT,
        env={**os.environ, "COMFYUI_PATH": "/no/such/place"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode != 0
    (line,) = (done.stdout + done.stderr).strip().splitlines()
    assert "COMFYUI_PATH has /no/such/place" in line


def test_every_command_that_looks_for_a_comfyui_is_tried():
    """Those whose own file calls one of the functions that do, or starts a host."""
    calls = re.compile(
        r"\b(?:find_checkouts?|require_checkout|start_local_host|page_server|comfyui)\("
    )
    roots = [checkout.ROOT / name for name in ("tools", "benchmarks")]
    files = [file for root in roots for file in root.rglob("*.py")]
    commands = {
        ".".join(file.relative_to(checkout.ROOT).with_suffix("").parts).removesuffix(".__main__")
        for file in files
        if "__main__" in (text := file.read_text(encoding="utf-8")) and calls.search(text)
    }
    assert commands <= {command.split()[0] for command in READERS}
    assert len(commands) > 5


def test_a_command_that_needs_a_comfyui_ends_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "bad"))
    with pytest.raises(SystemExit, match=r"COMFYUI_PATH has .*/bad, but there is no"):
        require_checkout()
    monkeypatch.delenv("COMFYUI_PATH")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SystemExit, match="There is no ComfyUI here"):
        require_checkout()

"""What the registry publishes, as its tool packs it: the files that .comfyignore leaves."""

import re
import subprocess
from pathlib import Path

import pytest

from tools.hosts.checkout import ROOT

LARGEST = 4_000_000  # bytes of all of it; half of it are pictures
NEEDED = {"__init__.py", "ace_core", "nodes", "web", "workflows", "pyproject.toml", "LICENSE"}
NEEDED |= {"README.md", "SECURITY.md", "CHANGELOG.md", "requirements.txt", "subgraphs", "locales"}


def listed(*more: str) -> set[str]:
    command = ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard", *more]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return {name for name in found.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def archive() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.fail("the archive is made of a git checkout")
    left_out = ["git", "ls-files", "-z", "-c", "-o", "-i", "--exclude-from=.comfyignore"]
    ignored = subprocess.run(left_out, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted(ROOT / name for name in listed() - set(ignored.split("\0")))


def test_it_holds_what_runs_and_nothing_that_only_builds_or_checks(archive: list[Path]) -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in archive}
    assert tops == NEEDED
    assert sum(path.stat().st_size for path in archive) < LARGEST


def test_its_code_reaches_for_nothing_that_was_left_out(archive: list[Path]) -> None:
    code = [path for path in archive if path.suffix == ".py"]
    assert len(code) > 100
    outside = re.compile(r"^\s*(?:from|import) (?:tools|tests|benchmarks)\b", re.MULTILINE)
    assert [path for path in code if outside.search(path.read_text(encoding="utf-8"))] == []


def test_every_workflow_comes_with_its_picture(archive: list[Path]) -> None:
    pages = {
        path.stem
        for path in archive
        if path.parent == ROOT / "workflows" and path.suffix == ".json"
    }
    pictures = {path.stem for path in archive if path.suffix == ".jpg"}
    assert pages
    assert pages <= pictures


def test_every_help_page_comes_with_its_picture(archive: list[Path]) -> None:
    docs = ROOT / "web" / "docs"
    pages = {path.stem for path in archive if path.parent == docs and path.suffix == ".md"}
    pictures = {path.stem for path in archive if path.parent == docs / "pictures"}
    assert pages
    assert pages == pictures


def test_the_icon_is_a_small_square_picture() -> None:
    icon = (ROOT / "docs" / "icon.svg").read_text(encoding="utf-8")
    width, height = (int(re.search(rf'{side}="(\d+)"', icon)[1]) for side in ("width", "height"))  # type: ignore[index]
    assert width == height <= 400
    assert len(icon) < 5_000

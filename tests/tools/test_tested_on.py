"""README claims the hosts and pages that passed, and no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.docs import tested_on
from tools.docs.tested_on import README, RECORD, complaints, line, passed, written

PACKAGES = {"python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0", "numpy": "2.3.0"}


def row(host: str = "", frontend: str = "", **changes: Any) -> dict[str, Any]:
    found = {"layer": "core", "where": "here", "passed": 3, "failures": [], "skips": {}}
    found |= {"problem": "", "missing": "", "seconds": 1.0, "packages": PACKAGES}
    return found | {"host": host, "frontend": frontend} | changes


OLD, NEW = row("0.20.1"), row("0.33.0")
PAGE, NEW_PAGE = row("0.33.0", "1.58.1"), row("0.33.0", "1.9.2")
RECORDED = {"hosts": [NEW, OLD, PAGE, NEW_PAGE], "versions": []}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs, record and README of the test's own."""
    monkeypatch.setattr(tested_on, "ROOT", tmp_path)
    monkeypatch.setattr(tested_on, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(tested_on, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(tested_on, "README", tmp_path / "README.md")
    (tmp_path / "runs").mkdir()
    (tmp_path / "record.json").write_text(json.dumps(RECORDED))
    (tmp_path / "README.md").write_text(f"a\n{tested_on.BEGIN}\nold\n{tested_on.END}\nb\n")
    return tmp_path


def run(place: Path, *rows: dict[str, Any], what: str = "layers", whole: bool = True) -> None:
    (place / "runs" / f"{what}.json").write_text(json.dumps({"whole": whole, "rows": rows}))


def test_readme_says_what_is_recorded():
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    readme = README.read_text(encoding="utf-8")
    assert readme == written(readme, record)


def test_the_line_lists_hosts_and_pages_in_the_order_of_their_versions():
    assert line(RECORDED) == ("Tested on ComfyUI 0.20.1 and 0.33.0 (frontends 1.9.2 and 1.58.1).")
    one = {"hosts": [OLD], "versions": [row(), row()]}
    packages = "Python 3.11.7 with torch 2.13.0, transformers 5.23.0, numpy 2.3.0"
    assert line(one) == (
        f"Tested on ComfyUI 0.20.1; the library alone on {packages} and {packages}."
    )


def test_only_what_passed_counts_and_no_page_of_a_host_that_failed():
    rows = [row(), row("0.20.1", failures=["t"]), row("0.20.1", "1.0"), NEW]
    rows += [row("0.33.0", "1.1", problem="no test passed"), row("0.33.0", "1.2", missing="node")]
    assert passed(rows) == [NEW]


def test_writing_keeps_what_passed_and_is_then_right(place: Path, capsys):
    run(place, OLD, NEW, PAGE)
    run(place, row(), row(failures=["t"]), what="versions")
    assert tested_on.main([]) == 0
    text = (place / "README.md").read_text()
    assert "Tested on ComfyUI 0.20.1 and 0.33.0 (frontend 1.58.1); the library alone on" in text
    assert text.count("Python 3.11.7") == 1
    assert tested_on.main(["--check"]) == 0
    assert "README is right" in capsys.readouterr().out


def test_what_waited_for_its_turn_keeps_what_it_passed_at_the_last(place: Path, capsys):
    run(place, OLD, NEW, PAGE, row("0.33.0", "1.9.2", missing="another's turn", waits=True))
    assert tested_on.main(["--check"]) == 0
    said = capsys.readouterr().out
    assert "NOT CHECKED HERE: README claims ComfyUI 0.33.0 with frontend 1.9.2" in said
    assert tested_on.main([]) == 0
    assert "0.33.0 (frontends 1.9.2 and 1.58.1)" in (place / "README.md").read_text()


def test_a_claim_that_failed_or_was_left_out_is_false(place: Path, capsys):
    run(place, OLD, NEW, row("0.33.0", "1.58.1", failures=["t"]))
    assert tested_on.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "ComfyUI 0.33.0 with frontend 1.58.1 did not pass." in said
    assert "ComfyUI 0.33.0 with frontend 1.9.2 was not run, though this ComfyUI is here." in said


@pytest.mark.parametrize(
    ("rows", "undecided"),
    [
        ([row(), row("", missing="no ComfyUI")], 4),
        ([NEW, row("0.33.0", "1.58.1", missing="node"), row("0.33.0", "1.9.2", missing="node")], 3),
    ],
    ids=["no host", "no browser"],
)
def test_a_machine_that_lacks_something_says_so_and_passes(
    place: Path, rows: list[dict[str, Any]], undecided: int, capsys
):
    assert [len(found) for found in complaints(RECORDED, rows)] == [0, undecided]
    run(place, *rows)
    assert tested_on.main(["--check"]) == 0
    assert capsys.readouterr().out.startswith("!!! NOT CHECKED HERE: README claims ComfyUI")


def test_a_run_of_a_choice_proves_nothing(place: Path, capsys):
    run(place, OLD, NEW, PAGE, NEW_PAGE, whole=False)
    for arguments in (["--check"], []):
        assert tested_on.main(arguments) == 1
        assert "chosen layers" in capsys.readouterr().err

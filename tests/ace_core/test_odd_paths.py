"""Paths that no system holds, or that lead nowhere, are errors of ours wherever one is given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ace_core.audio.files import read_audio
from ace_core.batch.prompts import check_request, read_lines, request_of
from ace_core.cli.main import main
from ace_core.errors import AceStepError, PromptsError
from ace_core.inference.adapters import find_adapter
from ace_core.inference.find_models import find_model
from ace_core.tokens import load_tokenizer
from ace_core.types import Variant
from ace_core.weights import Kind, inspect

LONG, DEEP = "x" * 300, "/".join(["d" * 200] * 25)
PATHS = [LONG, DEEP, f"{'x' * 250}", "loop", "loop/x", "~nosuch/x", "/dev/null/x"]


def check_line(**fields: Any) -> None:
    check_request(request_of({"caption": "a", **fields}, Path("songs")), Variant.TURBO)


READERS: dict[str, Callable[[str], Any]] = {
    "a folder of models": lambda path: find_model(path, "turbo", Kind.DIT),
    "a model": lambda path: find_model(".", path, Kind.DIT),
    "an adapter": lambda path: find_adapter(".", path),
    "a folder of adapters": lambda path: find_adapter(path, "mine"),
    "a tokenizer": lambda path: load_tokenizer(Path(path)),
    "a recording": read_audio,
    "a line's recording": lambda path: check_line(task_type="cover", src_audio=path),
    "any file of weights": lambda path: inspect(Path(path)),
}


def assert_short(message: str) -> None:
    """Of a path at most 200 characters are repeated."""
    assert "x" * 201 not in message
    assert f"{'d' * 200}/d" not in message


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:12])
def test_what_cannot_be_there_is_not_there(what: str, path: str):
    with pytest.raises(AceStepError) as refused:
        READERS[what](path)
    assert_short(str(refused.value))


def test_a_line_may_name_such_an_adapter_which_the_models_are_asked_for():
    for path in PATHS:
        check_line(lora=[path])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:12])
@pytest.mark.parametrize("command", ["cover", "inspect", "measure", "batch"])
def test_the_command_line_says_so_in_its_own_words(
    command: str, path: str, capsys: pytest.CaptureFixture[str]
):
    more = {"cover": ["--caption", "a", "-o", "o"], "batch": ["--out", "o"]}.get(command, [])
    assert main([command, path, *more]) in (1, 2)
    error = capsys.readouterr().err
    assert "error: " in error
    assert_short(error)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device without an end here")
def test_a_text_without_an_end_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(PromptsError, match="no end in sight"):
        read_lines(Path("/dev/zero"), lambda _: [])
    assert main(["generate", "--caption", "a", "--lyrics-file", "/dev/zero", "-o", "o"]) == 2
    assert "no end in sight" in capsys.readouterr().err

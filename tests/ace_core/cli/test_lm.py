"""The language model's commands, on the miniature: what it writes is no words, but it is told."""

from pathlib import Path
from typing import Any

import pytest

from ace_core.cli.main import main
from ace_core.cli.output import Exit

CODES = "<|audio_code_5|><|audio_code_77|>"


def test_codes_are_read_from_a_file_and_described(
    ask: Any, models: tuple[str, str], tmp_path: Path
):
    file = tmp_path / "codes.txt"
    file.write_text(CODES)
    code, (told,), _ = ask("understand", file, *models)
    assert (code, told["success"]) == (Exit.DONE, True)
    assert 30 <= told["bpm"] <= 300


@pytest.mark.parametrize(("codes", "told_"), [("none.txt", "cannot be read"), ("", "audio code")])
def test_codes_that_are_none_are_told(
    ask: Any, models: tuple[str, str], tmp_path: Path, codes: str, told_: str
):
    file = tmp_path / "none.txt"
    if not codes:
        file.write_text("no codes at all")
    code, (told,), _ = ask("understand", file, *models)
    assert (code, told_ in told["error"]) == (Exit.FAILED, True)


def test_a_sample_without_a_singer_keeps_its_language(ask: Any, models: tuple[str, str]):
    words = ("sample", "a song", "--instrumental", "--vocal-language", "fr")
    code, (told,), _ = ask(*words, *models)
    assert (code, told["instrumental"], told["language"]) == (Exit.DONE, True, "fr")


def test_what_is_stated_is_kept_and_people_can_read_it(
    models: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    words = [
        "format",
        "--caption",
        "rock",
        "--lyrics",
        "la",
        "--bpm",
        "95",
        "--keyscale",
        "C major",
    ]
    assert main([*words, *models]) == Exit.DONE
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("caption: ")
    assert {"bpm: 95", "key: C major"} <= set(told)


def test_a_language_model_that_is_not_there_is_told(ask: Any, tmp_path: Path):
    code, (told,), _ = ask("sample", "a song", "--models", tmp_path)
    assert code == Exit.FAILED
    assert "No 5 Hz language model" in told["error"]

"""The language model's commands, on the miniature, whose texts mean nothing but are printed."""

import io
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
    code, (output,), _ = ask("understand", file, *models)
    assert (code, output["success"]) == (Exit.DONE, True)
    assert 30 <= output["bpm"] <= 300


def test_codes_from_stdin_are_those_on_the_command_line(
    ask: Any, models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    (given,) = ask("understand", CODES, *models, "--seed", 3)[1]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CODES}\n"))
    code, (read,), _ = ask("understand", "-", *models, "--seed", 3)
    assert (code, read) == (Exit.DONE, given)


def test_a_recording_is_described_as_its_codes_are(ask: Any, models: tuple[str, str], tone: Path):
    code, (encoded,), _ = ask("codes", tone, *models)
    assert (code, encoded["audio_codes"].count("audio_code")) == (Exit.DONE, 2)  # 0.4 s
    code, (described,), _ = ask("understand", tone, *models, "--seed", 3)
    assert (code, described["success"]) == (Exit.DONE, True)
    _, (again,), _ = ask("understand", encoded["audio_codes"], *models, "--seed", 3)
    assert described == again


def test_a_recording_that_is_not_there_is_reported(ask: Any, models: tuple[str, str]):
    code, (answer,), _ = ask("codes", "none.wav", *models)
    assert (code, "There is no file none.wav" in answer["error"]) == (Exit.USAGE, True)


@pytest.mark.parametrize(("codes", "message"), [("none.txt", "cannot be read"), ("", "audio code")])
def test_codes_that_are_none_are_reported(
    ask: Any, models: tuple[str, str], tmp_path: Path, codes: str, message: str
):
    file = tmp_path / "none.txt"
    if not codes:
        file.write_text("no codes at all")
    code, (output,), _ = ask("understand", file, *models)
    assert (code, message in output["error"]) == (Exit.USAGE, True)


def test_a_sample_without_a_singer_keeps_its_language(ask: Any, models: tuple[str, str]):
    words = ("sample", "a song", "--instrumental", "--vocal-language", "fr")
    code, (output,), _ = ask(*words, *models)
    assert (code, output["instrumental"], output["language"]) == (Exit.DONE, True, "fr")


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
    output = capsys.readouterr().out.splitlines()
    assert output[0].startswith("caption: ")
    assert {"bpm: 95", "key: C major"} <= set(output)


def test_a_language_model_that_is_not_there_is_reported(ask: Any, tmp_path: Path):
    code, (output,), _ = ask("sample", "a song", "--models", tmp_path)
    assert code == Exit.USAGE
    assert "No 5 Hz language model" in output["error"]


def test_a_reply_can_be_had_again_by_its_seed(ask: Any, models: tuple[str, str]):
    first, second, other = (
        ask("sample", "rain", "--seed", seed, *models)[1][0] for seed in (7, 7, 8)
    )
    assert first == second
    assert first["caption"] != other["caption"]  # and not the seed that is told alone


def test_each_token_can_be_logged(ask: Any, models: tuple[str, str], caplog: Any):
    ask("sample", "rain", "--seed", 7, *models)
    assert not any(record.message.startswith("token ") for record in caplog.records)
    ask("sample", "rain", "--seed", 7, "--constrained-decoding-debug", *models)
    assert any(record.message.startswith("token ") for record in caplog.records)

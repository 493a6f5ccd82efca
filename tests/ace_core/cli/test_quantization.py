"""`--quantization` reaches every model that a command loads."""

import json
from pathlib import Path
from typing import Any

import pytest

from ace_core.cli.output import Exit
from ace_core.models.int8 import Int8Linear
from tools.miniature import Miniature

QUICK = ("--caption", "rain", "--duration", 10, "--inference-steps", 1, "--seed", 7)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A layer per large weight that is loaded as int8."""
    made: list[Any] = []
    whole = Int8Linear.__init__

    def watched(self: Any, *given: Any, **named: Any) -> None:
        made.append(self)
        whole(self, *given, **named)

    monkeypatch.setattr(Int8Linear, "__init__", watched)
    return made


def test_a_song_is_made_by_models_in_int8(
    ask: Any, models: tuple[str, str], held: list[Any], tmp_path: Path
):
    words = ("generate", *QUICK, *models, "--no-lm", "-o", tmp_path / "rain.flac")
    assert ask(*words).code == Exit.DONE
    assert held == []
    assert ask(*words, "--quantization", "int8").code == Exit.DONE
    assert held


def test_the_language_model_is_held_in_int8(
    ask: Any, models: tuple[str, str], held: list[Any], checkpoints: Miniature
):
    words = ("understand", "<|audio_code_5|>", *models, "--seed", 3)
    assert ask(*words, "--quantization", "int8_weight_only").code == Exit.DONE
    assert held


def test_a_batch_is_made_by_models_in_int8(
    ask: Any, models: tuple[str, str], held: list[Any], tmp_path: Path
):
    line = {"caption": "rain", "thinking": False, "duration": 10, "inference_steps": 1}
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text(json.dumps(line))
    words = ("batch", prompts, "--out", tmp_path / "songs", "--no-lm", *models)
    assert ask(*words, "--quantization", "int8").code == Exit.DONE
    assert held


def test_another_quantization_is_a_wrong_command_line(
    ask: Any, models: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        ask("sample", "rain", *models, "--quantization", "int4")
    assert "int8" in capsys.readouterr().err

"""`--lora` and the field `lora` of a batch's lines: checked before a model is loaded, then used."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from ace_core.cli.output import Exit
from ace_core.inference.handlers import AceStepHandler
from ace_core.weights import Kind, inspect
from tests.loras import write_lora
from tools.miniature import Miniature

QUICK = ("--no-thinking", "--inference-steps", 1, "--caption", "rain", "--seed", 7, "--no-lm")
LINE = {"caption": "rain", "thinking": False, "inference_steps": 1, "seed": 7, "duration": 10}


@pytest.fixture
def loras(checkpoints: Miniature, tmp_path: Path) -> Path:
    shapes = inspect(checkpoints.release / "acestep-v15-turbo").part(Kind.DIT).shapes
    folder = tmp_path / "mine"
    write_lora(folder / "style.safetensors", shapes)
    write_lora(folder / "voice.safetensors", shapes, seed=4)
    write_lora(folder / "foreign.safetensors", shapes, foreign=5)
    return folder


@pytest.fixture
def unloadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is loaded is a failure of the test."""
    monkeypatch.setattr(AceStepHandler, "initialize_service", lambda *_, **__: pytest.fail("loads"))


def test_adapters_by_path_are_put_on_and_named(
    ask: Any, models: tuple[str, str], tone: Path, loras: Path, tmp_path: Path
):
    style, voice = f"{loras / 'style.safetensors'}:0.5", str(loras / "voice.safetensors")
    words = ("cover", tone, *QUICK, *models)
    code, (output,), errors = ask(
        *words, "--lora", style, "--lora", voice, "-o", tmp_path / "with.wav"
    )
    assert code == Exit.DONE
    assert output["songs"][0]["params"]["lora"] == [style, f"{voice}:1.0"]
    for name in ("style.safetensors: 2 weights changed, strength 0.5", "voice.safetensors: 2"):
        assert f"LoRA {name}" in output["status_message"]
        assert f"LoRA {name}" in errors
    assert ask(*words, "-o", tmp_path / "without.wav").code == Exit.DONE
    sounds = [soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("with", "without")]
    assert (sounds[0] != sounds[1]).any()


@pytest.mark.parametrize(
    ("lora", "words"),
    [
        ("none.safetensors", "No adapter is at"),
        ("{}/foreign.safetensors", "was made for another model"),
        ("{}/style.safetensors:20", "outside -10 to 10"),
    ],
)
def test_a_wrong_adapter_is_a_wrong_command_line(
    ask: Any,
    models: tuple[str, str],
    loras: Path,
    tmp_path: Path,
    unloadable: None,
    lora: str,
    words: str,
):
    code, _, errors = ask(
        *("generate", *QUICK, *models, "--duration", 10, "--lora", lora.format(loras)),
        *("-o", tmp_path / "a.wav"),
    )
    assert (code, list(tmp_path.glob("a*"))) == (Exit.USAGE, [])
    assert words in errors


def test_lines_of_a_batch_have_adapters_beside_the_prompts(
    ask: Any, models: tuple[str, str], loras: Path, tmp_path: Path
):
    prompts = loras.parent / "prompts.jsonl"
    lines = [{"id": "bare", **LINE}, {"id": "one", **LINE, "lora": "mine/style.safetensors:0.5"}]
    lines.append(
        {"id": "two", **LINE, "lora": ["mine/style.safetensors", "mine/voice.safetensors"]}
    )
    prompts.write_text("\n".join(map(json.dumps, lines)))
    words = ("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    code, output, _ = ask(*words)
    assert code == Exit.DONE
    notes = {song["id"]: song.get("notes", "").count("LoRA") for song in output[:3]}
    assert notes == {"bare": 0, "one": 1, "two": 2}
    sums = {file["sha256"] for song in output[:3] for file in song["files"]}
    assert len(sums) == 3
    assert ask(*words)[:2] == (Exit.DONE, [output[3]])  # nothing is made again


def test_every_wrong_adapter_of_a_batch_is_reported_with_its_line(
    ask: Any, models: tuple[str, str], loras: Path, tmp_path: Path, unloadable: None
):
    prompts = loras.parent / "prompts.jsonl"
    wrong = ["mine/none.safetensors", "mine/foreign.safetensors", "mine/style.safetensors"]
    prompts.write_text("\n".join(json.dumps({**LINE, "lora": [name]}) for name in wrong))
    code, _, errors = ask("batch", prompts, "--out", tmp_path / "songs", *models, "--no-lm")
    assert code == Exit.USAGE
    assert "2 faults" in errors
    assert "line 1: No adapter is at" in errors
    assert "line 2: foreign.safetensors was made for another model" in errors

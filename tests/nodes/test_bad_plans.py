"""What the nodes of the language model refuse, and when."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.nodes.lm_prompts import (
    LM_FILE,
    Run,
    complaint,
    compose,
    create,
    load_lm,
    runner,
    shown,
    song,
)
from tools.hosts.host import error_types
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path) -> Run:
    return runner(pack)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"batch_size": 0}, "value_smaller_than_min"),
        ({"batch_size": 9}, "value_bigger_than_max"),
        ({"temperature": -0.1}, "value_smaller_than_min"),
        ({"temperature": 2.5}, "value_bigger_than_max"),
        ({"top_p": 0.0}, "value_smaller_than_min"),
        ({"top_p": 1.5}, "value_bigger_than_max"),
        ({"cfg": 0.5}, "value_smaller_than_min"),
        ({"min_p": 1.0}, "value_bigger_than_max"),
        ({"seed": -1}, "value_smaller_than_min"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_before_anything_runs(
    run: Run, change: dict[str, Any], kind: str
) -> None:
    refused = run("codes", song=song(), codes=compose(**change))
    assert refused.status == "refused"
    assert error_types(refused.node_errors) == {"codes": [kind]}


def test_a_text_encoder_is_no_language_model(pack: Pack, models: Path) -> None:
    file = "qwen_0.6b_ace15_miniature.safetensors"
    said = complaint(pack.host.run({"lm": load_lm(file), "out": shown("lm", 0)}))
    assert "5 Hz language model" in said
    assert "text encoder" in said


def test_a_missing_file_is_refused_with_its_folder_and_source(pack: Pack, models: Path) -> None:
    refused = pack.host.run({"lm": load_lm("qwen_4b_ace15.safetensors"), "out": shown("lm", 0)})
    assert error_types(refused.node_errors) == {"lm": ["custom_validation_failed"]}
    assert "text_encoders" in refused.why()
    assert "https://" in refused.why()


def test_a_tokenizer_without_the_special_tokens_is_refused(pack: Pack, models: Path) -> None:
    folder = models / "text_encoders"
    shutil.copy(folder / LM_FILE, folder / "no_think.safetensors")
    words = json.loads((folder / LM_FILE).with_suffix(".tokenizer.json").read_text())
    kept = [token for token in words["added_tokens"] if token["content"] != "<think>"]
    words["added_tokens"] = kept
    (folder / "no_think.tokenizer.json").write_text(json.dumps(words))
    said = complaint(pack.host.run({"lm": load_lm("no_think.safetensors"), "o": shown("lm", 0)}))
    assert "tokenizer" in said


def test_an_idea_of_a_hundred_thousand_characters_is_refused(run: Run, rooms: list[float]) -> None:
    said = complaint(run("sample", sample=create(query="a" * 100_000)))
    assert "100000 characters" in said
    assert rooms == []


def test_a_length_that_the_models_do_not_play_is_refused(run: Run, rooms: list[float]) -> None:
    assert "10 to 600" in complaint(run("sample", sample=create(seconds=5.0)))
    assert "10 to 600" in complaint(run("song", song=song(seconds=5.0)))
    assert rooms == []


def test_what_the_memory_of_the_model_cannot_hold_is_refused_before_it_is_set_aside(
    pack: Pack, run: Run, rooms: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack.submodule("ace_core.lm.decoding"), "MAX_LENGTH", 5_000)
    endless = song(seconds=600.0, lyrics="la " * 1_300)
    said = complaint(run("codes", song=endless, codes=compose()))
    assert "3000 are to be written" in said
    assert "5000" in said
    assert rooms == []

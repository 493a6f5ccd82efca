"""One option for each field of a request; what was not written is not passed on."""

import argparse
from dataclasses import dataclass, fields

import pytest

from ace_core.cli.arguments import add_arguments
from ace_core.cli.main import COMMANDS
from ace_core.cli.options import HELP, Field, add_fields, fields_of, given_fields
from ace_core.inference import GenerationConfig, GenerationParams

FILLED_IN = {"cot_" + name for name in ("bpm", "keyscale", "timesignature", "duration")}
FILLED_IN |= {"cot_vocal_language", "cot_caption", "cot_lyrics", "reuse_cot"}
ELSEWHERE = {"task_type", "audio2audio_enable", "src_audio"}  # the command's name, its argument
OTHER_NAMES = {"ref_audio_input", "src_audio_path"}  # of src_audio, in other tools
IMPLIED = {"use_random_seed"}
MUSIC = [name for name, (module, _) in COMMANDS.items() if module == "music"]


@dataclass
class Request:
    caption: str = ""
    bpm: int | None = None
    duration: float = -1.0
    thinking: bool = True
    times: list[float] | None = None
    seeds: list[int] | int | None = None


def test_the_types_and_defaults_of_a_field_come_from_its_class():
    found = fields_of(Request)
    assert list(found) == ["caption", "bpm", "duration", "thinking", "times", "seeds"]
    assert found["duration"] == Field("duration", -1.0, (float,))
    assert found["bpm"].plain == (int, type(None))
    assert (found["times"].plain, found["times"].listed) == ((type(None),), (float,))
    assert found["seeds"].listed == (int,)


def test_every_field_of_a_request_has_help_or_a_reason_not_to():
    named = {field.name for field in (*fields(GenerationParams), *fields(GenerationConfig))}
    assert set(HELP) == named - FILLED_IN - ELSEWHERE - OTHER_NAMES - IMPLIED


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_arguments(parser, name)
    return parser


@pytest.mark.parametrize("name", MUSIC)
def test_a_command_offers_what_its_task_uses(name: str):
    offered = {action.dest for action in parser_of(name)._actions}
    assert {"caption", "lyrics", "seeds", "audio_format", "models"} <= offered
    assert ("src_audio" in offered) == (name != "generate")
    assert ("repainting_start" in offered) == (name in ("repaint", "lego"))
    assert ("track" in offered) == (name in ("lego", "extract", "complete"))


def test_only_what_is_written_is_given():
    words = ["--caption", "x", "--duration", "30", "--no-thinking", "--timesteps", "1,0.5,0"]
    words += ["--seeds", "4,5", "--seed", "-1", "--batch-size", "2"]
    arguments = parser_of("generate").parse_args(words)
    assert given_fields(arguments, GenerationParams) == {
        "caption": "x",
        "duration": 30.0,
        "thinking": False,
        "timesteps": [1.0, 0.5, 0.0],
        "seed": -1,
    }
    assert given_fields(arguments, GenerationConfig) == {"seeds": [4, 5], "batch_size": 2}


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], {}),
        (["--no-dcw-enabled"], {"dcw_enabled": False}),
        (["--dcw-enabled", "--dcw-mode", "low"], {"dcw_enabled": True, "dcw_mode": "low"}),
    ],
)
def test_dcw_is_left_to_the_model_or_switched(words: list[str], given: dict[str, object]):
    arguments = parser_of("generate").parse_args(words)
    assert given_fields(arguments, GenerationParams) == given


def test_a_value_of_another_kind_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        parser_of("generate").parse_args(["--timesteps", "1,x"])
    assert "invalid list of numbers value: '1,x'" in capsys.readouterr().err


def test_a_field_without_help_is_not_offered():
    parser = argparse.ArgumentParser()
    add_fields(parser, Request, ["caption", "times"])
    assert [action.dest for action in parser._actions] == ["help", "caption"]

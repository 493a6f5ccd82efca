"""What a line asks for is checked before anything is loaded, and its seeds never change."""

from pathlib import Path
from typing import Any

import pytest

from ace_core.batch.lines import Line
from ace_core.batch.request import NAMES, Rules, request_of, seeds_of
from ace_core.inference import GenerationConfig, GenerationParams
from ace_core.types import Variant


def faults(base: Path = Path(), variant: Variant = Variant.TURBO, **fields: Any) -> list[str]:
    return Rules(variant, base).faults(fields)


def seeds(salt: str = "salt", name: str = "a", **request: Any) -> tuple[int, ...]:
    return seeds_of(Line(name, 1, request), salt)


def test_a_line_means_one_song_with_the_published_defaults():
    assert request_of({"caption": "x", "bpm": None, "audio_format": "mp3"}, Path()) == (
        GenerationParams(caption="x"),
        GenerationConfig(batch_size=1, audio_format="mp3", use_random_seed=False),
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"captoin": "x"}, "'captoin' is no field; is it 'caption'?"),
        ({"use_random_seed": True}, "'use_random_seed' is no field"),
        ({"bpm": "90"}, "bpm is '90'"),
        ({"batch_size": 1.5}, "batch_size is 1.5"),
        ({"bpm": 301}, "`bpm` is 301, but must be 30 to 300"),
        ({"keyscale": "H"}, "'H' is not a key"),
        ({"inference_steps": 21}, "`inference_steps` is 21, but must be 1 to 20"),
        ({"seeds": [1, 2]}, "2 seeds were given for 1 items"),
        ({"seed": 2**64}, "is not a seed"),
        ({"task_type": "cover", "caption": "x", "src_audio": "none.wav"}, "there is no file"),
        ({"task_type": "extract", "src_audio": "none.wav"}, "names no track"),
        ({"timesteps": []}, "times"),
    ],
)
def test_what_cannot_be_carried_out_is_told(fields: dict[str, Any], told: str):
    (fault,) = faults(**fields)
    assert told in fault


def test_a_request_is_checked_against_the_models_variant():
    assert faults(caption="x", inference_steps=64)
    assert not faults(variant=Variant.BASE, caption="x", inference_steps=64)


def test_recordings_are_looked_for_beside_the_prompts(tmp_path: Path):
    (tmp_path / "a.wav").touch()
    fields = {"task_type": "cover", "caption": "x", "src_audio": "a.wav"}
    assert not faults(tmp_path, **fields)
    assert faults(tmp_path / "elsewhere", **fields)
    assert request_of(fields, tmp_path).params.src_audio == str(tmp_path / "a.wav")


def test_the_fields_of_a_line_are_those_of_a_song_and_of_its_run():
    assert {"caption", "seed", "seeds", "batch_size", "audio_format"} <= set(NAMES)


@pytest.mark.parametrize(
    ("request_", "stated"),
    [
        ({"seed": 7}, (7,)),
        ({"seeds": 7}, (7,)),
        ({"seeds": [7, 0], "batch_size": 2}, (7, 0)),
        ({"seed": 1, "seeds": [7, 8], "batch_size": 2}, (7, 8)),
    ],
)
def test_stated_seeds_are_used(request_: dict[str, Any], stated: tuple[int, ...]):
    assert seeds(**request_) == stated


@pytest.mark.parametrize("request_", [{}, {"seed": 5}, {"seed": -1}, {"seeds": [5, -1]}])
def test_seeds_left_to_chance_are_drawn_once(request_: dict[str, Any]):
    drawn = seeds(batch_size=3, **request_)
    assert len(set(drawn)) == 3
    assert all(0 <= seed < 2**32 for seed in drawn)
    assert seeds(batch_size=3, **request_) == drawn
    assert (drawn[0] == 5) == (5 in request_.values() or [5, -1] in request_.values())


def test_other_lines_and_other_batches_have_other_seeds():
    assert len({seeds(), seeds(name="b"), seeds(salt="other")}) == 3

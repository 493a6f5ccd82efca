"""One meaning of "not given" for every field, and the forms that numbers and paths may have."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ace_core.inference import GenerationConfig, GenerationParams
from ace_core.inference.normalize import OPEN_FIELDS, normalized

NAMES = [field.name for field in fields(GenerationParams)]
DEFAULTS = GenerationParams()


@pytest.mark.parametrize("name", NAMES)
def test_none_is_the_default_of_every_field(name: str):
    assert normalized(replace(DEFAULTS, **{name: None})) == DEFAULTS


@pytest.mark.parametrize("name", sorted(OPEN_FIELDS - {"seeds"}))
@pytest.mark.parametrize("mark", [-1, -1.0, "", " ", "unknown", "Unknown", "-1", np.int64(-1)])
def test_what_the_model_chooses_is_open_in_every_spelling(name: str, mark: Any):
    assert normalized(replace(DEFAULTS, **{name: mark})) == DEFAULTS


@pytest.mark.parametrize("name", ["reference_audio", "src_audio", "audio_codes", "caption"])
def test_a_blank_text_is_not_given(name: str):
    assert normalized(replace(DEFAULTS, **{name: "  "})) == DEFAULTS


def test_an_empty_list_is_not_given():
    assert normalized(replace(DEFAULTS, timesteps=[])).timesteps is None
    config = replace(GenerationConfig(), seeds=[])
    assert normalized(config).seeds is None
    assert normalized(replace(config, seeds=-1)).seeds is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("bpm", 128.0, 128),
        ("bpm", "128", 128),
        ("bpm", " 128.0 ", 128),
        ("bpm", np.int64(90), 90),
        ("bpm", np.float32(90), 90),
        ("duration", "30", 30),
        ("duration", np.float64(12.5), 12.5),
        ("seed", "7", 7),
        ("inference_steps", 8.0, 8),
        ("timesignature", 3, "3"),
        ("timesignature", 4.0, "4"),
        ("src_audio", Path("a") / "b.wav", str(Path("a") / "b.wav")),
        ("timesteps", np.array([1.0, 0.5, 0.0]), [1.0, 0.5, 0.0]),
        ("thinking", np.bool_(False), False),
        ("caption", "unknown", "unknown"),
        ("caption", "128", "128"),
        ("lyrics", "-1", "-1"),
    ],
    ids=str,
)
def test_a_value_is_taken_in_the_type_of_its_field(name: str, given: Any, value: Any):
    found = getattr(normalized(replace(DEFAULTS, **{name: given})), name)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given"), [("bpm", 90.5), ("bpm", "fast"), ("caption", 5), ("thinking", 1)]
)
def test_what_has_another_form_is_left_for_the_checks(name: str, given: Any):
    assert getattr(normalized(replace(DEFAULTS, **{name: given})), name) == given


def test_a_run_takes_them_all(make: Any):
    result = make(
        bpm=np.int64(95), reference_audio="", vocal_language=None, timesignature=3, seed="7"
    )
    assert result.success, result.error
    (audio,) = result.audios
    assert (audio["params"]["bpm"], audio["params"]["reference_audio"]) == (95, None)

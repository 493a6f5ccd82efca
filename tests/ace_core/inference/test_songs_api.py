"""The language model's three functions, by their published names."""

from typing import Any

import pytest

from ace_core.constants import LANGUAGES
from ace_core.errors import InvalidRequestError
from ace_core.inference import LLMHandler, create_sample, format_sample, understand_music
from ace_core.inference.lm_calls import song_with_metadata, truncate

CODES = "<|audio_code_123|><|audio_code_456|>"
FREE: dict[str, Any] = {"seed": 20}  # the miniature is brief with it


def test_codes_are_described(lm: LLMHandler):
    found = understand_music(lm, audio_codes=f"{CODES}...", use_constrained_decoding=True, **FREE)
    assert (found.success, found.error) == (True, None)
    assert found.caption
    assert 30 <= (found.bpm or 0) <= 300
    assert 10 <= (found.duration or 0) <= 600
    assert found.keyscale.endswith(("major", "minor"))
    assert found.language in LANGUAGES
    assert found.timesignature in ("2", "3", "4", "6")
    bare = understand_music(lm, audio_codes=CODES, use_constrained_decoding=True, **FREE)
    assert bare == found
    assert len(found.caption) <= 512
    assert len(found.lyrics) <= 4096


def test_what_is_no_code_is_refused(lm: LLMHandler):
    found = understand_music(lm, "a melody")
    assert not found.success
    assert "no audio code" in str(found.error)


def test_an_idea_becomes_a_song_in_the_language_that_was_asked_for(lm: LLMHandler):
    sample = create_sample(lm, query="a soft Bengali love song", vocal_language="bn", **FREE)
    assert sample.success
    assert sample.language == "bn"
    assert sample.caption
    assert not sample.instrumental
    again = create_sample(lm, "a soft Bengali love song", vocal_language="bn", **FREE)
    assert again == sample


def test_an_instrumental_sample_says_that_it_is_one(lm: LLMHandler):
    sample = create_sample(lm, "rain", instrumental=True, vocal_language="unknown", **FREE)
    assert sample.instrumental


def test_a_draft_keeps_the_facts_that_are_stated(lm: LLMHandler):
    facts = {"bpm": 95, "keyscale": "Am", "timesignature": "3", "duration": 30, "language": "es"}
    done = format_sample(
        lm, caption="Latin pop", lyrics="[Verse 1]\nBailando", user_metadata=facts, **FREE
    )
    assert done.success
    assert (done.bpm, done.keyscale, done.timesignature) == (95, "A minor", "3")
    assert (done.duration, done.language) == (30.0, "es")
    assert done.lyrics


def test_a_fact_that_does_not_exist_is_refused_by_its_name(lm: LLMHandler):
    done = format_sample(lm, "pop", "la", user_metadata={"tempo": 95})
    assert "'tempo'" in str(done.error)
    assert "'H'" in str(format_sample(lm, "pop", "la", user_metadata={"keyscale": "H"}).error)


@pytest.mark.parametrize(
    "setting", [{"temperature": 2.5}, {"top_p": 1.5}, {"top_k": -1}, {"repetition_penalty": 0.0}]
)
def test_settings_out_of_range_are_refused_with_what_is_allowed(lm: LLMHandler, setting: dict):
    for result in (
        understand_music(lm, CODES, **setting),
        create_sample(lm, "rain", **setting),
        format_sample(lm, "pop", "la", **setting),
    ):
        assert not result.success
        assert "must be" in str(result.error)


def test_texts_that_are_too_long_are_refused(lm: LLMHandler):
    assert "513" in str(format_sample(lm, "a" * 513, "la").error)
    assert "4097" in str(format_sample(lm, "pop", "a" * 4097).error)
    assert "4097" in str(create_sample(lm, "a" * 4097).error)


def test_without_a_model_every_function_says_what_to_do():
    empty = LLMHandler()
    for result in (
        understand_music(empty, CODES),
        create_sample(empty, "rain"),
        format_sample(empty, "pop", "la"),
    ):
        assert not result.success
        assert "LLMHandler.initialize" in str(result.error)


def test_a_wrong_argument_is_a_programming_error(lm: LLMHandler):
    with pytest.raises(TypeError, match="LLMHandler"):
        understand_music("lm", CODES)  # pyright: ignore
    with pytest.raises(TypeError, match="str"):
        create_sample(lm, None)  # pyright: ignore


def test_a_long_text_is_cut_behind_a_sentence_and_it_is_said():
    text = "First sentence. " + "second " * 10 + "end. " + "third " * 100
    cut, notes = truncate("caption", text, 120)
    assert cut.endswith("end.")
    assert "was cut to 120" in notes[0]
    assert truncate("caption", "short", 120) == ("short", [])
    assert truncate("caption", "x" * 200, 120)[0] == "x" * 120


def test_a_fact_of_user_metadata_is_read_or_refused_by_its_own_name():
    assert song_with_metadata("calm", "", {"bpm": "95", "duration": "30.5"}).bpm == 95
    for name, value in {"bpm": "fast", "duration": "long", "keyscale": 3.5}.items():
        with pytest.raises(InvalidRequestError, match=f"for {name}"):
            song_with_metadata("calm", "", {name: value})

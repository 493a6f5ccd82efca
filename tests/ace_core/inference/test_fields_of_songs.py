"""The document's table, field by field: the words and facts of a song, and what the language model
found of them. Each field is changed alone and has its documented effect, and each is left open."""

import re
from typing import Any

import pytest
import torch

from ace_core.inference import GenerationConfig
from ace_core.prompts import lyric_prompt, text_prompt
from ace_core.types import Song

from .watched import CODES, PLANNING, PLANNING_ALONE, Run, Runs, changes, leaves_open, same

# the miniature chooses a short song with this seed
BRIEF: dict[str, Any] = {
    **PLANNING,
    "lm_cfg_scale": 1.0,
    "config": GenerationConfig(batch_size=1, use_random_seed=False, seeds=[32]),
}
INSTRUCTION = "Fill the audio semantic mask based on the given conditions:"
FACTS = {"bpm": "bpm", "keyscale": "keyscale", "timesignature": "timesignature"}  # lines


def line(run: Run, name: str) -> str:
    """The value of the line `name` of the text prompt."""
    (prompt,) = run.prompts
    found = re.search(rf"^- {name}: (.*)$", prompt, re.MULTILINE)
    assert found is not None
    return found[1]


@changes("caption")
def test_the_caption_is_the_text_that_the_model_reads(runs: Runs):
    run = runs(caption="loud brass")
    assert run.prompts == [text_prompt(Song("loud brass"), INSTRUCTION, 10.0)]
    assert not same(run, runs())


@leaves_open("caption")
def test_without_a_caption_a_song_needs_lyrics(runs: Runs):
    assert "`caption` and `lyrics` are both empty" in str(runs(caption="").result.error)
    run = runs(caption="", lyrics="la la")
    assert run.result.success
    assert "# Caption\n\n\n" in run.prompts[0]


@changes("lyrics")
def test_the_lyrics_are_sung(runs: Runs):
    run = runs(lyrics="[Verse]\nla la")
    assert run.lyric_prompts == [lyric_prompt(Song(lyrics="[Verse]\nla la"))]
    assert not same(run, runs())


@leaves_open("lyrics")
def test_without_lyrics_nobody_sings(runs: Runs):
    assert "[Instrumental]" in runs().lyric_prompts[0]
    assert same(runs(lyrics=None), runs(lyrics="[Instrumental]"))


@changes("instrumental")
def test_an_instrumental_song_has_no_words_whatever_the_lyrics(runs: Runs):
    sung, silent = runs(lyrics="la la"), runs(lyrics="la la", instrumental=True)
    assert "la la" in sung.lyric_prompts[0]
    assert silent.lyric_prompts == runs(lyrics="[Instrumental]").lyric_prompts
    assert same(silent, runs(lyrics="[Instrumental]"))


@leaves_open("instrumental")
def test_unless_it_is_instrumental_a_song_has_its_lyrics(runs: Runs):
    assert same(runs(lyrics="la la", instrumental=None), runs(lyrics="la la"))


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("bpm", 140, "140"),
        ("keyscale", "Am", "A minor"),
        ("keyscale", "F# minor", "F# minor"),
        ("keyscale", "C Major", "C major"),
        ("timesignature", "3", "3"),
        ("timesignature", "6/8", "6"),
    ],
)
@changes("bpm", "keyscale", "timesignature")
def test_a_fact_is_in_the_text_that_the_model_reads(runs: Runs, name: str, value: Any, read: str):
    run = runs(**{name: value})
    assert line(run, name) == read
    assert [line(run, other) for other in FACTS if other != name] == ["N/A", "N/A"]
    assert not same(run, runs())


@pytest.mark.parametrize("name", FACTS)
@leaves_open("bpm", "keyscale", "timesignature")
def test_an_open_fact_is_chosen_by_the_language_model(runs: Runs, name: str):
    assert line(runs(), name) == "N/A"  # nobody was asked
    run = runs(**PLANNING_ALONE)
    assert line(run, name) == str(run.found[name])


@changes("vocal_language")
def test_the_language_stands_before_the_lyrics(runs: Runs):
    run = runs(lyrics="la la", vocal_language="ja")
    assert run.lyric_prompts[0].startswith("# Languages\nja\n")
    assert not same(run, runs(lyrics="la la"))
    planned = runs(lyrics="la la", vocal_language="ja", **PLANNING_ALONE)
    assert planned.found["language"] == "ja"


@leaves_open("vocal_language")
def test_an_open_language_is_found_by_the_language_model(runs: Runs):
    assert runs(lyrics="la la").lyric_prompts[0].startswith("# Languages\nunknown\n")
    run = runs(lyrics="la la", **PLANNING_ALONE)
    assert run.lyric_prompts[0].startswith(f"# Languages\n{run.found['language']}\n")
    assert run.found["language"] != "unknown"


@changes("duration")
def test_a_song_is_as_long_as_its_duration(runs: Runs):
    run = runs(duration=11.2, decoded=True)
    assert run.sound().shape == (2, round(11.2 * 48_000))
    assert line(run, "duration") == "11 seconds"


@leaves_open("duration")
@pytest.mark.parametrize("nothing", [0, -1, None])
def test_an_open_duration_is_chosen_by_the_language_model(runs: Runs, nothing: Any):
    assert "nobody chooses one" in str(runs(duration=nothing).result.error)
    run = runs(duration=nothing, **BRIEF)
    assert 10 <= run.found["duration"] <= 600
    assert run.latents.shape[1] == run.found["duration"] * 25
    assert line(run, "duration") == f"{run.found['duration']} seconds"


GIVEN: dict[str, Any] = {
    "cot_bpm": 77,
    "cot_keyscale": "B minor",
    "cot_timesignature": "6",
    "cot_duration": 12.0,
    "cot_vocal_language": "ko",
    "cot_caption": "slow strings",
    "cot_lyrics": "na na",
}


@pytest.mark.parametrize("name", GIVEN)
@changes(*GIVEN)
def test_what_is_written_into_a_found_field_is_replaced_by_the_run(runs: Runs, name: str):
    run = runs.again(**{name: GIVEN[name]})
    assert same(run, runs())
    assert getattr(run.params, name) == getattr(runs().params, name)
    assert run.item()[name] == getattr(runs().params, name)


@changes("cot_bpm", "cot_keyscale", "cot_timesignature", "cot_vocal_language")
def test_a_found_field_holds_what_the_language_model_found(runs: Runs):
    run = runs(**PLANNING_ALONE)
    assert run.params.cot_bpm == run.found["bpm"]
    assert run.params.cot_keyscale == run.found["keyscale"]
    assert run.params.cot_timesignature == run.found["timesignature"]
    assert run.params.cot_vocal_language == run.found["language"]
    assert run.params.cot_duration is None  # it was given


@changes("cot_duration")
def test_a_found_duration_is_that_of_the_song(runs: Runs):
    run = runs(duration=-1, **BRIEF)
    assert run.params.cot_duration == run.found["duration"] == run.latents.shape[1] / 25


@changes("cot_caption")
def test_a_found_caption_is_the_one_that_the_model_reads(runs: Runs):
    run = runs(**{**PLANNING_ALONE, "use_cot_caption": True})
    assert run.params.cot_caption == run.found["caption"] != ""
    assert run.params.caption == "calm piano"
    assert f"# Caption\n{run.params.cot_caption[:40]}" in run.prompts[0]


@changes("cot_lyrics")
def test_found_lyrics_stay_empty(runs: Runs):
    run = runs(**PLANNING_ALONE, use_cot_lyrics=True, lyrics="la la")
    assert run.params.cot_lyrics == ""
    assert "la la" in run.lyric_prompts[0]


@pytest.mark.parametrize("name", GIVEN)
@leaves_open(*GIVEN)
def test_a_found_field_is_empty_where_nothing_was_found(runs: Runs, name: str):
    assert getattr(runs().params, name) in (None, "", "unknown")
    nothing: dict[str, Any] = {name: None}
    assert same(runs.again(**nothing), runs())


@changes("audio_codes")
def test_codes_are_followed_and_decide_the_length(runs: Runs):
    run = runs(audio_codes=CODES + "<|audio_code_9|>" * 5)
    assert run.latents.shape[1] == 55 * 5
    assert not torch.equal(run.forwards[0].context[:, :250], runs().forwards[0].context)
    numbers = " ".join(str(code) for code in [*range(100, 150), *[9] * 5])
    assert same(runs(audio_codes=numbers), run)


@leaves_open("audio_codes")
def test_open_codes_are_written_by_the_language_model_or_there_are_none(runs: Runs):
    assert runs(audio_codes="").item()["audio_codes"] == ""
    run = runs(**PLANNING)
    assert run.item()["audio_codes"].count("<|audio_code_") == 50
    assert len(run.writings[-1].tokens[0]) == 50

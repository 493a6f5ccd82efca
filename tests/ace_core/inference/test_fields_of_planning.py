"""The document's table, field by field: the language model and `GenerationConfig`. Each field is
changed alone and has its documented effect, and each is left open."""

import logging
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import av
import pytest
import torch

from ace_core.inference import GenerationConfig
from ace_core.inference.normalize import normalized
from ace_core.lm.prompts import uncond_prompt
from tests.rounding import assert_same

from .conftest import ONE
from .watched import PLANNING, PLANNING_ALONE, Run, Runs, changes, leaves_open, same

FACTS = {"bpm", "keyscale", "timesignature", "duration"}
UNGUIDED: dict[str, Any] = {**PLANNING, "lm_cfg_scale": 1.0}
OFF = {"use_cot_metas": False, "use_cot_caption": False, "use_cot_language": False}
TWO = replace(ONE, batch_size=2, seeds=[7, 8])


def codes(run: Run, index: int = 0) -> str:
    return run.item(index)["audio_codes"]


def first_code_logits(run: Run) -> torch.Tensor:
    """Of the first of the 50 codes."""
    return run.logits[-50]


@changes("thinking")
def test_thinking_asks_for_facts_and_codes(runs: Runs):
    run = runs(**PLANNING)
    assert len(run.writings) == 2
    assert set(run.found) == FACTS | {"language"}
    assert codes(run).count("<|audio_code_") == 50
    without = runs(thinking=False)
    assert (without.writings, without.found, codes(without)) == ([], None, "")


@leaves_open("thinking")
def test_unless_it_is_off_there_is_thinking(runs: Runs):
    run = runs(thinking=None, use_cot_caption=False)
    assert len(run.writings) == 2
    assert codes(run) == codes(runs(**PLANNING))


@changes("lm_temperature")
def test_at_temperature_0_the_likeliest_code_is_taken(runs: Runs):
    run = runs(**UNGUIDED, lm_temperature=0.0)
    assert all(
        int(drawn) == int(row.argmax()) for row, drawn in zip(run.logits, run.drawn, strict=True)
    )
    other = runs(**UNGUIDED, lm_temperature=0.0, config=replace(ONE, seeds=[8]))
    assert codes(run) == codes(other)
    warm = runs(**UNGUIDED, config=TWO)
    assert codes(warm, 0) != codes(warm, 1)
    assert "0 to 2" in str(runs(lm_temperature=2.1).result.error)


@changes("lm_top_k")
def test_every_code_is_among_the_k_likeliest(runs: Runs):
    def rank(run: Run) -> int:
        return max(
            int((row > row[0, drawn]).sum())
            for row, drawn in zip(run.logits[-50:], run.drawn[-50:], strict=True)
        )

    assert rank(runs(**UNGUIDED, lm_top_k=3, lm_temperature=2.0)) < 3
    assert rank(runs(**UNGUIDED, lm_top_k=0, lm_temperature=2.0)) > 3
    assert codes(runs(**UNGUIDED, lm_top_k=1)) == codes(runs(**UNGUIDED, lm_temperature=0.0))


@changes("lm_top_p")
def test_every_code_is_in_the_nucleus(runs: Runs):
    def share_above(run: Run) -> float:
        """The largest share that stands above a drawn code."""
        shares = []
        for row, drawn in zip(run.logits[-50:], run.drawn[-50:], strict=True):
            probs = (row[0] / 2).softmax(dim=-1)
            shares.append(float(probs[probs > probs[drawn]].sum()))
        return max(shares)

    assert share_above(runs(**UNGUIDED, lm_top_p=0.3, lm_temperature=2.0)) <= 0.3
    assert share_above(runs(**UNGUIDED, lm_top_p=1.0, lm_temperature=2.0)) > 0.3
    assert codes(runs(**UNGUIDED, lm_top_p=0.0)) == codes(runs(**UNGUIDED, lm_temperature=0.0))


@changes("lm_cfg_scale")
def test_guidance_of_the_codes_leads_further_in_proportion_to_its_scale(runs: Runs):
    at = {s: first_code_logits(runs(**PLANNING, lm_cfg_scale=s)).double() for s in (1.0, 2.0, 4.0)}
    torch.testing.assert_close(at[4.0] - at[1.0], 3 * (at[2.0] - at[1.0]), atol=1e-4, rtol=0)
    assert (at[2.0] - at[1.0]).abs().max() > 0.01
    assert runs(**PLANNING, lm_cfg_scale=1.0).writings[-1].uncond_prompts == ("",)
    assert "1 or above" in str(runs(lm_cfg_scale=0.5).result.error)


@changes("lm_negative_prompt")
def test_guidance_leads_away_from_the_negative_prompt(runs: Runs):
    run = runs(**PLANNING, lm_negative_prompt="loud drums")
    assert run.writings[-1].uncond_prompts == (uncond_prompt("loud drums"),)
    assert not torch.equal(first_code_logits(run), first_code_logits(runs(**PLANNING)))
    unguided = runs(**UNGUIDED, lm_negative_prompt="loud drums")
    assert codes(unguided) == codes(runs(**UNGUIDED))


@leaves_open("lm_negative_prompt")
@pytest.mark.parametrize("nothing", [None, "", "NO USER INPUT"])
def test_without_a_negative_prompt_it_is_nothing_in_particular(runs: Runs, nothing: Any):
    run = runs(**PLANNING, lm_negative_prompt=nothing)
    assert run.writings[-1].uncond_prompts == (uncond_prompt("NO USER INPUT"),)


DEFAULTS = {"lm_temperature": 0.85, "lm_top_k": 0, "lm_top_p": 0.9, "lm_cfg_scale": 2.0}


@pytest.mark.parametrize("name", DEFAULTS)
@leaves_open(*DEFAULTS)
def test_an_open_setting_of_the_language_model_is_the_documented_one(runs: Runs, name: str):
    nothing: dict[str, Any] = {name: None}
    given: dict[str, Any] = {name: DEFAULTS[name]}
    assert codes(runs(**PLANNING, **nothing)) == codes(runs(**PLANNING, **given))


@changes("use_cot_metas")
def test_without_metas_no_fact_is_found(runs: Runs):
    without = runs(**{**PLANNING_ALONE, "use_cot_metas": False})
    assert set(without.found) == {"duration", "language"}  # the duration was given
    assert "- bpm: N/A\n" in without.prompts[0]


@changes("use_cot_language")
def test_without_the_switch_no_language_is_found(runs: Runs):
    without = runs(**{**PLANNING_ALONE, "use_cot_language": False})
    assert set(without.found) == FACTS
    assert "# Languages\nunknown\n" in without.lyric_prompts[0]


@changes("use_cot_caption")
def test_with_the_switch_the_caption_is_worded_anew(runs: Runs):
    run = runs(**{**PLANNING_ALONE, **OFF, "use_cot_caption": True})
    assert set(run.found) == {"duration", "caption"}
    assert "# Caption\ncalm piano\n" not in run.prompts[0]
    without = runs(**PLANNING_ALONE)
    assert "caption" not in without.found
    assert "# Caption\ncalm piano\n" in without.prompts[0]


@pytest.mark.parametrize("name", OFF)
@leaves_open(*OFF)
def test_unless_a_switch_is_off_it_is_on(runs: Runs, name: str):
    alone = {**PLANNING_ALONE, **OFF}
    assert runs(**{**alone, name: None}).found == runs(**{**alone, name: True}).found
    assert runs(**alone).writings == []


@changes("use_cot_lyrics")
@leaves_open("use_cot_lyrics")
def test_the_reserved_switch_does_nothing_and_says_so(runs: Runs):
    run = runs(use_cot_lyrics=True, lyrics="la la")
    assert "`use_cot_lyrics` is not used" in run.status
    for off in (False, None):
        without = runs(use_cot_lyrics=off, lyrics="la la")
        assert same(run, without)
        assert "use_cot_lyrics" not in without.status


@changes("use_constrained_decoding")
def test_constrained_decoding_keeps_to_fields_that_exist(runs: Runs):
    kept = runs(**PLANNING_ALONE)
    assert 30 <= kept.found["bpm"] <= 300
    assert kept.found["timesignature"] in ("2", "3", "4", "6")
    free = runs(**PLANNING_ALONE, use_constrained_decoding=False)
    assert free.writings[0].tokens != kept.writings[0].tokens
    assert free.logits[0].shape[-1] > kept.logits[0].shape[-1]  # any token may be drawn
    assert not FACTS - {"duration"} & set(free.found)  # the miniature rambles


@leaves_open("use_constrained_decoding")
def test_unless_it_is_off_decoding_is_constrained(runs: Runs):
    assert (
        runs(**PLANNING_ALONE, use_constrained_decoding=None).found == runs(**PLANNING_ALONE).found
    )


@changes("batch_size")
def test_there_are_as_many_songs_as_the_batch_is_large(runs: Runs):
    run = runs(config=replace(ONE, batch_size=3))
    assert len(run.result.audios) == len(run.latents) == 3
    for size in (0, 9):
        assert "1 to 8" in str(runs(config=replace(ONE, batch_size=size)).result.error)


@changes("seeds")
def test_each_song_begins_from_its_seed_and_missing_ones_are_drawn(runs: Runs):
    run = runs(config=replace(TWO, batch_size=3))
    seeds = [audio["params"]["seed"] for audio in run.result.audios]
    assert seeds[:2] == [7, 8]
    assert seeds[2] not in seeds[:2]
    assert_same(run.latents[1:2], runs(config=replace(ONE, seeds=[8])).latents)
    number = runs(config=replace(ONE, seeds=8))
    assert number.item()["seed"] == 8


@leaves_open("seeds")
@pytest.mark.parametrize("nothing", [None, [], -1])
def test_without_seeds_the_seed_of_the_song_counts(runs: Runs, nothing: Any):
    run = runs(config=replace(ONE, seeds=nothing), seed=5)
    assert run.item()["seed"] == 5


@changes("use_random_seed")
def test_random_seeds_take_the_place_of_given_ones(runs: Runs):
    config = replace(ONE, use_random_seed=True)
    one, other = runs.again(config=config), runs.again(config=config)
    assert len({7, one.item()["seed"], other.item()["seed"]}) == 3
    assert "`seeds` is not used" in one.status


@leaves_open("use_random_seed")
def test_unless_it_is_off_seeds_are_random(runs: Runs):
    config = replace(ONE, use_random_seed=None)  # type: ignore[arg-type]
    assert runs.again(config=config).item()["seed"] != 7


@changes("allow_lm_batch")
def test_songs_are_written_side_by_side_with_the_same_codes(runs: Runs):
    one_by_one = runs(config=TWO, **UNGUIDED)
    together = runs(config=replace(TWO, allow_lm_batch=True), **UNGUIDED)
    assert [len(each.prompts) for each in one_by_one.writings] == [1, 1, 1]
    assert [len(each.prompts) for each in together.writings] == [1, 2]
    assert [codes(one_by_one, i) for i in (0, 1)] == [codes(together, i) for i in (0, 1)]


@changes("lm_batch_chunk_size")
def test_a_chunk_holds_so_many_songs(runs: Runs):
    three = replace(TWO, batch_size=3, allow_lm_batch=True)
    run = runs(config=replace(three, lm_batch_chunk_size=2), **UNGUIDED)
    assert [len(each.prompts) for each in run.writings] == [1, 2, 1]
    assert "1 or above" in str(runs(config=replace(ONE, lm_batch_chunk_size=0)).result.error)


@changes("constrained_decoding_debug")
@leaves_open("constrained_decoding_debug")
def test_debug_writes_each_token_with_its_field_into_the_log(
    runs: Runs, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "ace_core.lm.decoding"):
        runs.again(config=replace(ONE, constrained_decoding_debug=None), **PLANNING_ALONE)  # type: ignore[arg-type]
        assert not any("token " in message for message in caplog.messages)
        runs.again(config=replace(ONE, constrained_decoding_debug=True), **PLANNING_ALONE)
    for name in ("bpm", "key", "time_signature"):
        assert any(f"item 0, {name}: " in message for message in caplog.messages)


CODECS = {"flac": "flac", "wav": "pcm_s24le", "mp3": "mp3", "opus": "opus", "aac": "aac"}
CODECS["wav32"] = "pcm_f32le"
SUFFIXES = {"aac": ".m4a", "wav32": ".wav"}


def codec(path: Path) -> str:
    with av.open(path) as container:
        return container.streams.audio[0].codec_context.name.removesuffix("float")


@pytest.mark.parametrize("audio_format", CODECS)
@changes("audio_format")
def test_a_song_is_saved_in_its_format(runs: Runs, tmp_path: Path, audio_format: str):
    run = runs(config=replace(ONE, audio_format=audio_format), save_dir=str(tmp_path))
    path = Path(run.result.audios[0]["path"])
    assert path.suffix == SUFFIXES.get(audio_format, f".{audio_format}")
    assert codec(path) in (CODECS[audio_format], f"lib{CODECS[audio_format]}")


@leaves_open("audio_format")
def test_without_a_format_it_is_flac(runs: Runs, tmp_path: Path):
    run = runs(config=replace(ONE, audio_format=None), save_dir=str(tmp_path))  # type: ignore[arg-type]
    assert codec(Path(run.result.audios[0]["path"])) == "flac"


def test_every_open_setting_of_the_run_is_its_default():
    names = [field.name for field in fields(GenerationConfig)]
    assert normalized(GenerationConfig(**dict.fromkeys(names))) == GenerationConfig()  # type: ignore[arg-type]


@leaves_open("batch_size")
def test_without_a_number_two_songs_are_made(runs: Runs):
    run = runs(config=replace(ONE, batch_size=None))  # type: ignore[arg-type]
    assert len(run.result.audios) == 2


@leaves_open("allow_lm_batch")
def test_unless_it_is_allowed_songs_are_written_one_by_one(runs: Runs):
    three = replace(ONE, batch_size=3, allow_lm_batch=None)  # type: ignore[arg-type]
    written = runs(config=three, **UNGUIDED).writings
    assert [len(each.prompts) for each in written] == [1, 1, 1, 1]


@leaves_open("lm_batch_chunk_size")
def test_without_a_number_a_chunk_holds_eight_songs(runs: Runs):
    most = replace(ONE, batch_size=8, allow_lm_batch=True, lm_batch_chunk_size=None)  # type: ignore[arg-type]
    written = runs(config=most, **UNGUIDED).writings
    assert [len(each.prompts) for each in written] == [1, 8]

"""Think, compose, understand, create and format: what goes in comes out, and what is refused."""

import logging
from dataclasses import replace

import pytest

from ace_core.errors import InvalidRequestError, InvalidSongError
from ace_core.lm import prompts
from ace_core.lm.decoding import Request, decode
from ace_core.lm.functions import (
    CodesOptions,
    TextOptions,
    compose_codes,
    create_sample,
    format_sample,
    think,
    understand,
)
from ace_core.lm.metadata import Metadata
from ace_core.lm.plan import CotFields, Plan
from ace_core.lm.sampling import SamplingParams
from ace_core.timing import codes_for
from ace_core.types import AudioCodes, Song

PIANO = Song("calm piano", "[Instrumental]", seconds=10.0)
FACTS = Song("x", "la", 12.3, bpm=90, key="C major", time_signature=4, language="de")
HOT = TextOptions(SamplingParams(temperature=2.0, top_p=1.0), max_tokens=1_500)


def test_thinking_fills_every_open_field(lm):
    plan = think(lm, PIANO, options=HOT)
    song = plan.filled
    assert None not in (song.bpm, song.key, song.time_signature, song.language)
    assert song.seconds == 10.0
    assert song.lyrics == PIANO.lyrics
    assert song.caption == plan.metadata.caption != PIANO.caption
    assert plan.song == PIANO
    assert plan.warnings == ()


def test_given_values_are_written_and_kept(lm):
    plan = think(lm, FACTS, options=HOT)
    assert plan.text.startswith("<think>\nbpm: 90\ncaption:")
    assert plan.text.endswith("\nduration: 12\nkeyscale: C major\nlanguage: de\ntimesignature: 4\n")
    assert replace(plan.filled, caption=FACTS.caption) == FACTS
    assert plan.seconds == 12.3


def test_each_part_of_thinking_can_be_switched_off(lm):
    for name in ("caption", "language"):
        plan = think(lm, PIANO, replace(CotFields(), **{name: False}), HOT)
        assert getattr(plan.metadata, name) is None
        assert f"\n{name}:" not in plan.text
        assert plan.metadata.bpm is not None
    plan = think(lm, PIANO, CotFields(metadata=False), HOT)
    assert plan.metadata.caption and plan.metadata.language
    assert (plan.metadata.bpm, plan.metadata.key, plan.metadata.time_signature) == (None,) * 3
    assert plan.metadata.seconds == 10


def test_without_open_fields_the_model_does_not_run(lm):
    steps = []
    options = replace(HOT, on_step=steps.append)
    nothing = CotFields(metadata=False, caption=False, language=False)
    assert think(lm, PIANO, nothing, options) == Plan(PIANO, Metadata(seconds=10))
    plan = think(lm, FACTS, CotFields(caption=False), options)
    assert plan.metadata == Metadata.of(FACTS)
    assert steps == []


def test_the_language_unknown_counts_as_not_given(lm):
    plan = think(lm, replace(PIANO, language="unknown"), options=HOT)
    assert plan.text == think(lm, PIANO, options=HOT).text
    assert plan.filled.language == plan.metadata.language
    skipped = think(lm, replace(PIANO, language="unknown"), CotFields(language=False), HOT)
    assert skipped.metadata.language == "unknown"


def test_unconstrained_thinking_is_parsed_with_warnings(lm):
    options = TextOptions(constrained=False, max_tokens=60)
    plan = think(lm, PIANO, options=options)
    assert plan.metadata.seconds == 10
    assert plan.warnings == ("no metadata was written",)


def test_a_truncated_reply_has_a_warning_and_a_whole_one_has_none(lm):
    cut = think(lm, PIANO, options=TextOptions(max_tokens=20))
    assert cut.metadata.bpm is not None
    assert cut.warnings == ("the reply was cut after 20 tokens",)
    whole = understand(lm, AudioCodes((1,)), HOT)
    length = len(lm.vocabulary.encode(whole.text))
    assert understand(lm, AudioCodes((1,)), replace(HOT, max_tokens=length)).reply.warnings == ()


@pytest.mark.parametrize("seconds", [10.0, 12.3, 10.19])
def test_codes_are_five_per_second_rounded_down(lm, seconds):
    (codes,) = compose_codes(lm, [Plan(replace(PIANO, seconds=seconds), Metadata())])
    assert len(codes) == codes_for(seconds)


def test_the_generated_length_counts_where_none_is_given(lm):
    song = replace(PIANO, seconds=None)
    (codes,) = compose_codes(lm, [Plan(song, Metadata(seconds=11))])
    assert len(codes) == 55


def test_codes_come_from_the_prompts_of_the_layout(lm):
    metadata = Metadata(bpm=90, seconds=10)
    plan = Plan(PIANO, metadata)
    caption, lyrics = PIANO.caption, PIANO.lyrics
    layouts = {
        False: (
            prompts.codes_prompt(caption, lyrics, metadata),
            prompts.uncond_prompt("noise"),
        ),
        True: (
            prompts.legacy_codes_prompt(caption, lyrics, metadata),
            prompts.legacy_uncond_prompt(caption, lyrics, "noise"),
        ),
    }
    for legacy, texts in layouts.items():
        prompt, uncond = (tuple(lm.vocabulary.encode(text)) for text in texts)
        request = Request(prompt, lm.grammar.codes(50), 4, 50, uncond)
        (ids,) = decode(lm, [request], SamplingParams(), 2.0)
        options = CodesOptions(seeds=(4,), negative_prompt="noise", legacy_prompt=legacy)
        (codes,) = compose_codes(lm, [plan], options)
        assert list(codes.values) == [token - lm.vocabulary.codes.start for token in ids]


def test_instrumental_lyrics_become_the_trained_tag(lm):
    for lyrics in ("", "[inst]", " [INSTRUMENTAL] "):
        plans = [Plan(replace(PIANO, lyrics=lyrics), Metadata())]
        assert compose_codes(lm, plans) == compose_codes(lm, [Plan(PIANO, Metadata())])


def test_a_batch_of_songs_equals_each_song_alone(lm):
    other = Song("loud drums and a longer caption", "la la", seconds=11.0)
    plans = [Plan(PIANO, Metadata()), Plan(PIANO, Metadata()), Plan(other, Metadata())]
    alone = [
        compose_codes(lm, [plan], CodesOptions(seeds=(seed,)))[0]
        for plan, seed in zip(plans, (1, 2, 3), strict=True)
    ]
    assert alone[0] != alone[1]
    for chunk in (1, 2, 8):
        assert compose_codes(lm, plans, CodesOptions(seeds=(1, 2, 3), chunk=chunk)) == alone


def test_progress_runs_over_all_chunks(lm):
    steps = []
    options = CodesOptions(seeds=(1, 2, 3), chunk=2, on_step=steps.append)
    compose_codes(lm, [Plan(PIANO, Metadata())] * 3, options)
    assert [step.done for step in steps] == list(range(1, 101))
    assert {step.total for step in steps} == {100}


@pytest.mark.parametrize("count", [0, 9])
def test_batches_of_none_and_of_nine_are_refused(lm, count):
    plans = [Plan(PIANO, Metadata())] * count
    with pytest.raises(InvalidRequestError, match=rf"Codes for {count} songs.*1 to 8"):
        compose_codes(lm, plans, CodesOptions(seeds=tuple(range(count))))


def test_every_song_needs_its_own_seed(lm):
    with pytest.raises(InvalidRequestError, match="1 seeds for 2 songs"):
        compose_codes(lm, [Plan(PIANO, Metadata())] * 2)
    with pytest.raises(InvalidRequestError, match="chunk size is 0"):
        compose_codes(lm, [Plan(PIANO, Metadata())], CodesOptions(chunk=0))


def test_understanding_describes_the_whole_song(lm):
    sample = understand(lm, AudioCodes((1, 2, 3)), HOT)
    song = sample.song
    assert None not in (song.bpm, song.key, song.time_signature, song.language, song.seconds)
    assert song.caption
    assert "</think>" in sample.text
    other = understand(lm, AudioCodes((1, 2, 4)), HOT)
    assert other.text != sample.text  # the codes are in the prompt


def test_creating_keeps_the_language_and_the_instrumental_tag(lm):
    sample = create_sample(lm, "a duet", instrumental=True, language="de", options=HOT)
    assert "\nlanguage: de\n" in sample.text
    assert sample.song.language == "de"
    short = TextOptions(constrained=False, max_tokens=20)
    assert create_sample(lm, "a duet", instrumental=True, options=short).song.instrumental
    assert sample.song.instrumental
    assert sample.reply.lyrics  # it wrote words all the same
    assert create_sample(lm, "a duet", options=short, seconds=20.0).song.seconds == 20.0
    unknown = create_sample(lm, "a duet", language="unknown", options=HOT)
    assert unknown.text == create_sample(lm, "a duet", options=HOT).text


def test_formatting_keeps_given_values_and_falls_back_to_the_given_text(lm):
    sample = format_sample(lm, FACTS, HOT)
    assert (sample.song.bpm, sample.song.key, sample.song.language) == (90, "C major", "de")
    assert sample.song.seconds == 12.3
    assert "\nlanguage: de\n" in sample.text
    blank = format_sample(lm, FACTS, TextOptions(constrained=False, max_tokens=5))
    assert blank.song == FACTS


def test_a_query_too_long_for_the_model_is_refused(lm):
    with pytest.raises(InvalidRequestError, match="100000 characters, but at most 4096"):
        create_sample(lm, "x" * 100_000)


def test_codes_too_many_for_the_model_are_refused(lm):
    with pytest.raises(InvalidRequestError, match=r"39\d\d\d tokens and 3500 .*Shorten"):
        understand(lm, AudioCodes((5,) * 39_000))


def test_long_captions_and_lyrics_are_planned_whole_with_a_warning(lm, caplog):
    with caplog.at_level(logging.WARNING):
        song = Song("c" * 513, "l" * 4_097, seconds=10.0)
    assert [record.args[1] for record in caplog.records] == [513, 4_097]
    (codes,) = compose_codes(lm, [Plan(song, Metadata())])
    assert len(codes) == 50


def test_a_length_that_no_model_plays_is_refused():
    with pytest.raises(InvalidSongError, match="9 seconds"):
        replace(PIANO, seconds=9.0)

"""Nodes that plan, compose and describe, run by the host at hand on the miniature."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.nodes.lm_prompts import (
    TEXT,
    Run,
    codes_of,
    complaint,
    compose,
    create,
    load_lm,
    node,
    runner,
    shown,
    song,
    think,
    value,
)
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

pytestmark = pytest.mark.usefixtures("brief")


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path) -> Run:
    return runner(pack)


def test_thinking_fills_what_is_open_and_keeps_what_is_stated(run: Run) -> None:
    found = run("think", song=song(bpm=97, key="F# minor"), think=think(seed=10))
    filled = value(found, "think")
    assert (filled.bpm, filled.key, filled.seconds) == (97, "F# minor", 10.0)
    assert filled.lyrics == "[Verse]\nla"
    assert filled.caption not in ("", "calm piano")
    assert filled.time_signature in (2, 3, 4, 6)
    assert filled.language is not None
    assert "keyscale: F# minor" in value(found, "think", 1)
    assert "bpm: 97" in value(found, "think", 2)


def test_metadata_is_left_open_when_it_is_not_wanted(run: Run) -> None:
    filled = value(run("think", song=song(), think=think(metadata=False)), "think")
    assert (filled.bpm, filled.key, filled.time_signature) == (None, None, None)
    assert filled.caption != "calm piano"


def test_the_caption_stays_when_no_other_is_wanted(run: Run) -> None:
    filled = value(run("think", song=song(), think=think(caption=False)), "think")
    assert filled.caption == "calm piano"
    assert filled.bpm is not None


def test_the_language_stays_open_when_it_is_not_wanted(run: Run) -> None:
    filled = value(run("think", song=song(), think=think(language=False)), "think")
    assert filled.language is None
    assert filled.bpm is not None


def test_nothing_is_thought_when_nothing_is_wanted(run: Run, rooms: list[float]) -> None:
    off = think(metadata=False, caption=False, language=False)
    found = run("think", song=song(bpm=88), think=off)
    assert value(found, "think", 2) == ""
    assert value(found, "think").bpm == 88
    assert rooms == []


def test_the_same_seed_thinks_the_same_and_another_does_not(run: Run) -> None:
    texts = [
        value(run("think", song=song(bpm=bpm), think=think(seed=seed)), "think", 2)
        for seed, bpm in ((12, 0), (20, 0), (12, 30), (12, 0))  # the host keeps its last answers
    ]
    assert texts[0] == texts[3]
    assert texts[0] != texts[1]


@pytest.mark.parametrize(("seconds", "count"), [(10.0, 50), (10.3, 51), (12.39, 61)])
def test_a_song_has_five_codes_a_second(run: Run, seconds: float, count: int) -> None:
    (codes,) = value(run("codes", song=song(seconds=seconds), codes=compose()), "codes")
    assert len(codes) == count


def test_a_variation_is_the_same_alone_and_among_others(run: Run) -> None:
    several = run("codes", song=song(), codes=compose(batch_size=3))
    report = value(several, "codes", 1).splitlines()
    seeds = [int(line.rsplit(" ", 1)[1]) for line in report]
    assert seeds[0] == 1
    assert len(set(value(several, "codes"))) == 3
    for variation, seed in zip(value(several, "codes"), seeds, strict=True):
        (alone,) = value(run("codes", song=song(), codes=compose(seed=seed)), "codes")
        assert alone == variation
    chunked = run("codes", song=song(), codes=compose(batch_size=3, chunk_size=2))
    assert value(chunked, "codes") == value(several, "codes")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"cfg": 1.0},
        {"cfg": 4.0},
        {"temperature": 0.0},
        {"top_p": 0.3},
        {"top_k": 3},
        {"min_p": 0.5},
        {"negative_prompt": "drums"},
        {"legacy_prompt": True},
    ],
    ids=str,
)
def test_every_setting_changes_the_codes(run: Run, change: dict[str, Any]) -> None:
    plain = value(run("codes", song=song(), codes=compose()), "codes")
    changed = value(run("codes", song=song(), codes=compose(**change)), "codes")
    assert changed != plain
    assert len(changed[0]) == len(plain[0])


def test_a_repetition_penalty_reaches_the_codes(run: Run) -> None:
    """At temperature 0 and a high penalty, no code is written twice."""
    greedy = {"temperature": 0.0, "cfg": 1.0}
    often = value(run("codes", song=song(), codes=compose(**greedy)), "codes")[0]
    once = compose(**greedy, repetition_penalty=10.0)
    rare = value(run("codes", song=song(), codes=once), "codes")[0]
    assert rare != often
    assert len(set(rare.values)) >= len(set(often.values))


def test_codes_are_written_from_the_users_caption_with_the_models_as_a_thought(
    run: Run, pack: Pack
) -> None:
    found = run("codes", song=song(), think=think(), codes=compose("think"))
    lm, thought = value(found, "lm"), value(found, "think")
    functions = pack.submodule("ace_core.lm.functions")
    metadata = pack.submodule("ace_core.lm.metadata").Metadata
    plan = pack.submodule("ace_core.lm.plan").Plan
    asked = value(found, "song")
    found_out = metadata.of(thought)
    found_out = type(found_out)(**values(found_out) | {"caption": thought.caption})
    options = functions.CodesOptions(seeds=(1,))
    expected = functions.compose_codes(lm, [plan(asked, found_out)], options)
    assert list(value(found, "codes")) == expected
    mistaken = functions.compose_codes(lm, [plan(thought, found_out)], options)
    assert mistaken != expected


def test_a_song_that_was_changed_after_thinking_forgets_its_plan(run: Run, pack: Pack) -> None:
    from dataclasses import replace

    songs = pack.submodule("nodes.song")
    thought = value(run("think", song=song(), think=think()), "think")
    assert songs.plan_of(thought).song.caption == "calm piano"
    changed = replace(thought, bpm=111 if thought.bpm != 111 else 112)
    assert songs.plan_of(changed).song.caption == thought.caption
    assert songs.plan_of(changed).metadata.bpm == changed.bpm
    assert songs.without_plan(changed).bpm == changed.bpm


def values(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in fields(thing)}


def test_the_host_is_asked_for_the_memory_of_each_run(run: Run, rooms: list[float]) -> None:
    value(run("codes", song=song(seconds=11.0), codes=compose(seed=77)), "codes")
    value(run("codes", song=song(seconds=22.0), codes=compose(seed=77)), "codes")
    assert len(rooms) == 2
    # 2 rows, 2 layers, keys and values of 2 heads of 16, in float32, for 55 codes more
    assert rooms[1] - rooms[0] == 55 * 2 * 2 * 2 * 2 * 16 * 4


def test_a_sample_is_a_whole_song_and_keeps_what_was_asked_for(run: Run) -> None:
    found = run("sample", sample=create(language="de", seconds=20.0, seed=2))
    sample = value(found, "sample")
    assert (sample.language, sample.seconds) == ("de", 20.0)
    assert sample.caption
    assert sample.bpm
    assert sample.key
    assert sample.time_signature
    assert "language: de" in value(found, "sample", 1)
    assert "</think>" in value(found, "sample", 2)


def test_an_instrumental_sample_has_nobody_singing(run: Run, pack: Pack) -> None:
    prompts = pack.submodule("ace_core.lm.prompts")
    assert prompts.create_prompt("x", True) != prompts.create_prompt("x", False)
    sung = value(run("sample", sample=create()), "sample", 2)
    played = value(run("sample", sample=create(instrumental=True)), "sample", 2)
    assert sung != played


def test_formatting_keeps_what_the_song_states(run: Run) -> None:
    found = run(
        "better",
        song=song(bpm=64, language="fr"),
        better=node("FormatSample", lm=["lm", 0], song=["song", 0], **TEXT | {"seed": 5}),
    )
    better = value(found, "better")
    assert (better.bpm, better.language, better.seconds) == (64, "fr", 10.0)
    assert better.caption not in ("", "calm piano")


def test_each_of_several_pieces_can_be_understood(run: Run) -> None:
    def heard(item: int, codes: str) -> Outcome:
        listen = node("Understand", lm=["lm", 0], codes=["codes", 0], item=item, **TEXT)
        return run("heard", codes=codes_of(codes), heard=listen)

    second = value(heard(2, "1 2 3\n\n4 5 6"), "heard", 2)
    assert second == value(heard(1, "4 5 6"), "heard", 2)
    assert second != value(heard(1, "1 2 3\n\n4 5 6"), "heard", 2)
    assert "Set `item` to 1 to 2" in complaint(heard(3, "1 2 3\n\n4 5 6"))


def test_without_the_grammar_what_cannot_be_read_is_said(run: Run) -> None:
    found = run("think", song=song(), think=think(constrained_decoding=False))
    assert "not understood:" in value(found, "think", 1)
    assert value(found, "think").seconds == 10.0


def test_a_trace_names_each_token_and_its_field(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        codes = value(run("codes", song=song(), codes=compose(seed=9, trace=True)), "codes")
    said = [record.getMessage() for record in caplog.records if "token " in record.getMessage()]
    assert len(said) == len(codes[0])
    assert said[0].startswith("token 1, item 0, codes: ")
    assert said[0].endswith(f"'<|audio_code_{codes[0].values[0]}|>'")


DETAILS = ("caption", "lyrics", "seconds", "bpm", "key", "time_signature", "language")


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"bpm": 90, "key": "E♭ minor", "time_signature": "6/8", "language": "yue"},
        {"seconds": 0.0, "caption": "", "lyrics": ""},
    ],
    ids=["open", "stated", "nothing"],
)
def test_the_details_of_a_song_fit_the_widgets_of_a_song(run: Run, stated: dict) -> None:
    links = {name: ["details", place] for place, name in enumerate(DETAILS)}
    found = run(
        "again",
        song=song(**stated),
        details=node("SongDetails", song=["song", 0]),
        again=node("Song", **links, instrumental=False),
    )
    assert value(found, "again") == value(found, "song")
    expected = {"seconds": 10.0, "bpm": 0, "key": "auto", "language": "auto"} | stated
    given = dict(zip(DETAILS, found.values["details"], strict=True))
    assert {name: given[name] for name in expected} == expected


def test_an_all_in_one_file_holds_a_language_model_too(run: Run, pack: Pack, models: Path) -> None:
    file = "ace_step_1.5_turbo_aio_miniature.safetensors"
    prompt = {"lm": load_lm(file), "song": song(), "codes": compose(), "out": shown("codes", 0)}
    assert value(pack.host.run(prompt), "codes") == value(
        run("codes", song=song(), codes=compose()), "codes"
    )

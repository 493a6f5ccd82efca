"""Wildcards in the Song node: drawn by its own seed, for every node behind it."""

from pathlib import Path

import pytest

from tests.nodes.lm_prompts import Run, complaint, runner, song, value
from tools.hosts.pack import Pack

CAPTION = "a {calm|loud|slow|wild} {piano|guitar} piece"
LYRICS = "[Verse]\nla {la|na} {x}"


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path) -> Run:
    return runner(pack)


def drawn(run: Run, seed: int | None) -> tuple[str, str]:
    given = {} if seed is None else {"wildcard_seed": seed}
    found = value(run("song", song=song(caption=CAPTION, lyrics=LYRICS, **given)), "song")
    return found.caption, found.lyrics


def test_the_seed_draws_caption_and_lyrics(run: Run, pack: Pack) -> None:
    expand = pack.submodule("ace_core.wildcards").expand
    for seed in (0, 1, 2**64 - 1):
        caption, lyrics = drawn(run, seed)
        assert caption == expand(CAPTION, seed, "caption").text
        assert lyrics == expand(LYRICS, seed, "lyrics").text
        assert "{" not in caption
        assert lyrics.startswith("[Verse]\nla ")
        assert lyrics.endswith(" {x}")
    assert len({drawn(run, seed) for seed in range(20)}) > 5


def test_a_workflow_that_was_saved_without_the_seed_draws_by_seed_nought(run: Run) -> None:
    assert drawn(run, None) == drawn(run, 0)


def test_the_page_draws_nothing(pack: Pack) -> None:
    inputs = {each.id: each for each in pack.nodes["AceStep15Song"].GET_SCHEMA().inputs}
    assert [inputs[name].dynamic_prompts for name in ("caption", "lyrics")] == [False, False]


def test_wildcards_too_deep_are_refused(run: Run) -> None:
    deep = song(caption="{a|" * 33 + "}" * 33)
    assert "at most 32" in complaint(run("song", song=deep))

"""What becomes of the seeds of each workflow after a run, in the files and in their notes."""

from typing import Any

import pytest

from tests.nodes.test_workflows import every_node
from tools.hosts.pack import Pack
from tools.workflows.flows import FLOWS
from tools.workflows.menu import NAMES
from tools.workflows.page_format import page
from tools.workflows.seed_controls import (
    ENCODERS,
    FIXED,
    KEPT,
    NEW_TAKES,
    RANDOMIZE,
    SAME_SEEDS,
)

CONTROLS = (FIXED, RANDOMIZE)
ALL = {flow.name: flow for flow in (make() for make in FLOWS)}


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def written(pack: Pack, name: str) -> dict[str, Any]:
    return page(ALL[name], pack.host.nodes)


def controls(node: dict[str, Any]) -> set[str]:
    return {value for value in node["widgets_values"] if value in CONTROLS}


def test_every_seed_is_drawn_anew_or_all_are_kept(written: dict[str, Any], name: str) -> None:
    wanted = FIXED if name in KEPT else RANDOMIZE
    for node in (*written["nodes"], *every_node(written)):
        assert controls(node) <= {FIXED if node["type"] in ENCODERS else wanted}


def test_the_note_says_which(written: dict[str, Any], name: str) -> None:
    seeded = any(map(controls, written["nodes"]))
    (note,) = (each for each in written["nodes"] if each["type"] == "MarkdownNote")
    (text,) = note["widgets_values"]
    said = [sentence for sentence in (NEW_TAKES, SAME_SEEDS) if sentence in text]
    assert said == ([SAME_SEEDS if name in KEPT else NEW_TAKES] if seeded else [])


def test_a_song_is_a_new_take_at_each_run_and_a_comparison_is_not() -> None:
    assert ALL.keys() == set(NAMES)
    assert ALL.keys() > KEPT
    assert not KEPT & {"start_here", "text_to_music", "song_from_idea", "cover", "karaoke"}

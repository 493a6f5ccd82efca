"""A take that is made the source of the open workflow."""

from typing import Any

import pytest

EXAMPLE = "band.flac [example]"
SECONDS = 7.68  # of the example, so of its repaint
STATES = ("set", "undone", "opened", "again", "added", "removed", "alone")

Found = dict[str, Any]


def of_region(source: str) -> str:
    """What the waveform of Repaint draws."""
    file = source.removesuffix(" [output]").removeprefix("audio/")
    return f"/view?filename={file}&subfolder=audio&type=output"


def test_a_take_becomes_the_source_in_the_loader_that_is_there(sourced: Found) -> None:
    before, then = sourced["before"], sourced["set"]
    assert before["source"] == EXAMPLE
    assert then["source"].startswith("audio/ACE-Step_")
    assert then["source"].endswith(".flac [output]")
    assert (then["loaders"], then["wired"]) == (1, True)
    assert then["said"] == "It is the source of this workflow now"
    assert then["region"] == of_region(then["source"])


def test_the_loader_plays_the_take(sourced: Found) -> None:
    source = sourced["set"]["source"].removeprefix("audio/")
    lengths = [length for address, length in sourced["set"]["players"] if source in address]
    assert lengths == [pytest.approx(SECONDS)]


def test_undo_brings_the_choice_before_back_and_redo_the_take(sourced: Found) -> None:
    """In Nodes 2.0 nothing is left to redo: drawn again, the nodes count as changed."""
    assert sourced["undone"]["source"] == EXAMPLE
    redone = sourced.get("redone", sourced["set"])
    assert redone["source"] == sourced["set"]["source"]


def test_the_take_stays_the_source_when_the_workflow_is_opened_and_run(sourced: Found) -> None:
    for state in ("opened", "again"):
        assert sourced[state]["source"] == sourced["set"]["source"]


def test_a_task_without_a_loader_gets_one_beside_it_in_one_step(sourced: Found) -> None:
    added, removed = sourced["added"], sourced["removed"]
    assert (added["loaders"], added["wired"], added["apart"]) == (1, True, True)
    assert added["source"].endswith(" [output]")
    assert added["said"] == "It is the source now, in a Load Recording beside the task"
    assert (removed["loaders"], removed["wired"]) == (0, False)


def test_a_workflow_without_a_task_says_what_is_missing(sourced: Found) -> None:
    said = "This workflow has no Cover, Repaint or Stems to use it in"
    assert (sourced["alone"]["said"], sourced["alone"]["loaders"]) == (said, 0)


def test_nothing_broke_on_the_page(sourced: Found) -> None:
    assert sourced["problems"] == []
    for state in STATES:
        assert (sourced[state]["errors"], sourced[state]["dialogs"]) == ([], []), state

"""How far a node is stands on it while it runs, and nothing of it afterwards."""

import re
from typing import Any

Found = dict[str, Any]
COUNT = re.compile(r"(step|tile) \d+ of \d+(, (\d+ min )?\d+ s left)?")


def test_a_node_says_how_far_it_is_while_it_runs(counted: Found) -> None:
    assert counted["texts"]
    assert [text for text in counted["texts"] if not COUNT.fullmatch(text)] == []
    assert counted["shown"] > 0


def test_nothing_of_it_is_left_when_the_run_is_over(counted: Found) -> None:
    assert counted["left"] == 0
    assert counted["grown"] == []


def test_nothing_broke_on_the_page(counted: Found) -> None:
    assert counted["problems"] == []

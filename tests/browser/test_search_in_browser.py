"""What a musician types into the page's search for nodes finds the node among the first three."""

from typing import Any

import pytest

from tests.browser.conftest import WORDS

FIRST = 3


@pytest.mark.parametrize("word", WORDS)
def test_the_word_finds_the_node_among_the_first_three(asked: dict[str, Any], word: str) -> None:
    offered = asked[word][:FIRST]
    assert any(WORDS[word] in option for option in offered), asked[word][:10]


def test_nodes_of_others_stay_before_ours(asked: dict[str, Any]) -> None:
    assert "ACE-Step" not in "".join(asked["lora"][:2])


def test_nothing_broke_on_the_page(asked: dict[str, Any]) -> None:
    assert asked["problems"] == []

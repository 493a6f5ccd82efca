"""What plays on a node when it goes: with its workflow, alone, or with a subgraph."""

from typing import Any

import pytest

Found = dict[str, Any]


@pytest.mark.parametrize("player", ["region", "takes", "hearing", "nested"])
def test_a_sound_ends_with_its_node_and_the_next_one_plays(lived: Found, player: str) -> None:
    """Each begins after the one before it has gone."""
    assert lived[player] == {"began": True, "stopped": True, "closed": True}


def test_nothing_broke_on_the_page(lived: Found) -> None:
    assert lived["problems"] == []

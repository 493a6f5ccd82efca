"""What plays on a node when it goes: with its workflow, alone, or with a subgraph."""

from typing import Any

import pytest

Found = dict[str, Any]


@pytest.mark.parametrize("player", ["region", "takes", "preview", "nested"])
def test_a_sound_ends_with_its_node_and_the_next_one_plays(outlived: Found, player: str) -> None:
    """Each begins after the one before it has gone."""
    assert outlived[player] == {"began": True, "stopped": True, "closed": True}


def test_nothing_broke_on_the_page(outlived: Found) -> None:
    assert outlived["problems"] == []

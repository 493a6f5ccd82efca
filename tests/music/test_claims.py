"""What the trained family plays, held to what it was measured to play (`reached.json`)."""

from pathlib import Path

import pytest

from tools.miniature.claims.figure import EXTENTS
from tools.miniature.claims.kept import bounds
from tools.miniature.claims.music import Family
from tools.miniature.claims.table import GROUPS

REACHED = Path(__file__).with_name("reached.json")


def test_the_whole_family_is_there(family: Family):
    assert not family.missing


@pytest.mark.parametrize("group", GROUPS)
def test_the_music_comes_to_what_was_reached(group: str, form: str, family: Family):
    least = bounds(REACHED, form, group)
    found = {each.claim: each.value for each in GROUPS[group].measure(family, EXTENTS[form])}
    assert least.keys() <= found.keys()
    fell = {name: (found[name], bound) for name, bound in least.items() if found[name] < bound}
    assert not fell  # (what it came to, what it was to come to at least)

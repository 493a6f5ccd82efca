"""What the trained family plays, held to what it was measured to play (`reached.json`)."""

import pytest

from tests.music.forms import FORM, REACHED
from tools.miniature.claims.figure import EXTENTS
from tools.miniature.claims.kept import bounds
from tools.miniature.claims.music import Family
from tools.miniature.claims.table import GROUPS


def test_the_whole_family_is_there(family: Family):
    assert not family.missing


@pytest.mark.parametrize("group", GROUPS)
def test_the_music_comes_to_what_was_reached(group: str, family: Family):
    least = bounds(REACHED, FORM, group)
    found = {each.claim: each.value for each in GROUPS[group].measure(family, EXTENTS[FORM])}
    assert least.keys() <= found.keys()
    fell = {name: (found[name], bound) for name, bound in least.items() if found[name] < bound}
    assert not fell  # (what it came to, what it was to come to at least)

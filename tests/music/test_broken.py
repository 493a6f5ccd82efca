"""What is broken on purpose is heard: a claim falls below what the intact code is held to."""

import pytest

from tests.music.broken import BREAKS, GROUPS, Break
from tests.music.forms import FORM, REACHED
from tools.miniature.claims.kept import bounds, broken
from tools.miniature.claims.music import Family
from tools.miniature.claims.table import Group

HEARD = {name: kept.claim for name, kept in broken(REACHED).items() if kept.heard}
MUST = {"mask", "schedule", "codes", "guidance", "conditions", "instruction"}


def in_turn() -> list[str]:
    """All that are heard; in the quick form the first of each kind that must be."""
    if FORM == "whole":
        return list(HEARD)
    first = {BREAKS[name].kind: name for name in reversed(HEARD)}
    return [name for kind, name in first.items() if kind in MUST]


def test_each_break_was_listened_to_and_one_of_each_kind_is_heard():
    assert list(broken(REACHED)) == list(BREAKS)
    assert {BREAKS[name].kind for name in HEARD} >= MUST


def test_nothing_that_was_kept_of_the_intact_code_is_heard(monkeypatch: pytest.MonkeyPatch):
    intact, heard = Family(None, frozenset()), list[Family]()
    group = Group(lambda family, extent: heard.append(family) or [], frozenset())
    monkeypatch.setitem(GROUPS, "base", group)
    Break("guidance", "base", lambda patch: None).figures(intact)
    assert heard[0] is not intact


@pytest.mark.parametrize("name", in_turn())
def test_what_is_broken_falls_below_what_is_held(name: str, family: Family):
    claim, each = HEARD[name], BREAKS[name]
    found = {figure.claim: figure.value for figure in each.figures(family)}
    assert found[claim] < bounds(REACHED, "quick", each.group)[claim]

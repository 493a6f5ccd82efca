"""What becomes of the seeds when Run is pressed again, by `tools/workflows/seed_controls.py`."""

from typing import Any

import pytest

from tools.workflows.menu import NAMES
from tools.workflows.prompts import read_prompt
from tools.workflows.seed_controls import ENCODERS, KEPT

Found = dict[str, Any]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_run_has_the_seeds_of_the_file(seen: Found, name: str) -> None:
    prompt = read_prompt(name)
    first, _ = seen[name]["seeds"]
    for place, seed in first.items():
        number, widget = place.split()
        assert prompt[number]["inputs"][widget] == seed


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_is_a_new_take_where_the_workflow_makes_one(seen: Found, name: str) -> None:
    prompt = read_prompt(name)
    first, second = seen[name]["seeds"]
    assert first.keys() == second.keys()
    drawn = {place for place, seed in first.items() if second[place] != seed}
    music = {place for place in first if prompt[place.split()[0]]["class_type"] not in ENCODERS}
    assert drawn == (set() if name in KEPT else music)


def test_nothing_broke_on_the_page(seen: Found) -> None:
    assert [name for name in NAMES if seen[name]["problems"]] == []

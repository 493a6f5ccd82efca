"""The tables of the help pages are tables: a blank line within one leaves its rest as raw text."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from tools.hosts.checkout import ROOT

PAGES = sorted((ROOT / "web" / "docs").glob("*.md"))
BAR = re.compile(r"(?<!\\)\|")  # between cells
CODE = re.compile(r"`[^`]*`", re.DOTALL)


def tables(text: str) -> list[list[str]]:
    """Lines that begin with a bar and follow each other."""
    runs = groupby(text.splitlines(), key=lambda line: line.startswith("|"))
    return [list(lines) for begins, lines in runs if begins]


def faults(text: str) -> list[str]:
    """Lines that would be shown with their bars."""
    found = []
    for table in tables(text):
        widths = {len(BAR.findall(row)) for row in table}
        ruled = len(table) > 2 and set(table[1]) <= set("|-: ")
        if not ruled or len(widths) > 1:
            found += table
    prose = CODE.sub("", "\n".join(line for line in text.splitlines() if not line.startswith("|")))
    return found + [line for line in prose.splitlines() if BAR.search(line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_bar_of_a_table_is_left_as_text(page: Path) -> None:
    assert faults(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |",  # a blank line
        "| a | b |\n| 1 | 2 |\n| 3 | 4 |",  # no line below the head
        "| a | b |\n|---|---|\n| 1 | 2 | 3 |",
        "a | b",
    ],
)
def test_a_broken_table_is_seen(text: str) -> None:
    assert faults(text)
    assert not faults("| a | b |\n|---|---|\n| 1 | `x \\| y` |\n\n`c | d`")

"""Files that Save Audio writes bring their workflow back when they are dropped on the canvas."""

from typing import Any

from tests.browser.conftest import DROPPED

Found = dict[str, Any]


def test_a_file_of_every_format_opens_its_workflow(dropped: Found) -> None:
    assert dropped["opened"] == {form.suffix: [form.suffix] for form in DROPPED}


def test_nothing_broke_on_the_page(dropped: Found) -> None:
    assert dropped["problems"] == []

"""Which values a field of a request takes, read from its class."""

from dataclasses import dataclass
from typing import Any

import pytest

from ace_core.batch.fields import fields_of


@dataclass
class Request:
    caption: str = "x"
    bpm: int | None = None
    duration: float = -1.0
    thinking: bool = True
    times: list[float] | None = None
    seeds: list[int] | int | None = None


FIELDS = fields_of(Request)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("caption", ""),
        ("bpm", None),
        ("bpm", 90),
        ("duration", 30),
        ("duration", 30.5),
        ("thinking", False),
        ("times", None),
        ("times", [1, 0.5]),
        ("seeds", 3),
        ("seeds", [3, 4]),
    ],
)
def test_a_value_of_the_right_kind_is_taken(name: str, value: Any):
    assert FIELDS[name].fault(value) is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("caption", None, "caption is None, but must be text"),
        ("bpm", "90", "bpm is '90', but must be a whole number or null"),
        ("bpm", 90.5, "must be a whole number"),
        ("bpm", True, "must be a whole number"),
        ("duration", None, "must be a number"),
        ("thinking", 1, "must be true or false"),
        ("times", [1, "0"], "must be null or a list, each a number"),
        ("times", 1.0, "must be null or a list"),
        ("seeds", [1.5], "must be a whole number or null or a list, each a whole number"),
        ("seeds", [True], "a list, each a whole number"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_allowed(name: str, value: Any, told: str):
    fault = FIELDS[name].fault(value)
    assert fault is not None and told in fault


def test_the_fields_keep_their_order_and_defaults():
    assert list(FIELDS) == ["caption", "bpm", "duration", "thinking", "times", "seeds"]
    assert FIELDS["duration"].default == -1.0

"""JSON and numbers of others: what is read, and what is refused within its limits."""

import json
import time

import pytest

from ace_core.parsing import (
    DEEPEST,
    LARGEST_JSON,
    JSONError,
    number_in,
    parse_json,
    quoted,
    read_json,
    whole_number,
)


@pytest.mark.parametrize(
    "value", [{"a": [1, -2.5, None, True, "ü 🎵"]}, [], 10**30, {"": {}}, "text"]
)
def test_what_json_writes_is_read_as_it_was(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False).encode("utf-8-sig")):
        assert parse_json(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ('{"a": 1,}', "property name"),
        ("[NaN]", "NaN is not a number"),
        ("[-Infinity]", "Infinity is not a number"),
        ("[1e999]", "too large"),
        (f"[{'9' * 5_000}]", "more than 30 digits"),
        ("[" * 100_000, "inside each other"),
        ("[" * 80 + "]" * 80, "inside each other"),
        ('{"a": ' * 80 + "1" + "}" * 80, "inside each other"),
        (r'{"a": "calm \ud83c"}', "half a character"),
        (r'{"calm \ud83c": 1}', "half a character"),
        (b'"\xed\xa0\xbc"', "not UTF-8"),
        (b"\xff\xfe[\0]\0", "not UTF-8"),
        ('"\ud83c"', "not UTF-8"),
        (b"[" + b"1," * 6_000_000 + b"1]", "more than 5000000 values"),
    ],
)
def test_what_is_no_json_or_too_much_is_refused_with_a_short_reason(text, reason):
    with pytest.raises(JSONError, match=reason) as caught:
        parse_json(text)
    assert len(str(caught.value)) < 300


def test_the_deepest_that_is_allowed_is_read():
    parse_json("[" * DEEPEST + "]" * DEEPEST)
    with pytest.raises(JSONError):
        parse_json("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2))


def test_a_name_given_twice_is_refused_where_names_are_unique():
    assert parse_json('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(JSONError, match="a is given twice"):
        parse_json('[{"a": 1, "a": 2}]', unique=True)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(LARGEST_JSON + 1)  # a sparse file
    begun = time.perf_counter()
    with pytest.raises(JSONError, match=f"{LARGEST_JSON + 1} bytes"):
        read_json(path)
    assert time.perf_counter() - begun < 1


def test_a_whole_number_has_a_bounded_number_of_digits():
    assert whole_number("-0042") == -42
    for text in ("9" * 5_000, "1.5", "", "x"):
        with pytest.raises(ValueError, match=r"."):
            whole_number(text)


@pytest.mark.parametrize("value", ["1", True, [1], float("nan"), float("inf"), {}])
def test_a_setting_that_is_no_number_is_refused_by_name(value):
    assert number_in({"a": None}, "a", 3) == number_in({}, "a", 3) == 3
    assert number_in({"a": 2}, "a", 3) == 2
    with pytest.raises(ValueError, match=r"^a is "):
        number_in({"a": value}, "a", 3)


def test_a_shown_value_is_short_and_can_be_printed():
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    for value in ("x" * 1_000, 10**5_000, deep, "\ud83c"):
        assert len(quoted(value)) <= 101
        quoted(value).encode()

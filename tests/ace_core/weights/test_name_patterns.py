"""Patterns of layer names: PEFT's meaning, in bounded time."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ace_core.weights.name_patterns import MOST, compile_pattern, compile_patterns

NAMES = ["layers.0.self_attn.q_proj", "layers.12.mlp.gate_proj", "q_proj", "xq_proj", "a.b", ""]
PIECES = ["a", "b", ".", r"\.", "q_proj", "layers", r"\d", r"\w+", "[0-9]", "[^a]", "(a|b)", "^"]
PIECES += [
    "$",
    "(?:q|k)_proj",
    ".*",
    r"\d+",
    "a?",
    "|",
    "(",
    ")",
    "*",
    "[a-",
    "{2}",
    r"\b",
    "(?=a)",
]


def peft_ends(pattern: str, name: str) -> bool:
    """Source: peft/utils/other.py, get_pattern_key."""
    return re.match(rf"(.*\.)?({pattern})$", name) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "q_proj",
        "self_attn.q_proj",
        "layers.0.self_attn.q_proj",
        r".*\.q_proj",
        r"layers\.(0|2)\.self_attn\.(q|k|v)_proj",
        r"^layers\.\d+\.mlp\.gate_proj$",
        r"layers.[0-5].*proj",
        "_proj",
        "mlp",
    ],
)
def test_a_pattern_means_what_it_means_to_peft(pattern):
    for name in NAMES:
        assert compile_pattern(pattern).ends(name) == peft_ends(pattern, name)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.sampled_from(NAMES) | st.text("ab.q", max_size=8),
)
def test_whatever_is_read_means_what_it_means_to_peft(pattern, name):
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        return
    assert compiled.ends(name) == peft_ends(pattern, name)


@pytest.mark.parametrize(
    "pattern", ["(a+)+" * 20 + "b", "(.*)*b", "(a|a)*" * 20, "(.*.*)*" * 9 + "b"]
)
def test_a_pattern_that_freezes_a_backtracking_matcher_takes_no_time(pattern):
    begun = time.perf_counter()
    assert not compile_pattern(pattern).ends("a" * 200 + "c")
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    "pattern", ["(", ")", "a)", "[", "[]", "*", "a**", "a{2}", "(?=a)", r"\b", "^*", "\\", "[z-a]"]
)
def test_what_is_not_read_is_refused_by_name(pattern):
    with pytest.raises(ValueError, match=re.escape(repr(pattern))):
        compile_pattern(pattern)


def test_long_and_many_patterns_are_refused():
    with pytest.raises(ValueError, match="201 characters"):
        compile_pattern("a" * 201)
    with pytest.raises(ValueError, match=f"{MOST + 1} patterns"):
        compile_patterns({str(number): 1 for number in range(MOST + 1)})
    with pytest.raises(ValueError, match="more than a name"):
        compile_patterns({f"(a|{number})": 1 for number in range(51)})
    with pytest.raises(ValueError, match="not a table"):
        compile_patterns(["q_proj"])

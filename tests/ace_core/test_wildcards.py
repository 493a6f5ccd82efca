"""Wildcards: what is chosen, what stays text, and that a seed gives the same text again."""

import pytest

from ace_core.errors import InvalidRequestError
from ace_core.wildcards import expand, literal


def all_of(text: str, seeds: int = 200) -> set[str]:
    return {expand(text, seed).text for seed in range(seeds)}


def test_every_choice_is_made_by_some_seed() -> None:
    assert all_of("a {calm|loud} song") == {"a calm song", "a loud song"}


def test_choices_may_hold_wildcards_and_may_be_empty() -> None:
    assert all_of("{a|b{c|d}|}") == {"a", "bc", "bd", ""}


def test_choices_are_about_equally_frequent() -> None:
    counts = [sum(expand("{0|1|2|3}", s).text == str(n) for s in range(4000)) for n in range(4)]
    assert all(850 < count < 1150 for count in counts)  # 1000 and five standard deviations


@pytest.mark.parametrize(
    "text", ["[Verse]\nla|la", "{x}", "{x|y", "x|y}", "}|{", "{a{b}", "\\n {", "", "{}"]
)
def test_what_is_no_wildcard_stays_as_it_is(text: str) -> None:
    expanded = expand(text, 3)
    assert (expanded.text, expanded.choices) == (text, ())


def test_a_backslash_keeps_the_sign_behind_it() -> None:
    assert expand(r"\{a\|b\} {c\|d|c\|d}", 0).text == "{a|b} c|d"


def test_equal_seeds_give_equal_texts_and_fields_are_chosen_apart() -> None:
    text = "{a|b|c|d}" * 20
    assert expand(text, 5) == expand(text, 5)
    assert expand(text, 5, "caption") != expand(text, 5, "lyrics")
    assert expand(text, 5) != expand(text, 6)


def test_a_text_is_the_same_on_every_machine() -> None:
    assert expand("{a|b|c|d|e}" * 12, 42, "caption").text == "eadecdbebdda"


def test_the_choices_come_in_the_order_of_the_text() -> None:
    expanded = expand("{a|a} {b{c|c}|b{c|c}} {d|d}", 1)
    assert expanded.choices == ("a", "bc", "c", "d")


def test_ten_thousand_braces_end() -> None:
    assert expand("{" * 10_000, 0).text == "{" * 10_000
    assert expand("}" * 10_000, 0).text == "}" * 10_000


def test_wildcards_too_deep_are_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidRequestError, match="34 deep, but at most 32"):
        expand("{a|" * 33 + "}" * 33, 0)


@pytest.mark.parametrize(
    "text", ["a calm song", "{a|b}", r"\{a|b\}", r"\\{x}|", "{" * 40 + "|" + "}" * 40]
)
def test_a_literal_expands_to_itself_with_any_seed(text: str) -> None:
    for seed in range(5):
        expanded = expand(literal(text), seed, "lyrics")
        assert (expanded.text, expanded.choices) == (text, ())

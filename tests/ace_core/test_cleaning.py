"""Texts as they are pasted: what is taken out of them, and what stays."""

import pytest

from ace_core.cleaning import clean

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one emoji of three people
RAINBOW = "\U0001f3f3\ufe0f\u200d\U0001f308"  # a flag, a variation selector, a rainbow
PERSIAN = "می\u200cخواهم"  # "I want", with the half space that its spelling has
HINDI = "क्\u200dष"


@pytest.mark.parametrize(
    ("pasted", "text", "kind"),
    [
        ("[Verse]\r\nla\rla\n", "[Verse]\nla\nla\n", "2 line ends of another system"),
        ("la\u2028la", "la\nla", "1 line end of another system"),
        ("\ufeff[Verse]\nla", "[Verse]\nla", "1 byte-order mark"),
        ("\u200b[Instrumental]\u2060", "[Instrumental]", "2 zero-width characters"),
        ("so\u00adfa", "sofa", "1 zero-width character"),
        ("la\u200dla\u200cla", "lalala", "2 zero-width characters"),
        ("\u200d[Verse]", "[Verse]", "1 zero-width character"),
        ("la\u00a0la\u202fla", "la la la", "2 no-break spaces"),
        ("\u200e[Verse]", "[Verse]", "1 direction mark"),
        ("rock &amp; roll &#39;n&#x27; &hearts;", "rock & roll 'n' ♥", "4 HTML entities"),
        ("a&nbsp;b", "a b", "1 HTML entity, 1 no-break space"),
        ("a &amp;quot;b", 'a "b', "2 HTML entities"),
    ],
)
def test_what_only_a_page_needed_is_taken_out_and_said(pasted: str, text: str, kind: str):
    cleaned = clean(pasted)
    assert cleaned.text == text
    assert cleaned.notes("lyrics") == (f"`lyrics` was cleaned: {kind}.",)
    assert clean(text) == (text, {}), "cleaned once is cleaned"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[Verse 1]\n“Don’t”, «non» — it's 'fine'\n\tand &c; AT&T; R&B",
        "שלום \u200fעולם",
        "مرحبا \u2067bpm\u2069",
        PERSIAN,
        HINDI,
        FAMILY,
        RAINBOW,
        "静かな\u3000夜",
        "e\u0301 ﬁ ½",
    ],
)
def test_what_means_something_stays(text: str):
    assert clean(text) == (text, {})

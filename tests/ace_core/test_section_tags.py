"""Sections named in other habits: offered as the models' tags, never changed."""

import pytest

from ace_core.section_tags import offered_tags, tag_notes


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("Verse 1:", "[Verse 1]"),
        ("verse 2", "[Verse 2]"),
        ("(Chorus)", "[Chorus]"),
        ("**Bridge**", "[Bridge]"),
        ("**Verse 1:**", "[Verse 1]"),
        ("[verse 2 - soft]", "[Verse 2 - soft]"),
        ("[Verse: whispered]", "[Verse - whispered]"),
        ("[PRE CHORUS]", "[Pre-Chorus]"),
        ("prechorus:", "[Pre-Chorus]"),
        ("## Outro", "[Outro]"),
        ("【Chorus】", "[Chorus]"),
        ("{hook}", "[Hook]"),
        ("<intro>", "[Intro]"),
        ("--- Guitar Solo ---", "[Guitar Solo]"),
        ("[Chorus]:", "[Chorus]"),
    ],
)
def test_a_section_in_another_habit_is_offered_as_the_models_tag(line: str, tag: str):
    (offer,) = offered_tags(f"la la\n{line}\nla")
    assert (offer.line, offer.written, offer.tag) == (2, line, tag)


@pytest.mark.parametrize(
    "line",
    [
        "[Verse 1]",
        "[Verse 2 - soft]",
        "[Pre-Chorus]",
        "[Instrumental]",
        "the chorus of the birds",
        "(oh, chorus of angels)",
        "verse after verse",
        "Bridge over water",
        "(ooh)",
        "*sigh*",
        "[Alaap]",
        "[verse",
        "",
        "Verse " * 30,
    ],
)
def test_what_is_sung_or_is_a_tag_already_is_left_alone(line: str):
    assert offered_tags(line) == []


def test_the_note_names_a_few_lines_and_counts_the_rest():
    (note,) = tag_notes("\n".join(f"Verse {number}:" for number in range(1, 8)))
    assert "line 1 as [Verse 1], line 2 as [Verse 2]" in note
    assert note.endswith("line 4 as [Verse 4] and 3 more.")
    assert "nothing was changed" in note
    assert tag_notes("[Verse]\nla") == ()

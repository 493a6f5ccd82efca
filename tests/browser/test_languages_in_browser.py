"""What the page says of the pack in each language; in both renderers."""

import json
from typing import Any

import pytest

from tools.docs.workflow_words import WORDS
from tools.workflows.menu import page_path

Found = dict[str, Any]
PROMOTED = ("Instrumental", "Length in seconds", "Language")  # of the Song node, drawn in both
TITLES = {
    "en": ("Song (ACE-Step 1.5 Text to Music)", "ACE-Step Save Audio", "First song"),
    "zh": ("歌曲（ACE-Step 1.5 文生音乐）", "ACE-Step 保存音频", "第一首歌"),
    "ja": ("曲（ACE-Step 1.5 テキストから音楽）", "ACE-Step オーディオを保存", "はじめての曲"),
}
FOREIGN = pytest.mark.parametrize("language", ["zh", "ja"])


def test_the_page_speaks_the_language_that_was_chosen(spoken: Found) -> None:
    said = {lang: list(spoken[lang]["labels"].values()) for lang in ("en", "zh", "ja")}
    assert said == {
        "en": ["ACE-Step Song", "caption", "song", "start"],
        "zh": ["ACE-Step 歌曲", "风格描述", "歌曲", "起点"],
        "ja": ["ACE-Step 曲", "曲調の説明", "曲", "始点"],
    }
    assert {spoken[lang]["group"] for lang in said} == {"ACE-Step 1.5"}


@pytest.mark.parametrize("language", TITLES)
def test_the_titles_in_a_workflow_are_in_the_language(spoken: Found, language: str) -> None:
    assert set(TITLES[language]) <= set(spoken[language]["shown"])


@FOREIGN
def test_the_inputs_of_the_song_node_are_in_the_language(spoken: Found, language: str) -> None:
    """By what the app calls them, and the seed, which it does not show, by its own name."""
    own, shown = words(language), set(spoken[language]["shown"])
    assert {own["texts"][name] for name in PROMOTED} <= shown
    assert own["labels"]["seed"] in shown
    assert not shown & {*own["labels"], *PROMOTED}


@FOREIGN
def test_groups_and_the_note_are_in_the_language(spoken: Found, language: str) -> None:
    """The page draws the note's Markdown: a heading without its sign."""
    texts, shown = words(language)["texts"], set(spoken[language]["shown"])
    saved = spoken["en"]["saved"]
    headings = [line for line in saved["notes"][0].split("\n") if line.startswith("#")]
    assert len(headings) == 2
    assert {texts[line].lstrip("# ") for line in headings} <= shown
    outer = json.loads(page_path("start_here").read_text())["groups"]
    assert {texts[group["title"]] for group in outer} <= shown


def test_what_is_saved_is_the_same_in_every_language(spoken: Found) -> None:
    """But for titles that the page leaves out where they are its own."""
    saved = {lang: spoken[lang]["saved"] for lang in TITLES}
    assert saved["zh"] == saved["ja"] == saved["en"]
    page = json.loads(page_path("start_here").read_text())
    inputs = page["nodes"][0]["inputs"]
    assert set(saved["en"]["labels"]) == {each["label"] for each in inputs if "label" in each}
    assert saved["en"]["notes"] == page["nodes"][-1]["widgets_values"]


def test_nothing_broke_on_the_page(spoken: Found) -> None:
    assert spoken["problems"] == []


def words(language: str) -> Found:
    return json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))

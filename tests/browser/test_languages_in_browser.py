"""What the page says of the pack in each language."""

from typing import Any

Found = dict[str, Any]


def test_the_page_speaks_the_language_that_was_chosen(spoken: Found) -> None:
    said = {language: list(spoken[language].values()) for language in ("en", "zh", "ja")}
    assert said == {
        "en": ["ACE-Step Song", "caption", "song", "start", "ACE-Step 1.5"],
        "zh": ["ACE-Step 歌曲", "风格描述", "歌曲", "起点", "ACE-Step 1.5"],
        "ja": ["ACE-Step 曲", "曲調の説明", "曲", "始点", "ACE-Step 1.5"],
    }


def test_nothing_broke_on_the_page(spoken: Found) -> None:
    assert spoken["problems"] == []

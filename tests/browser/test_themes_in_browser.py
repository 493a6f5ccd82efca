"""Our words and waveforms on the nodes in the page's dark and light theme; in both renderers."""

from typing import Any

import pytest

Found = dict[str, Any]
KINDS = {"region", "takes", "node-text", "audio-preview", "writing", "writing-menu"}
TEXT, GRAPHIC = 4.5, 3.0  # the least contrasts of WCAG 2.2, criteria 1.4.3 and 1.4.11
LINES = 12  # columns of a ruler that may be lines of the wave, and not words

themes = pytest.mark.parametrize("theme", ["light", "dark"])


@themes
def test_every_word_can_be_read(themed: Found, theme: str) -> None:
    texts = themed[theme]["texts"]
    assert {each["kind"] for each in texts} == KINDS
    assert [each for each in texts if each["contrast"] < TEXT] == []


@themes
def test_waveforms_stand_out_from_their_ground(themed: Found, theme: str) -> None:
    """All along the middle, where each column has at least a pixel."""
    waveforms = themed[theme]["waveforms"]
    assert set(waveforms) == {"region", "takes"}
    for each in waveforms.values():
        assert each["share"] > 0.5
        assert each["least"] >= GRAPHIC
        assert sum(contrast >= TEXT for contrast in each["ruler"]) > LINES


@themes
def test_sung_lines_can_be_read(themed: Found, theme: str) -> None:
    assert themed[theme]["lanes"] >= TEXT


def test_the_theme_of_the_page_is_ours_too(themed: Found) -> None:
    for kind in KINDS:
        assert themed["light"]["papers"][kind] != themed["dark"]["papers"][kind]


def test_nothing_broke_on_the_page(themed: Found) -> None:
    assert themed["problems"] == []

"""The help pages in ComfyUI's side panel, and a node's waveform beside that panel."""

from typing import Any

import pytest

from tools.hosts.checkout import ROOT

Found = dict[str, Any]


@pytest.mark.parametrize("name", ["AceStep15Repaint", "AceStep15LoadVAE"])
def test_the_help_of_a_node_is_shown_with_its_picture(helped: Found, name: str) -> None:
    shown = helped["pages"][name]
    source = (ROOT / "web" / "docs" / f"{name}.md").read_text(encoding="utf-8")
    title, words, picture, *_ = source.split("\n\n")
    assert title.removeprefix("# ") in shown["text"]
    assert words.replace("*", "") in shown["text"]
    assert picture.startswith(f"![{shown['alt']}](")
    assert shown["src"].endswith(f"/extensions/acestep15/docs/pictures/{name}.webp")
    assert shown["naturalWidth"] > 400
    assert 0 < shown["clientWidth"] <= shown["width"]


def test_a_waveform_stays_within_its_node_when_the_panel_lists_the_inputs(helped: Found) -> None:
    beside = helped["beside"]
    assert 0 < beside["waveform"] <= beside["node"]


def test_nothing_broke_on_the_page(helped: Found) -> None:
    assert helped["problems"] == []


def test_the_page_draws_every_table_of_every_help_page(helped: Found) -> None:
    sources = {path.stem: path for path in (ROOT / "web" / "docs").glob("*.md")}
    assert helped["raw"].keys() == sources.keys()
    for name, path in sources.items():
        written = path.read_text(encoding="utf-8").count("\n|--")
        assert helped["raw"][name] == {"tables": written, "lines": []}, name

"""The text on a node after it ran: it stays, says what was not read, and goes with its cause."""

from typing import Any

Found = dict[str, Any]
NOTE = "`lyrics` is not used: instrumental is on."
SONG, SAMPLER = "AceStep15Song", "AceStep15Sampler"


def test_a_note_stands_on_the_node_when_the_run_is_over(noted: Found) -> None:
    texts = noted["noted"]["texts"]
    assert texts[SONG] == NOTE
    assert texts[SAMPLER].startswith("model: turbo\n")
    width, height = noted["drawn"]
    assert width > 100
    assert height > 8  # zoomed out


def test_it_goes_with_its_cause_and_a_report_stays(noted: Found) -> None:
    for found in (noted["mended"], noted["again"]):
        assert SONG not in found["texts"]
        assert found["texts"][SAMPLER].startswith("model: turbo\n")


def test_the_page_shows_no_second_text(noted: Found) -> None:
    assert [noted[name]["own"] for name in ("noted", "mended", "again")] == [0, 0, 0]


def test_nothing_of_it_is_saved(noted: Found) -> None:
    assert noted["saved"] == noted["savedWith"]
    assert noted["rows"] == 0  # after it was opened again


def test_saved_files_are_a_click_away(noted: Found) -> None:
    name = "drums #1.flac"
    text = f"Folder: output/audio/stems_1\n{name}: -14 LUFS\nbass.flac: -20 LUFS"
    assert noted["links"] == [[name, name, 200, text]]


def test_nothing_broke_on_the_page(noted: Found) -> None:
    assert noted["problems"] == []

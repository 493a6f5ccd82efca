"""Sections and sung lines below the waveform of a take, and what of them is repainted."""

from typing import Any

import pytest

from tools.browser.page import RECORDINGS

Found = dict[str, Any]
EXAMPLE = "band.flac [example]"
REGION = [1.0, 3.0]  # of the workflow


def test_a_take_without_lyrics_in_time_has_no_lanes(sung: Found) -> None:
    assert sung["none"]["spoken"] is None
    assert sung["none"]["below"] is None


def test_the_lanes_lie_below_the_waveform_on_its_line_of_time(sung: Found) -> None:
    drawn = sung["drawn"]
    wave, lanes = drawn["below"]
    assert lanes == pytest.approx(wave, abs=1)
    assert drawn["fits"]
    assert drawn["height"] > sung["none"]["height"]
    assert drawn["said"] == "Click to hear a line, Shift-click for more"


def test_a_click_plays_a_line_to_its_end_and_changes_nothing(sung: Found) -> None:
    clicked = sung["clicked"]
    assert clicked["chosen"]["text"] == "Carry off a borrowed dream"
    until, stopped = clicked["played"]
    assert until == 1.0 <= stopped
    assert (clicked["source"], clicked["region"]) == (EXAMPLE, REGION)
    assert clicked["said"] == "Carry off a borrowed dream · 0:00.6–0:01"


def test_shift_and_a_click_choose_all_lines_up_to_there(sung: Found) -> None:
    chosen = sung["more"]["chosen"]
    assert (chosen["start"], chosen["end"]) == (0.2, 1.0)
    assert chosen["text"] == "Paper boats along the stream / Carry off a borrowed dream"
    assert chosen["text"] in sung["more"]["spoken"]


def test_keys_zoom_on_the_lanes_as_on_the_waveform(sung: Found) -> None:
    assert sung["zoomed"]["to"] - sung["zoomed"]["from"] == pytest.approx(1.0)


def test_by_keys_the_next_lines_are_chosen_and_repainted(sung: Found) -> None:
    """From the first line: the second, then the third as well."""
    put = sung["put"]
    assert (put["source"], put["region"]) == (f"{RECORDINGS[0]} [input]", [0.6, 1.8])


def test_undo_brings_source_and_region_back_in_one_step(sung: Found) -> None:
    assert (sung["undone"]["source"], sung["undone"]["region"]) == (EXAMPLE, REGION)


def test_a_section_is_repainted_to_the_end_of_the_song(sung: Found) -> None:
    assert sung["section"]["region"] == [1.0, -1]
    assert sung["section"]["said"] == "Repaint is set to it: press Run"


def test_a_workflow_without_repaint_says_what_is_missing(sung: Found) -> None:
    missing = sung["missing"]
    assert missing["unchosen"]["off"] == "true"
    assert missing["said"].startswith("No Repaint here")
    assert missing["source"] == EXAMPLE


def test_a_repaint_without_a_loader_gets_one_with_the_take(sung: Found) -> None:
    added = sung["added"]
    assert (added["source"], added["region"]) == (f"{RECORDINGS[0]} [input]", [0.6, 1.0])


def test_the_waveform_of_repaint_has_the_lanes_of_the_take_that_it_starts_from(
    sung: Found,
) -> None:
    sections, lines = sung["put"]["marks"]
    assert [each["text"] for each in sections] == ["Verse", "Chorus"]
    assert len(lines) == 3
    assert sung["none"]["marks"] == []


def test_an_lrc_file_beside_a_recording_gives_it_a_lane(sung: Found) -> None:
    (lines,) = sung["beside"]["marks"]
    assert [(each["text"], each["start"], each["end"]) for each in lines] == [
        ("Rain is writing", 0.2, 0.8),
        ("on the glass", 0.8, 1.5),
    ]
    assert sung["beside"]["region"] == REGION


def test_a_line_of_a_recording_is_heard_and_becomes_the_region_until_undo(sung: Found) -> None:
    until, stopped = sung["heard"]
    assert until == 1.5 <= stopped
    assert sung["marked"]["region"] == [0.8, 1.5]
    assert sung["marked"]["answer"] == "These lines are the region now: press Run"
    assert sung["unmarked"]["region"] == REGION


def test_nothing_broke_on_the_page(sung: Found) -> None:
    assert sung["problems"] == []

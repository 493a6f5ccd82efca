"""The waveform as an instrument: zoom, play position, loop, short regions, originals; in both."""

from typing import Any

import pytest

Found = dict[str, Any]
PIXEL = 0.02  # seconds that a pixel of the mouse is, of two


def length(view: dict[str, float]) -> float:
    return view["to"] - view["from"]


def test_the_wheel_zooms_to_the_moment_under_the_pointer_and_the_graph_stays(
    handled: Found,
) -> None:
    """300 pixels of it halve what is shown."""
    before, closer = handled["wheel"]["before"], handled["wheel"]["closer"]
    assert length(closer["view"]) == pytest.approx(length(before["view"]) / 2)
    at = [each["view"]["from"] + length(each["view"]) / 4 for each in (before, closer)]
    assert at[0] == pytest.approx(at[1], abs=PIXEL)
    assert closer["page"] == before["page"]


def test_shift_and_the_wheel_move_what_is_shown(handled: Found) -> None:
    closer, aside = handled["wheel"]["closer"]["view"], handled["wheel"]["aside"]["view"]
    assert length(aside) == pytest.approx(length(closer))
    assert aside["from"] == pytest.approx(closer["from"] + length(closer) / 4)


def test_the_wheel_back_shows_all_and_no_more(handled: Found) -> None:
    wheel = handled["wheel"]
    assert wheel["whole"] == wheel["before"]


def test_a_pinch_and_the_wheel_beside_the_waveform_are_the_pages(handled: Found) -> None:
    wheel = handled["wheel"]
    for name in ("pinched", "beside"):
        assert wheel[name]["view"] == wheel["before"]["view"]
        assert wheel[name]["page"] != wheel["before"]["page"]


def test_keys_zoom(handled: Found) -> None:
    keys, whole = handled["keys"], handled["wheel"]["before"]["view"]
    assert length(keys["closer"]) == pytest.approx(length(whole) / 2)
    assert keys["further"] == whole
    assert keys["region"] == pytest.approx({"from": 0.25, "to": 1.75})
    assert keys["whole"] == whole


def test_a_click_puts_the_play_position_and_space_plays_from_there(handled: Found) -> None:
    """To the end of the region, which stays as it is."""
    clicked = handled["clicked"]
    assert clicked["after"] == clicked["before"]
    assert clicked["position"] == pytest.approx(1.0, abs=PIXEL)
    assert clicked["played"]
    assert clicked["begun"] == pytest.approx(clicked["position"], abs=0.1)
    assert 1.5 <= clicked["stopped"] < 2.0


def test_arrows_move_the_play_position(handled: Found) -> None:
    clicked = handled["clicked"]
    assert clicked["keyed"] == pytest.approx(clicked["position"] + 0.1)
    assert clicked["said"].startswith("play position 0:01.1")


def test_a_loop_goes_on_from_a_bar_before_the_region(handled: Found) -> None:
    """A bar is a second, and the region begins at half of one: as much as there is."""
    loop = handled["loop"]
    assert 1.4 < loop["most"] < 1.9
    assert len(loop["again"]) >= 2
    assert max(loop["again"]) < 0.3
    assert (loop["pressed"], loop["after"]) == ("true", "false")


def test_two_seconds_of_ten_minutes_are_held_moved_and_looked_at(handled: Found) -> None:
    long = handled["long"]
    assert long["before"] == {"start": 300, "end": 302}
    assert long["end"]["start"] == 300
    assert long["end"]["end"] > 320
    assert long["whole"]["start"] > 320
    assert long["whole"]["end"] - long["whole"]["start"] == pytest.approx(2, abs=0.011)
    start = long["whole"]["start"]
    assert long["view"] == pytest.approx({"from": start - 0.5, "to": start + 2.5})


def test_a_take_is_zoomed_and_sought_where_it_was_clicked(handled: Found) -> None:
    takes = handled["takes"]
    assert takes["view"] == pytest.approx({"from": 0.5, "to": 1.5}, abs=2 * PIXEL)
    assert takes["sought"] == pytest.approx(1.0, abs=2 * PIXEL)
    assert takes["whole"] == {"from": 0, "to": 2}


def test_a_take_and_its_original_are_heard_at_the_same_moment_and_it_says_which(
    handled: Found,
) -> None:
    """Both run all the time, together within 0.1 s; the other is silent."""
    compared = handled["compared"]
    for name, silent in (("take", [False, True]), ("original", [True, False])):
        assert compared[name]["silent"] == silent
    assert compared["original"]["pressed"] == "true"
    assert compared["original"]["said"].startswith("Original · 0:0")
    assert compared["again"]["silent"] == [False, True]
    assert compared["again"]["pressed"] == "false"
    assert compared["again"]["said"].startswith("0:0")
    assert compared["stopped"]
    assert compared["gone"] == "Its file is not there any more"


def test_nothing_broke_on_the_page(handled: Found) -> None:
    assert handled["problems"] == []

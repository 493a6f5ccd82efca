"""The waveforms on the nodes: dragged, moved by keys, snapped, played, compared; in both."""

import re
from typing import Any

import pytest

from tests.browser.conftest import WORKFLOWS, as_written
from tools.workflows.prompts import read_prompt

Found = dict[str, Any]


def near(found: Found, start: float, end: float) -> None:
    """As close as a pixel of the mouse allows."""
    assert found["start"] == pytest.approx(start, abs=0.04)
    assert found["end"] == pytest.approx(end, abs=0.04)


def test_dragging_an_end_moves_it_and_nothing_else(touched: Found) -> None:
    region = touched["region"]
    assert (region["before"]["start"], region["before"]["end"]) == (0.5, 1.5)
    near(region["end"], 0.5, 1.0)
    assert region["end"]["start"] == 0.5


def test_dragging_the_middle_moves_the_region_and_keeps_its_length(touched: Found) -> None:
    before, after = touched["region"]["end"], touched["region"]["whole"]
    near(after, 1.0, 1.5)
    assert after["end"] - after["start"] == pytest.approx(
        before["end"] - before["start"], abs=0.011
    )


def test_dragging_beside_the_region_draws_a_new_one_in_either_direction(touched: Found) -> None:
    near(touched["region"]["drawn"], 0.0, 0.5)


def test_the_node_stays_where_it_is_while_its_waveform_is_dragged(touched: Found) -> None:
    region = touched["region"]
    assert region["drawn"]["at"] == region["before"]["at"]


def test_arrows_move_what_was_chosen_and_shift_goes_further(touched: Found) -> None:
    region = touched["region"]
    drawn, keyed, far = region["drawn"], region["keyed"], region["keyedFar"]
    for end in ("start", "end"):
        assert keyed[end] == pytest.approx(drawn[end] + 0.2, abs=0.011)
    assert far["start"] == keyed["start"]
    assert far["end"] == pytest.approx(keyed["end"] + 1.0, abs=0.011)


def test_a_region_snaps_to_the_songs_beats(touched: Found) -> None:
    """At 120 beats per minute a beat is half a second."""
    for found in (touched["region"]["snapped"], touched["region"]["onBeat"]):
        assert (found["start"] / 0.5).is_integer()
        assert (found["end"] / 0.5).is_integer()
    assert touched["region"]["onBeat"]["end"] == 1.0


def test_what_was_dragged_is_saved_opened_and_sent(touched: Found) -> None:
    region = touched["region"]
    assert region["again"] == region["onBeat"]
    sent = {name: region["sent"][name] for name in ("start", "end")}
    assert sent == {name: region["onBeat"][name] for name in ("start", "end")}
    assert "waveform" not in region["sent"]


def test_space_plays_the_selection(touched: Found) -> None:
    assert touched["region"]["played"]


def test_bars_are_counted_in_whole_ones(touched: Found) -> None:
    """The end was moved by one bar, of two."""
    bars = touched["bars"]["values"]
    assert (bars["by.first_bar"], bars["by.bars"]) == (1, 1)


def test_a_region_snaps_to_measured_beats_and_bars_wherever_they_are(touched: Found) -> None:
    """The region of 0.5 to 1.5 s; behind the last bar, at 1.11 s, they go on evenly."""
    measured = touched["measured"]
    for name, expected in (
        ("beats", (0.64, 1.62)),
        ("keyed", (1.11, 1.62)),
        ("bars", (1.11, 2.09)),
    ):
        found = measured[name]
        assert (found["start"], found["end"]) == expected, name


def test_snap_is_shown_greyed_with_the_reason_until_a_tempo_is_known(touched: Found) -> None:
    measured = touched["measured"]
    without, known = measured["offered"]
    assert (without["shown"], without["off"]) == (True, "true")
    assert without["title"].startswith("No tempo is known: set bpm")
    assert (measured["refused"]["start"], measured["refused"]["end"]) == (0.5, 1.5)
    assert (known["shown"], known["off"]) == (True, "false")
    assert known["title"].startswith("What the region snaps to")


def test_a_choice_that_was_saved_is_the_one_that_is_drawn(touched: Found) -> None:
    """Nodes 2.0 alone would draw the first one."""
    assert touched["bars"]["values"]["by"] == "bars"
    assert touched["bars"]["drawn"] in (None, "bars")


def test_who_types_song_is_offered_the_one_node_first(touched: Found) -> None:
    first, second = touched["visit"]["offered"][:2]
    assert "Song (ACE-Step 1.5 Text to Music)" in first
    assert "ACE-Step Song" in second


def test_the_templates_have_every_workflow_and_start_here_opens(touched: Found) -> None:
    visit = touched["visit"]
    assert f"of {len(WORKFLOWS)} templates" in visit["templates"]
    assert visit["pictured"] > 0
    assert as_written(visit["opened"], read_prompt("start_here")) == read_prompt("start_here")


def test_each_run_adds_a_take_and_takes_change_at_the_same_moment(touched: Found) -> None:
    takes = touched["takes"]
    assert takes["counts"] == [1, 2]
    assert takes["played"]
    before, after = (seconds(takes[when]) for when in ("before", "after"))
    assert 0 < before <= after < before + 5
    assert takes["pressed"] == ["false", "true"]


def test_takes_are_played_as_loud_as_the_quietest(touched: Found) -> None:
    """6 dB less is half, to a thousandth; a silent one needs none."""
    assert touched["volumes"] == pytest.approx([1, 0.501, 1], abs=1e-3)


def test_ten_minutes_are_drawn_at_once(touched: Found) -> None:
    assert touched["long"]["count"] == 1000
    assert touched["long"]["peak"] == 128
    assert touched["long"]["took"] < 200  # ms


def test_a_browser_that_reads_no_audio_says_so(touched: Found) -> None:
    assert touched["missing"] == "This browser cannot decode the recording"


def test_the_library_has_the_song_node(touched: Found) -> None:
    assert "custom_nodes.acestep15: Song (ACE-Step 1.5 Text to Music)" in touched["library"]


def test_nothing_broke_on_the_page(touched: Found) -> None:
    assert touched["problems"] == []


def seconds(clock: str) -> float:
    minutes, rest = re.match(r"(\d+):(\d\d\.\d\d)", clock).groups()
    return int(minutes) * 60 + float(rest)

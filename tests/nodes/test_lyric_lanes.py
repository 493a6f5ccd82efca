"""Sections and sung lines on the page's line of time."""

import json
from typing import Any

import pytest

from tests.nodes.web_functions import evaluate, needs_node
from tools.hosts.pack import Pack

pytestmark = needs_node

SONG = 20.0  # seconds
LINES = [
    {"text": "[Verse]", "start": 0.0, "end": 1.0, "sung": False},
    {"text": "one", "start": 1.0, "end": 4.0, "sung": True},
    {"text": "two", "start": 4.0, "end": 4.0, "sung": True},
    {"text": "three", "start": 6.0, "end": 9.0, "sung": True},
    {"text": "[Chorus - loud]", "start": 9.0, "end": 10.0, "sung": False},
    {"text": "four", "start": 10.0, "end": 15.0, "sung": True},
]


def lines(expression: str) -> Any:
    given = f"lanes = m.lanesOf({json.dumps(LINES)}, {SONG})"
    return evaluate("waveform/lyric_lines.js", f"(({given}) => {expression})()")


def test_sections_lie_above_the_lines_that_are_sung() -> None:
    sections, sung = lines("lanes")
    assert sections == [
        {"text": "Verse", "start": 0, "end": 9},
        {"text": "Chorus - loud", "start": 9, "end": 20},
    ]
    assert [(each["text"], each["start"], each["end"]) for each in sung] == [
        ("one", 1, 4),
        ("two", 4, 5),  # its end was its start: it could not be heard
        ("three", 6, 9),
        ("four", 10, 15),
    ]


def test_lyrics_without_tags_have_one_lane_and_no_lyrics_none() -> None:
    sung = json.dumps([each for each in LINES if each["sung"]])
    count = "m.lanesOf({}, 20).length"
    assert lines(count.format(sung)) == 1
    assert lines(count.format("[]")) == 0


@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.0])
def test_every_block_lies_within_the_song(seconds: float) -> None:
    for lane in lines(f"m.lanesOf({json.dumps(LINES)}, {seconds})"):
        assert all(0 <= each["start"] < each["end"] <= seconds for each in lane)


@pytest.mark.parametrize(
    ("time", "reach", "expected"),
    [(2.0, 0, 0), (4.5, 0, 1), (5.6, 0.2, -1), (5.9, 0.2, 2), (19.0, 1, -1), (19.0, 9, 3)],
)
def test_the_line_at_a_time_is_found_or_the_nearest_within_reach(
    time: float, reach: float, expected: int
) -> None:
    assert lines(f"m.blockAt(lanes[1], {time}, {reach})") == expected


def test_where_two_lines_meet_the_one_is_found_that_is_seen_there() -> None:
    together = "[{start: 1, end: 3}, {start: 2, end: 5}]"
    assert lines(f"m.blockAt({together}, 2.5, 0)") == 1
    assert lines(f"[0, 1].map((place) => m.shownUntil({together}, place))") == [2, 5]


def test_what_is_chosen_goes_from_one_line_to_another_in_either_order() -> None:
    for ends in ("from: 1, to: 3", "from: 3, to: 1"):
        part = lines(f"m.chosenPart(lanes, {{lane: 1, {ends}}})")
        assert part == {"text": "two / three / four", "start": 4, "end": 15}


def test_keys_go_along_a_lane_and_extend_the_choice_with_shift() -> None:
    choice = "{lane: 1, from: 2, to: 2}"
    assert lines(f"m.stepped(lanes, {choice}, -1, false)") == {"lane": 1, "from": 1, "to": 1}
    assert lines(f"m.stepped(lanes, {choice}, 1, true)") == {"lane": 1, "from": 2, "to": 3}
    assert lines(f"m.stepped(lanes, {choice}, 9, false)") == {"lane": 1, "from": 3, "to": 3}
    more = "{lane: 1, from: 0, to: 1}"
    assert lines(f"m.stepped(lanes, {more}, 1, true)") == {"lane": 1, "from": 0, "to": 2}


def test_keys_go_from_a_line_to_its_section_and_back_to_its_first_line() -> None:
    up = lines("m.turned(lanes, {lane: 1, from: 3, to: 3}, -1)")
    assert up == {"lane": 0, "from": 1, "to": 1}
    down = lines(f"m.turned(lanes, {json.dumps(up)}, 1)")
    assert (down["lane"], down["to"]) == (1, 3)  # "three" ends where the chorus begins
    assert lines("m.turned(lanes, {lane: 0, from: 0, to: 0}, 1)")["to"] == 0
    assert lines("m.turned(lanes, {lane: 0, from: 0, to: 0}, -1)")["lane"] == 0


LRC = """[ti:Paper boats]
[00:01.50]<00:01.50>Paper <00:02.00>boats
[00:04.00][00:09.00]along
[00:05]
[00:07.00] [Chorus]
[00:30.00]too late
"""


def test_an_lrc_file_gives_lines_that_end_where_the_next_begins() -> None:
    found = lines(f"m.linesInLrc({json.dumps(LRC)}, {SONG})")
    assert [(each["text"], each["start"], each["end"], each["sung"]) for each in found] == [
        ("Paper boats", 1.5, 4, True),
        ("along", 4, 5, True),
        ("[Chorus]", 7, 9, False),
        ("along", 9, 20, True),
    ]


def test_a_take_brings_its_lines_to_the_page(pack: Pack) -> None:
    timed = pack.submodule("ace_core.alignment.timed_lyrics")
    line = timed.TimedLine("[Verse]", 0.0, 1.5, (), False)
    told = pack.submodule("nodes.waveform_ui").lines_in_time([line])
    assert told == {"lines": [{"text": "[Verse]", "start": 0.0, "end": 1.5, "sung": False}]}

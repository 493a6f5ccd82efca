"""The numbers behind the page's waveforms: zoom, ruler, grips, what is played and drawn."""

import itertools
import json
import math
from typing import Any

import pytest

from tests.nodes.web_functions import evaluate, needs_node

pytestmark = needs_node

SONG = "{from: 0, to: 600}"  # seconds
GRID = "(await import(new URL('grid.js', address)))"


def zoom(expression: str) -> Any:
    return evaluate("waveform/zoom.js", f"m.{expression}")


def test_zooming_keeps_the_moment_under_the_pointer_where_it_is() -> None:
    closer = zoom(f"zoomed({SONG}, {SONG}, 0.1, 150)")
    assert closer == pytest.approx({"from": 135, "to": 195})  # at a quarter, as before


def test_nothing_beside_the_sound_is_shown_and_zoom_has_its_ends() -> None:
    assert zoom(f"zoomed({SONG}, {SONG}, 0.1, 0)") == {"from": 0, "to": 60}
    assert zoom(f"zoomed({{from: 550, to: 600}}, {SONG}, 100, 580)") == {"from": 0, "to": 600}
    shortest = zoom(f"zoomed({SONG}, {SONG}, 1e-9, 300)")
    assert shortest["to"] - shortest["from"] == pytest.approx(0.25)
    assert zoom(f"panned({{from: 10, to: 20}}, {SONG}, -50)") == {"from": 0, "to": 10}
    assert zoom(f"panned({{from: 10, to: 20}}, {SONG}, 5)") == {"from": 15, "to": 25}


def test_a_region_is_shown_with_room_beside_it() -> None:
    assert zoom(f"around({{start: 100, end: 102}}, {SONG})") == {"from": 99.5, "to": 102.5}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (19.9, 20.1, (19.1, 29.1)),  # it ran out: the next page
        (15.0, 16.0, (10, 20)),
        (300.0, 301.0, (10, 20)),  # the user looks elsewhere
    ],
)
def test_the_view_follows_what_plays(
    before: float, now: float, expected: tuple[float, float]
) -> None:
    view = zoom(f"followed({{from: 10, to: 20}}, {SONG}, {before}, {now})")
    assert (view["from"], view["to"]) == pytest.approx(expected)


def times(view: str, width: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = evaluate(
        "waveform/time_ruler.js", f"m.timeMarks({view}, {width})"
    )
    return found


def test_times_are_written_at_round_distances_at_every_zoom() -> None:
    labels = {
        view: [mark["label"] for mark in times(view, 300)]
        for view in (SONG, "{from: 0, to: 30}", "{from: 71.9, to: 73.1}", "{from: -1, to: 9}")
    }
    assert labels[SONG] == ["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"]
    assert labels["{from: 0, to: 30}"] == [f"0:{s:02}" for s in range(0, 31, 5)]
    assert labels["{from: 71.9, to: 73.1}"] == [
        "1:12", "1:12.2", "1:12.4", "1:12.6", "1:12.8", "1:13"
    ]  # fmt: skip
    assert labels["{from: -1, to: 9}"] == ["0:00", "0:02", "0:04", "0:06", "0:08"]


@pytest.mark.parametrize("seconds", [0.25, 1, 7, 45, 130, 600])
def test_times_have_room_for_their_words(seconds: float) -> None:
    places = [each["time"] / seconds * 300 for each in times(f"{{from: 0, to: {seconds}}}", 300)]
    assert len(places) > 1
    assert all(after - before >= 48 for before, after in itertools.pairwise(places))


def bars(ruler: str, view: str, width: int) -> list[tuple[float, str]]:
    call = f"m.barMarks({GRID}.{ruler}, {view}, {width})"
    found = evaluate("waveform/time_ruler.js", call)
    return [(each["time"], each["label"]) for each in found]


def test_bars_are_numbered_from_one_and_every_so_many_where_they_are_close() -> None:
    assert bars("evenRuler(2)", "{from: 0, to: 8}", 300) == [
        (0, "1"), (2, "2"), (4, "3"), (6, "4"), (8, "5")
    ]  # fmt: skip
    close = bars("evenRuler(2)", SONG, 300)
    assert [label for _, label in close][:3] == ["1", "33", "65"]
    assert [time for time, _ in close][:3] == [0, 64, 128]


def test_the_first_measured_downbeat_is_bar_one_and_what_precedes_it_has_no_number() -> None:
    """A whole bar lies before it; behind the last one bars go on evenly."""
    assert bars("measuredRuler([2.5, 4.5, 6.6])", "{from: 0, to: 9}", 300) == [
        (2.5, "1"), (4.5, "2"), (6.6, "3"), (pytest.approx(8.65), "4")
    ]  # fmt: skip
    assert bars("measuredRuler([2.5, 4.5, 6.6])", "{from: 4, to: 6}", 300) == [(4.5, "2")]


def parts(region: tuple[float, float], view: str = SONG, width: int = 300) -> list[str]:
    """What is held at each pixel."""
    start, end = region
    grips = f"m.gripsOf({{start: {start}, end: {end}}}, {view}, {width})"
    call = f"Array.from({{length: {width} + 1}}, (_, x) => m.partAt({grips}, x))"
    found: list[str] = evaluate("waveform/grips.js", call)
    return found


@pytest.mark.parametrize("start", [0, 1, 299, 598])
def test_two_seconds_of_ten_minutes_can_be_held_by_either_end_and_moved(start: float) -> None:
    """They are one pixel wide; each part is as wide as a pointer needs, and on the picture."""
    found = parts((start, start + 2))
    runs = [(part, len(list(run))) for part, run in itertools.groupby(found)]
    kept = {part: width for part, width in runs if part != "new"}
    assert list(kept) == ["start", "whole", "end"]
    assert kept["start"] >= 18
    assert kept["whole"] >= 11
    assert kept["end"] >= 18


def test_the_ends_of_a_long_region_are_held_at_their_lines() -> None:
    found = parts((150, 450))  # pixels 75 and 225
    assert [found[x] for x in (65, 66, 75, 84)] == ["new", "start", "start", "start"]
    assert [found[x] for x in (85, 150, 215)] == ["whole"] * 3
    assert [found[x] for x in (216, 225, 234, 235)] == ["end", "end", "end", "new"]


def test_a_region_that_is_not_shown_holds_nothing() -> None:
    assert set(parts((10, 12), "{from: 300, to: 400}")) == {"new"}


def played(region: str, position: str, lead: str) -> tuple[float, float, float | None]:
    call = f"m.partToPlay({region}, 60, {position}, {lead})"
    found = evaluate("waveform/audition.js", call)
    return (found["from"], found["until"], found["again"])


REGION = "{start: 10, end: 20}"


@pytest.mark.parametrize(
    ("position", "lead", "expected"),
    [
        ("null", "null", (10, 20, None)),
        ("15", "null", (15, 20, None)),
        ("5", "null", (5, 60, None)),  # beside the region: on to the end of the sound
        ("20", "null", (20, 60, None)),
        ("null", "2", (8, 20, 8)),
        ("15", "2", (15, 20, 8)),
        ("30", "2", (8, 20, 8)),
        ("null", "12", (0, 20, 0)),
    ],
)
def test_what_is_played(
    position: str, lead: str, expected: tuple[float, float, float | None]
) -> None:
    assert played(REGION, position, lead) == expected


def test_a_region_beyond_the_sound_plays_what_there_is() -> None:
    assert played("{start: 50, end: 90}", "null", "null") == (50, 60, None)
    assert played("{start: 70, end: 90}", "null", "null") == (0, 60, None)


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ("null", 1),
        (f"{GRID}.evenRuler(1.5)", 1.5),
        (f"{GRID}.measuredRuler([0, 2, 4.5, 6.5])", 2.5),
    ],
)
def test_a_loop_begins_a_bar_before_the_region_or_a_second(bar: str, expected: float) -> None:
    assert evaluate("waveform/audition.js", f"m.leadBefore(4.5, {bar})") == expected


def test_a_silent_sound_that_is_late_runs_faster_until_it_is_not() -> None:
    """One that is far off is sought instead."""
    speeds = evaluate("waveform/companion.js", "[0.05, -0.05, 0.2, 0.004, 0.3].map(m.speedFor)")
    assert speeds == pytest.approx([1.05, 0.95, 1.2, 1, 1])


def test_a_peak_between_two_columns_is_not_lost() -> None:
    peaks = "[0, 9, 0, 0, 5]"
    found = evaluate(
        "waveform/peaks.js",
        f"[[0, 2.5], [2, 4], [4.2, 4.4], [3.9, 7]].map(([a, b]) => m.loudest({peaks}, a, b))",
    )
    assert found == [9, 0, 5, 5]


def drawn(grid: str, view: str = "{from: 0, to: 8}") -> list[list[Any]]:
    """What is drawn on 300 to 64 pixels: the method of the brush, and what it was given."""
    brush = """new Proxy({done: []}, {
        get: (all, name) => all[name] ?? ((...given) => {
            all.done.push([name, ...given]);
            return {width: 20};
        }),
        set: () => true,
    })"""
    scene = f"{{peaks: [255, 0], seconds: 8, view: {view}, grid: {grid}, now: 2}}"
    size = "{width: 300, height: 64, fine: 1}"
    call = f"((b, scene) => (m.paint(b, scene, {size}, {{}}), b.done))({brush}, {scene})"
    found: list[list[Any]] = evaluate("waveform/draw.js", call)
    return found


def test_times_stand_below_the_wave_and_numbers_of_bars_above_it_at_their_lines() -> None:
    known = drawn(f"{{beat: {GRID}.evenRuler(0.5), bar: {GRID}.evenRuler(2)}}")
    words = [each[1:] for each in known if each[0] == "fillText"]
    assert [label for label, _, y in words if y == 58] == ["0:00", "0:02", "0:04", "0:06"]
    assert [(label, x) for label, x, y in words if y == 6] == [
        ("1", 3), ("2", 78), ("3", 153), ("4", 228)
    ]  # fmt: skip
    unknown = [each[1:] for each in drawn("null") if each[0] == "fillText"]
    assert {y for _, _, y in unknown} == {58}


def test_the_wave_lies_between_the_words() -> None:
    """The first column has the loudest peak, 0.94 of the height that is left."""
    bars = f"{{beat: {GRID}.evenRuler(2), bar: {GRID}.evenRuler(8)}}"
    for grid, top in ((bars, 12), ("null", 0)):
        tall = round((64 - 12 - top) * 0.94)
        box = ["fillRect", 0, math.ceil((top + 64 - 12 - tall) / 2), 1, tall]
        assert [each for each in drawn(grid) if each[1:2] == [0] and each[4] == tall] == [box]


def test_every_text_of_a_waveform_is_in_every_language() -> None:
    names = "Object.values(m.MESSAGES).map(Object.keys)"
    english, *others = evaluate("waveform/messages.js", names)
    assert len(others) == 2
    for each in others:
        assert sorted(each) == sorted(english)


def test_a_node_is_found_in_the_workflow_that_was_sent_through_subgraphs() -> None:
    """Ids are numbers in older pages and texts in newer ones."""
    inner = {"id": "part", "nodes": [{"id": 12, "properties": {"takes": "inner"}}]}
    workflow = {
        "nodes": [{"id": "12", "type": "Save", "properties": {}}, {"id": 3, "type": "part"}],
        "definitions": {"subgraphs": [inner]},
    }
    found = [
        f"m.savedNode({json.dumps(workflow)}, {id!r}) ?? null"
        for id in ("12", "3:12", "4", "12:12")
    ]
    assert evaluate("waveform/cached_runs.js", f"[{', '.join(found)}]") == [
        workflow["nodes"][0],
        inner["nodes"][0],
        None,
        None,
    ]

"""First visits to the apps: from opening ComfyUI to hearing, without a word typed."""

from typing import Any

import pytest

from tools.workflows.alignment_flows import LYRICS
from tools.workflows.apps import APPS
from tools.workflows.menu import FIRST, STEMS

Found = dict[str, Any]
MOST_CLICKS = {  # the list of templates, the app, Run, and what the task needs
    "start_here": 3,
    "song_from_idea": 3,
    "cover": 5,
    "repaint_section": 6,
    "stems": 5,
    "karaoke": 3,
}
SECONDS = 10.0  # of the song
LOW = 120  # pixels of a box for lyrics: seven lines


@pytest.fixture(params=APPS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_list_of_templates_begins_as_a_menu(visited: Found) -> None:
    assert visited["menu"][: len(FIRST)] == [STEMS[name] for name in FIRST]


def test_a_song_is_heard_after_few_clicks(visited: Found, name: str) -> None:
    found = visited["apps"][name]
    assert found["heard"]
    assert found["clicks"] <= MOST_CLICKS[name]


def test_the_app_says_what_it_asks_in_words_of_its_own(visited: Found, name: str) -> None:
    assert visited["apps"][name]["shown"] == [each.label for each in APPS[name]]


def test_the_box_for_lyrics_has_room_to_write(visited: Found, name: str) -> None:
    asked = any(each.widget == "lyrics" for each in APPS[name])
    box = visited["apps"][name]["lyrics"]
    assert box > LOW if asked else box is None


def test_caption_and_lyrics_have_their_writing_aids(visited: Found, name: str) -> None:
    texts = [each.widget for each in APPS[name] if each.widget in ("caption", "lyrics")]
    assert sorted(visited["apps"][name]["aids"]) == sorted(texts)


@pytest.mark.parametrize("name", ["cover", "repaint_section"])
def test_the_file_that_was_chosen_is_the_one_that_is_sent(visited: Found, name: str) -> None:
    assert inputs(visited["apps"][name], "AceStep15LoadRecording")["audio"] == "own.wav"


def test_the_region_that_was_drawn_is_the_one_that_is_sent(visited: Found) -> None:
    """From 1.5 to 11.5 seconds, as close as a pixel of the mouse allows."""
    sent = inputs(visited["apps"]["repaint_section"], "AceStep15Repaint")
    assert (sent["start"], sent["end"]) == pytest.approx((1.5, 11.5), abs=0.2)


def test_karaoke_has_its_sections_and_lines_below_the_song(visited: Found) -> None:
    """When they are sung is up to the weights; here it is within the song, in order."""
    sections, lines = visited["apps"]["karaoke"]["sung"]
    assert [each["text"] for each in sections] == ["Verse", "Chorus"]
    assert [each["text"] for each in lines] == [
        line for line in LYRICS.splitlines() if line and not line.startswith("[")
    ]
    starts = [each["start"] for each in lines]
    assert starts == sorted(starts)
    assert all(0 <= each["start"] < each["end"] <= SECONDS for each in lines + sections)
    assert visited["apps"]["cover"]["sung"] == []


def test_nothing_broke_on_the_page(visited: Found, name: str) -> None:
    assert visited["apps"][name]["problems"] == []


def inputs(found: Found, kind: str) -> dict[str, Any]:
    (node,) = (each for each in found["sent"].values() if each["class_type"] == kind)
    return node["inputs"]

"""Two seconds of the song on the sampler's node while it is made; in both renderers."""

from typing import Any

import pytest

from tests.browser.conftest import as_written

Found = dict[str, Any]


def test_the_node_names_the_step_of_the_newest_preview(preview: Found) -> None:
    assert preview["messages"] == [f"step {step} of 8: 0:04–0:06" for step in (2, 4, 6, 8)]
    left, top, right, bottom = preview["before"]["box"]
    assert right - left > 100
    assert bottom - top > 10


def test_nothing_plays_by_itself(preview: Found) -> None:
    before = preview["before"]
    assert (before["face"], before["played"], before["autoplay"]) == ("▶", "", False)


def test_the_keyboard_plays_its_two_seconds(preview: Found) -> None:
    assert preview["keyed"]
    sounds = preview["sounds"]
    assert sounds["seconds"] == pytest.approx(2.0)
    assert sounds["played"] == sounds["newest"]
    assert sounds["label"].endswith(preview["messages"][-1])


def test_once_asked_for_each_newer_one_is_played_until_it_is_stopped(preview: Found) -> None:
    assert preview["autoplays"]
    assert (preview["stopped"]["face"], preview["stopped"]["autoplay"]) == ("▶", False)


def test_another_run_is_silent_until_it_is_asked_for(preview: Found) -> None:
    again = preview["again"]
    assert again["autoplay"] is False
    assert again["played"] != again["newest"]
    assert again["text"] == "step 8 of 8: 0:04–0:06"


def test_nothing_of_it_is_saved_or_sent(preview: Found) -> None:
    assert as_written(preview["sentAgain"], {}) == as_written(preview["sent"], {})
    (sampler,) = (n for n in preview["sent"].values() if n["class_type"] == "AceStep15Sampler")
    assert "audio_preview" not in sampler["inputs"]
    assert sampler["inputs"]["preview_every"] == 2
    assert preview["saved"] == preview["savedWith"] == preview["savedAgain"]
    assert preview["rows"] == 0  # after it was opened again


def test_a_browser_that_cannot_play_it_says_so(preview: Found) -> None:
    assert preview["cannotPlay"] == "This browser cannot play it"


def test_a_sampler_in_a_subgraph_is_found_and_no_other_node(preview: Found) -> None:
    assert preview["nested"] == {"sampler": "▶step 2 of 8: 0:04–0:06", "others": 0}


def test_nothing_broke_on_the_page(preview: Found) -> None:
    assert preview["problems"] == []

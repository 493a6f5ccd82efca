"""Two seconds of the song on the sampler's node while it is made; in both renderers."""

from typing import Any

import pytest

from tests.browser.conftest import as_written

Found = dict[str, Any]


def test_the_newest_guess_is_named_on_the_node_as_it_comes(heard: Found) -> None:
    assert heard["said"] == [f"step {step} of 8: 0:04–0:06" for step in (2, 4, 6, 8)]
    left, top, right, bottom = heard["before"]["box"]
    assert right - left > 100
    assert bottom - top > 10


def test_nothing_plays_by_itself(heard: Found) -> None:
    before = heard["before"]
    assert (before["face"], before["played"], before["follows"]) == ("▶", "", False)


def test_the_keyboard_plays_its_two_seconds(heard: Found) -> None:
    assert heard["keyed"]
    sounds = heard["sounds"]
    assert sounds["seconds"] == pytest.approx(2.0)
    assert sounds["played"] == sounds["newest"]
    assert sounds["label"].endswith(heard["said"][-1])


def test_once_asked_for_each_newer_one_is_played_until_it_is_stopped(heard: Found) -> None:
    assert heard["follows"]
    assert (heard["stopped"]["face"], heard["stopped"]["follows"]) == ("▶", False)


def test_another_run_is_silent_until_it_is_asked_for(heard: Found) -> None:
    again = heard["again"]
    assert again["follows"] is False
    assert again["played"] != again["newest"]
    assert again["text"] == "step 8 of 8: 0:04–0:06"


def test_nothing_of_it_is_saved_or_sent(heard: Found) -> None:
    assert as_written(heard["sentAgain"], {}) == as_written(heard["sent"], {})
    (sampler,) = (n for n in heard["sent"].values() if n["class_type"] == "AceStep15Sampler")
    assert "hearing" not in sampler["inputs"]
    assert sampler["inputs"]["listen_every"] == 2
    assert heard["saved"] == heard["savedWith"] == heard["savedAgain"]
    assert heard["rows"] == 0  # after it was opened again


def test_a_browser_that_cannot_play_it_says_so(heard: Found) -> None:
    assert heard["unheard"] == "This browser cannot play it"


def test_a_sampler_in_a_subgraph_is_found_and_no_other_node(heard: Found) -> None:
    assert heard["nested"] == {"sampler": "▶step 2 of 8: 0:04–0:06", "others": 0}


def test_nothing_broke_on_the_page(heard: Found) -> None:
    assert heard["problems"] == []

"""Every workflow as a user of ComfyUI's page meets it, in the classic canvas and in Nodes 2.0."""

import io
import json
import urllib.request
from itertools import combinations
from typing import Any

import pytest
import soundfile

from tests.browser.conftest import as_written
from tools.workflows.menu import NAMES, page_path
from tools.workflows.prompts import read_prompt

Box = list[float]  # left, top, width, height
LAPTOP = (1440, 900)  # pixels, as in views.mjs


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def overlap(one: Box, other: Box) -> bool:
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def inside(inner: Box, outer: Box) -> bool:
    return all(
        outer[i] <= inner[i] and inner[i] + inner[i + 2] <= outer[i] + outer[i + 2] for i in (0, 1)
    )


def test_it_opens_without_a_missing_node_a_red_frame_or_a_dialog(
    seen: dict[str, Any], name: str
) -> None:
    for found in ("missing", "errors", "problems", "dialogs"):
        assert seen[name][found] == [], found


def test_all_of_a_template_is_seen_in_the_window_of_a_laptop(
    seen: dict[str, Any], name: str
) -> None:
    boxes = seen[name]["view"]["boxes"]
    assert [box for box in boxes if not inside(box, [0, 0, *LAPTOP])] == []


def test_the_page_sends_what_the_api_file_says(seen: dict[str, Any], name: str) -> None:
    assert as_written(seen[name]["api"], read_prompt(name)) == read_prompt(name)


def test_it_is_the_same_after_it_was_saved_and_opened(seen: dict[str, Any], name: str) -> None:
    assert as_written(seen[name]["again"], read_prompt(name)) == read_prompt(name)


def test_nodes_lie_beside_each_other_and_within_their_group(
    seen: dict[str, Any], name: str
) -> None:
    """As large as this renderer draws them."""
    nodes, groups = seen[name]["boxes"], seen[name]["groups"]
    for one, other in combinations(nodes, 2):
        assert not overlap(one["box"], other["box"]), (one["title"], other["title"])
    note = json.loads(page_path(name).read_text(encoding="utf-8"))["nodes"][-1]["title"]
    for node in nodes:
        met = [group["box"] for group in groups if overlap(node["box"], group["box"])]
        assert len(met) == (node["title"] != note), node["title"]
        assert all(inside(node["box"], box) for box in met), node["title"]


def test_a_run_ends_in_one_player_with_the_song_and_a_picture(seen: dict[str, Any]) -> None:
    ran = seen["text_to_music"]
    assert ran["others"] == 0
    (player,) = ran["files"]
    assert player["duration"] == 10.0
    with urllib.request.urlopen(player["src"]) as answer:
        samples, rate = soundfile.read(io.BytesIO(answer.read()))
    assert rate == 48_000
    assert samples.shape == (480_000, 2)
    assert samples.any()
    assert len(ran["images"]) == 1


def test_a_second_run_would_save_nothing_again(seen: dict[str, Any]) -> None:
    """What the player of the first run plays is no input: ComfyUI has the node's result."""

    def saving(prompt: dict[str, Any]) -> list[Any]:
        kind = "AceStep15SaveAudio"
        return [node["inputs"] for node in prompt.values() if node["class_type"] == kind]

    ran = seen["text_to_music"]
    assert len(saving(ran["afterwards"])) == 1
    assert saving(ran["afterwards"]) == saving(ran["again"])

"""The song behind one node: what its face shows, what is behind it, and that it plays."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tools.hosts.checkout import ROOT
from tools.hosts.pack import Pack
from tools.workflows.graph import Flow, PromotedWidget, Subgraph, api
from tools.workflows.menu import page_path
from tools.workflows.prompts import read_prompt, with_input, with_miniature

SHOWN = ["caption", "lyrics", "instrumental", "seconds", "language", "seed"]
BLUEPRINTS = sorted((ROOT / "subgraphs").glob("*.json"))


@pytest.fixture(params=BLUEPRINTS, ids=lambda path: path.stem)
def blueprint(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text())


@pytest.fixture
def inside(blueprint: dict[str, Any]) -> dict[str, Any]:
    (part,) = blueprint["definitions"]["subgraphs"]
    return part


def test_the_node_library_finds_one_node_and_what_is_behind_it(
    blueprint: dict[str, Any], inside: dict[str, Any]
) -> None:
    (node,) = blueprint["nodes"]
    assert node["type"] == inside["id"]
    assert node["title"] == inside["name"] in [path.stem for path in BLUEPRINTS]
    assert [each["name"] for each in node["inputs"]] == SHOWN
    assert {"music", "song", "suno"} <= set(blueprint["extra"]["BlueprintSearchAliases"])


def test_each_widget_on_the_face_is_one_of_a_node_within(
    blueprint: dict[str, Any], inside: dict[str, Any]
) -> None:
    (node,) = blueprint["nodes"]
    numbers = {each["id"]: each for each in inside["nodes"]}
    proxies = node["properties"]["proxyWidgets"]
    for place, (slot, (number, widget)) in enumerate(zip(inside["inputs"], proxies, strict=True)):
        (link,) = (each for each in inside["links"] if each["id"] in slot["linkIds"])
        target = numbers[link["target_id"]]
        reached = target["inputs"][link["target_slot"]]
        assert (str(target["id"]), reached["widget"]["name"]) == (number, widget)
        assert (link["origin_id"], link["origin_slot"]) == (inside["inputNode"]["id"], place)
        assert reached["link"] == link["id"]


def test_the_workflow_to_start_with_has_the_same_song_as_the_library(
    inside: dict[str, Any],
) -> None:
    page = json.loads(page_path("start_here").read_text())
    assert page["definitions"]["subgraphs"] == [inside]


def test_no_node_within_lies_on_another(inside: dict[str, Any]) -> None:
    def size(node: dict[str, Any]) -> list[int]:
        width, height = node["size"]
        return [width, 1 if node["flags"].get("collapsed") else height]

    def meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return all(
            one["pos"][i] < other["pos"][i] + size(other)[i]
            and other["pos"][i] < one["pos"][i] + size(one)[i]
            for i in (0, 1)
        )

    assert not any(meet(*pair) for pair in combinations(inside["nodes"], 2))


def test_a_number_within_is_none_of_those_around_it(inside: dict[str, Any]) -> None:
    page = json.loads(page_path("start_here").read_text())
    around = {node["id"] for node in page["nodes"]}
    assert not around & {node["id"] for node in inside["nodes"]}


def test_behind_the_face_is_the_workflow_from_text_to_music() -> None:
    without = ("AceStep15Song", "AceStep15SaveAudio", "AceStep15Picture", "PreviewImage")

    def settings(name: str) -> dict[str, dict[str, Any]]:
        return {
            node["class_type"]: {
                key: value for key, value in node["inputs"].items() if not isinstance(value, list)
            }
            for node in read_prompt(name).values()
            if node["class_type"] not in without
        }

    assert settings("start_here") == settings("text_to_music")


def test_what_the_face_says_reaches_the_node_within(pack: Pack) -> None:
    inner = Flow("inner", "", "", first=50)
    song = inner.group("").add("AceStep15Song", caption="a waltz", seconds=20.0)
    part = Subgraph(
        "Part", inner, (PromotedWidget("words", song, "caption"),), {"out": song.out("song")}
    )
    flow = Flow("outer", "", "")
    node = flow.group("").add_subgraph(part)
    flow.group("").add("AceStep15SongDetails", song=node.out("out"))
    prompt = api(flow, pack.host.nodes)
    assert prompt["1:50"]["inputs"]["caption"] == "a waltz"
    assert prompt["2"]["inputs"]["song"] == ["1:50", 0]


def test_the_first_workflow_plays(pack: Pack, models: Path, base_directory: Path) -> None:
    prompt = with_input(with_miniature(read_prompt("start_here")), "seconds", 10.0)
    outcome = pack.host.run(with_input(prompt, "dtype", "fp32"))
    assert outcome.complete, outcome.why()
    (shown,) = (ui["audio"] for ui in outcome.ui.values() if "audio" in ui)
    assert (base_directory / "output" / shown[0]["subfolder"] / shown[0]["filename"]).is_file()

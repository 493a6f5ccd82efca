"""The workflow files: as their descriptions say, complete, and laid out to be read."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from tools.hosts.checkout import ROOT, find_checkout, version_of
from tools.hosts.in_process import InProcessHost
from tools.hosts.pack import Pack
from tools.workflows.make_workflows import is_part_of, outdated
from tools.workflows.menu import NAMES, STEMS, WORKFLOWS, page_path
from tools.workflows.prompts import read_prompt
from tools.workflows.sampling_flows import OWN_LORA

TITLE_BAR = 30  # pixels that the page draws above a node's place
WINDOW = (1420, 885)  # pixels of the canvas, in a window of 1440 x 900
FILLED = 0.75  # what the page fills of it with a template
LEAST_ZOOM = 0.7
LARGEST_PICTURE = 60_000  # bytes


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(name: str) -> dict[str, Any]:
    return json.loads(page_path(name).read_text(encoding="utf-8"))


def box(node: dict[str, Any]) -> tuple[int, int, int, int]:
    """Of a folded node there is the title bar alone."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE_BAR, x + width, y + (0 if folded(node) else height)


def folded(node: dict[str, Any]) -> bool:
    return node["flags"].get("collapsed", False)


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_the_files_are_what_their_descriptions_give(pack: Pack) -> None:
    assert outdated(pack.host.nodes, newer=not knows_the_oldest(pack)) == []


def knows_the_oldest(pack: Pack) -> bool:
    """Whether the stock nodes here are those of the oldest ComfyUI, as the files have them."""
    checkout = find_checkout()
    if checkout is None or not isinstance(pack.host, InProcessHost):
        return True
    oldest = f'requires-comfyui = ">={version_of(checkout)}"'
    return oldest in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("written", "here", "same"),
    [
        ({"outputs": []}, {"outputs": ["AUDIO"]}, True),
        ({"inputs": {"fps": 12}}, {"inputs": {"fps": 12, "bit_depth": 8}}, True),
        ({"inputs": {"fps": 12}}, {"inputs": {"fps": 24}}, False),
        ({"inputs": {"codec": "auto"}}, {"inputs": {}}, False),
        ({"outputs": ["AUDIO"]}, {"outputs": []}, False),
        ({"outputs": ["AUDIO"]}, {"outputs": ["IMAGE", "AUDIO"]}, False),
        ({"size": [1, 2], "type": "a"}, {"size": [3, 4], "type": "a"}, True),
        ([1, 7, 0, 8, 1, "IMAGE"], [1, 7, 0, 8, 0, "IMAGE"], True),
        ([1, 7, 0, 8, 1, "IMAGE"], [1, 7, 1, 8, 1, "IMAGE"], False),
        ([{"name": "a", "link": 1}], [{"name": "b", "link": 2}, {"name": "a", "link": 1}], True),
        ([{"name": "a", "link": 1}], [{"name": "b", "link": 1}, {"name": "a", "link": 2}], False),
    ],
)
def test_a_newer_host_may_only_add_to_a_workflow(written: Any, here: Any, same: bool) -> None:
    assert is_part_of(written, here) is same


def subgraphs(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in page.get("definitions", {}).get("subgraphs", [])}


def every_node(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Also those behind the face of another."""
    behind = [node for each in subgraphs(page).values() for node in each["nodes"]]
    return [node for node in (*page["nodes"], *behind) if node["type"] not in subgraphs(page)]


def flat_numbers(page: dict[str, Any]) -> dict[str, str]:
    """number in the API format: kind"""
    found = {}
    for node in page["nodes"]:
        if node["type"] in subgraphs(page):
            inner = subgraphs(page)[node["type"]]["nodes"]
            found |= {f"{node['id']}:{each['id']}": each["type"] for each in inner}
        elif node["type"] != "MarkdownNote":
            found[str(node["id"])] = node["type"]
    return found


def test_both_formats_have_the_same_nodes(name: str, page: dict[str, Any]) -> None:
    api = read_prompt(name)
    assert flat_numbers(page) == {number: node["class_type"] for number, node in api.items()}


def flat_wires(page: dict[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """(number, input, what it is wired to) with the numbers of the API format"""
    nodes = {node["id"]: node for node in page["nodes"]}
    for _, source, slot, target, place, _kind in page["links"]:
        name = nodes[target]["inputs"][place]["name"]
        yield str(target), name, through(page, nodes[source], slot)
    for outer in (node for node in page["nodes"] if node["type"] in subgraphs(page)):
        part = subgraphs(page)[outer["type"]]
        inner = {node["id"]: node for node in part["nodes"]}
        for link in part["links"]:
            if {link["origin_id"], link["target_id"]} <= set(inner):
                slot = inner[link["target_id"]]["inputs"][link["target_slot"]]
                number = f"{outer['id']}:{link['target_id']}"
                origin = [f"{outer['id']}:{link['origin_id']}", link["origin_slot"]]
                yield number, slot["name"], origin


def through(page: dict[str, Any], node: dict[str, Any], slot: int) -> list[Any]:
    """The output, or the one behind it when the node is a face."""
    if node["type"] not in subgraphs(page):
        return [str(node["id"]), slot]
    part = subgraphs(page)[node["type"]]
    (number,) = part["outputs"][slot]["linkIds"]
    link = next(each for each in part["links"] if each["id"] == number)
    return [f"{node['id']}:{link['origin_id']}", link["origin_slot"]]


def test_both_formats_have_the_same_wires(name: str, page: dict[str, Any]) -> None:
    api = read_prompt(name)
    wires = list(flat_wires(page))
    assert all(api[number]["inputs"][name] == source for number, name, source in wires)
    wired = [v for node in api.values() for v in node["inputs"].values() if isinstance(v, list)]
    assert len(wired) == len(wires)


def test_every_wire_is_known_at_both_ends(page: dict[str, Any]) -> None:
    nodes = {node["id"]: node for node in page["nodes"]}
    for number, source, slot, target, place, kind in page["links"]:
        out, into = nodes[source]["outputs"][slot], nodes[target]["inputs"][place]
        assert number in out["links"]
        assert into["link"] == number
        assert out["type"] == kind
        assert kind in into["type"].split(",") or into["type"] == "*"
        assert nodes[source]["order"] < nodes[target]["order"]


def test_every_model_file_can_be_downloaded(page: dict[str, Any]) -> None:
    files = [v for n in every_node(page) for v in n["widgets_values"] if _is_file(v)]
    files = [file for file in files if file != OWN_LORA]  # the user's own
    models = [each for node in every_node(page) for each in node["properties"].get("models", [])]
    assert sorted(each["name"] for each in models) == sorted(files)
    for each in models:
        assert each["url"].startswith("https://huggingface.co/")
        assert each["url"].endswith(f"{each['directory']}/{each['name']}")


def test_no_node_lies_on_another_and_each_is_in_one_group(page: dict[str, Any]) -> None:
    for one, other in combinations(page["nodes"], 2):
        assert not overlap(box(one), box(other)), (one["type"], other["type"])
    groups = [each["bounding"] for each in page["groups"]]
    corners = [(x, y, x + width, y + height) for x, y, width, height in groups]
    for one, other in combinations(corners, 2):
        assert not overlap(one, other)
    for node in page["nodes"]:
        left, top, right, bottom = box(node)
        held = [g for g in corners if g[0] <= left and g[1] <= top and right <= g[2]]
        held = [g for g in held if bottom <= g[3]]
        assert len(held) == (node["type"] != "MarkdownNote")


def test_wires_run_to_a_column_on_the_right_or_down_their_own(page: dict[str, Any]) -> None:
    places = {node["id"]: node["pos"] for node in page["nodes"]}
    for _, source, _, target, _, _ in page["links"]:
        (x, y), (far, below) = places[source], places[target]
        assert x < far or (x == far and y < below), (source, target)


def test_it_opens_at_70_percent_in_the_window_of_a_laptop(page: dict[str, Any]) -> None:
    """Without the page's own margin, a quarter of the window."""
    boxes = [box(node) for node in page["nodes"]]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    width, height = max(rights) - min(lefts), max(bottoms) - min(tops)
    assert min(WINDOW[0] / width, WINDOW[1] / height) * FILLED >= LEAST_ZOOM, (width, height)


MODELS = ("LoadModel", "LoadTextEncoder", "LoadVAE", "LoadLM", "LoadCheckpoint")


def test_models_are_folded_in_one_group(page: dict[str, Any]) -> None:
    """As one seldom touches them."""
    models = [n for n in page["nodes"] if n["type"].removeprefix("AceStep15") in MODELS]
    assert all(map(folded, models))
    groups = {each["title"]: each["bounding"] for each in page["groups"]}
    for node in models:
        left, top, width, height = groups["Models"]
        assert left < node["pos"][0] < left + width
        assert top < node["pos"][1] < top + height


def test_a_picture_shows_what_the_workflow_does(name: str) -> None:
    picture = (WORKFLOWS / f"{STEMS[name]}.jpg").read_bytes()
    assert picture[:3] == b"\xff\xd8\xff"
    assert len(picture) < LARGEST_PICTURE


def test_there_is_a_note_beside_the_graph(page: dict[str, Any]) -> None:
    notes = [node for node in page["nodes"] if node["type"] == "MarkdownNote"]
    assert len(notes) == 1
    assert notes[0]["widgets_values"][0].startswith("## ")
    assert "`" not in notes[0]["widgets_values"][0]  # the page draws code dark on dark


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(".safetensors")

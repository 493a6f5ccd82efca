"""The workflows that open as an app, and the menu of all."""

import json
from typing import Any

import pytest

from tools.hosts.pack import Pack
from tools.workflows.apps import APPS, LABEL, TAKES
from tools.workflows.flows import FLOWS
from tools.workflows.graph import inputs_of, with_subgraphs
from tools.workflows.menu import FIRST, STEMS, WORKFLOWS, as_graph, page_path

OWN = ("AceStep15SaveAudio", "AceStep15Repaint")  # with a widget that web/waveform adds
PAGES = {name: json.loads(page_path(name).read_text(encoding="utf-8")) for name in STEMS}


@pytest.fixture(params=APPS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def nodes(name: str) -> dict[int, dict[str, Any]]:
    return {node["id"]: node for node in PAGES[name]["nodes"]}


def label(node: dict[str, Any], widget: str) -> str:
    """What the app calls the widget."""
    if widget == TAKES:
        return node["properties"][LABEL]
    (found,) = (each["label"] for each in node["inputs"] if each["name"] == widget)
    return found


def test_an_app_shows_widgets_that_its_nodes_have(name: str, pack: Pack) -> None:
    flow = next(flow for flow in (make() for make in FLOWS) if flow.name == name)
    classes = with_subgraphs(flow, pack.host.nodes)
    for number, widget in PAGES[name]["extra"]["linearData"]["inputs"]:
        kind = nodes(name)[number]["type"]
        if widget == TAKES:
            assert kind in OWN
        else:
            (socket,) = (each for each in inputs_of(classes[kind]) if each.name == widget)
            assert socket.is_widget


def test_each_has_a_name_that_nothing_else_in_the_app_has(name: str) -> None:
    shown = PAGES[name]["extra"]["linearData"]["inputs"]
    labels = [label(nodes(name)[number], widget) for number, widget in shown]
    assert len(set(labels)) == len(labels) == len(APPS[name])
    assert all(each[0].isupper() and "_" not in each for each in labels)


def test_what_is_heard_is_what_is_saved_and_its_takes_are_beside_it(name: str) -> None:
    data = PAGES[name]["extra"]["linearData"]
    saving = [n for n, node in nodes(name).items() if node["type"] == "AceStep15SaveAudio"]
    assert data["outputs"] == saving
    takes = [n for n, widget in data["inputs"] if widget == TAKES and n in saving]
    assert takes == saving


def test_only_apps_open_as_one_and_are_marked_in_the_list() -> None:
    for name, page in PAGES.items():
        assert page["extra"].get("linearMode", False) is (name in APPS)
        assert STEMS[name].endswith(".app") is (name in APPS)
        assert as_graph(page)["extra"]["linearMode"] is False


def test_the_list_reads_like_a_menu() -> None:
    names = [stem.removesuffix(".app") for stem in STEMS.values()]
    assert len({each.lower() for each in names}) == len(names)
    assert sorted(names)[: len(FIRST)] == [STEMS[each].removesuffix(".app") for each in FIRST]
    assert not any("_" in each for each in names)
    files = {path.name for path in WORKFLOWS.iterdir() if path.is_file()}
    assert files == {f"{stem}.{end}" for stem in STEMS.values() for end in ("json", "jpg")}

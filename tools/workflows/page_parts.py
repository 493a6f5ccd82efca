"""The parts of ComfyUI's page format: nodes, wires with their reroutes, groups."""

from collections.abc import Mapping
from typing import Any

from tools.workflows.graph import (
    Flow,
    Group,
    Node,
    Out,
    Socket,
    connectable_of,
    inputs_of,
    outputs_of,
    slot_of,
    slots_of,
    title_of,
    widget_values,
)
from tools.workflows.layout import FOOT, HEAD, Lane, Layout
from tools.workflows.node_sizes import WIDTH, has_control, height_of
from tools.workflows.seed_controls import control_of

COLOURS = ("#5b9bd5", "#8A8", "#d0a040", "#99B", "#c070c0")
GUTTER, EDGE = 150, 20  # pixels: between columns, between a group's frame and its nodes
PACK = {"cnr_id": "acestep15"}
STOCK = {"cnr_id": "comfy-core"}
Link = list[Any]  # [id, from node, its slot, to node, its slot, type]


def left_of(column: int) -> int:
    return column * (WIDTH + GUTTER)


def reroutes_of(layout: Layout, links: list[Link]) -> dict[str, Any]:
    """The reroute points of long wires, before and after the columns that they pass."""
    reroutes: list[dict[str, Any]] = []
    last: dict[int, int] = {}  # link -> the point before its end
    for lane in layout.lanes.values():
        passing = {
            link[0]: layout.columns[link[3]] for link in links if _passes(link, lane, layout)
        }
        parent = None
        for x, column in _points(lane, set(passing.values())):
            point: dict[str, Any] = {"id": len(reroutes) + 1, "pos": [x, lane.top]}
            point["linkIds"] = sorted(n for n, target in passing.items() if target >= column)
            if parent is not None:
                point["parentId"] = parent
            parent = point["id"]
            reroutes.append(point)
            last |= dict.fromkeys(point["linkIds"], parent)
    if not reroutes:
        return {}
    extensions = [{"id": link, "parentId": point} for link, point in sorted(last.items())]
    return {"linkExtensions": extensions, "reroutes": reroutes}


def _passes(link: Link, lane: Lane, layout: Layout) -> bool:
    return (link[1], link[2]) == lane.output and layout.columns[link[3]] > lane.first


def _points(lane: Lane, targets: set[int]) -> list[tuple[int, int]]:
    """(x, the column of the nearest node that is reached from there)"""
    start = (left_of(lane.first) - 2 * EDGE, lane.first + 1)
    return [start, *((left_of(column) - GUTTER // 2, column) for column in sorted(targets))]


def links_of(flow: Flow, classes: Mapping[str, Any]) -> list[Link]:
    """Every wire."""
    links: list[Link] = []
    for node in flow.nodes:
        names = [socket.name for socket in connectable_of(classes[node.kind])]
        for name, value in node.inputs.items():
            if isinstance(value, Out):
                slot = slot_of(value, classes)
                kind = outputs_of(classes[value.node.kind])[slot].kind
                ends = [flow.number(value.node), slot, flow.number(node), names.index(name)]
                links.append([len(links) + 1, *ends, kind])
    return links


def node_of(
    flow: Flow,
    node: Node,
    classes: Mapping[str, Any],
    layout: Layout,
    links: list[Link],
) -> dict[str, Any]:
    number = flow.number(node)
    into = {link[4]: link[0] for link in links if link[3] == number}
    properties: dict[str, Any] = {"Node name for S&R": node.kind}
    properties |= PACK if node.kind.startswith("AceStep15") else STOCK
    if node.inside is not None:
        shown = [[str(node.inside.flow.number(i.node)), i.widget] for i in node.inside.promoted]
        properties = {"proxyWidgets": shown, "cnr_id": PACK["cnr_id"]}
    if node.files:
        properties["models"] = [
            {"name": file.name, "url": file.url, "directory": file.folder} for file in node.files
        ]
    return {
        "id": number,
        "type": node.kind,
        "pos": [left_of(layout.columns[number]), layout.tops[number]],
        "size": [WIDTH, height_of(node, classes)],
        "flags": {},
        "order": number - flow.first,
        "mode": 0,
        "inputs": [
            {"name": socket.name, "type": socket.kind, "link": into.get(slot)}
            | ({"shape": 7} if socket.optional else {})
            | ({"widget": {"name": socket.name}} if socket.is_widget else {})
            for slot, socket in enumerate(_drawn_slots(node, classes, into))
        ],
        "outputs": [
            {
                "name": socket.name,
                "type": socket.kind,
                "links": [link[0] for link in links if link[1:3] == [number, slot]] or None,
            }
            for slot, socket in enumerate(outputs_of(classes[node.kind]))
        ],
        "title": title_of(classes[node.kind], node.kind),
        "properties": properties,
        "widgets_values": _values(flow, node, classes),
    }


def _drawn_slots(node: Node, classes: Mapping[str, Any], into: dict[int, int]) -> list[Socket]:
    """The inputs that are no widgets, then the widgets up to the last one that is wired."""
    inputs = connectable_of(classes[node.kind])
    if node.inside is not None:
        return inputs
    slots = len(slots_of(classes[node.kind]))
    return inputs[: max(slots, max(into, default=-1) + 1)]


def _values(flow: Flow, node: Node, classes: Mapping[str, Any]) -> list[Any]:
    """By position; the page adds a widget of its own after each seed."""
    sockets = {socket.name: socket for socket in inputs_of(classes[node.kind])}
    values: list[Any] = []
    for name, value in widget_values(node, list(sockets.values())).items():
        values.append(value)
        if name in sockets and has_control(sockets[name]):
            values.append(control_of(flow, node))
    return values


def groups_of(flow: Flow, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_group(place, group, flow, nodes) for place, group in enumerate(flow.groups)]


def _group(number: int, group: Group, flow: Flow, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    members = [nodes[flow.number(node) - flow.first] for node in group.nodes]
    left = min(node["pos"][0] for node in members) - EDGE
    right = max(node["pos"][0] for node in members) + WIDTH + EDGE
    top = min(node["pos"][1] for node in members) - HEAD
    bottom = max(node["pos"][1] + node["size"][1] for node in members) + FOOT
    return {
        "id": number + 1,
        "title": group.title,
        "bounding": [left, top, right - left, bottom - top],
        "color": COLOURS[number % len(COLOURS)],
        "font_size": 24,
        "flags": {},
    }

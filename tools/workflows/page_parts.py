"""The parts of ComfyUI's page format: nodes, wires with their reroutes, groups."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tools.workflows.apps import labels_of, properties_of
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
from tools.workflows.layout import FOOT, HEAD, Columns, columns_of, tops_of
from tools.workflows.node_sizes import has_control, height_of, room_below
from tools.workflows.seed_controls import control_of

COLOURS = ("#5b9bd5", "#8A8", "#d0a040", "#99B", "#c070c0")
EDGE = 12  # pixels between a group's frame and its nodes
PACK = {"cnr_id": "acestep15"}
STOCK = {"cnr_id": "comfy-core"}
Link = list[Any]  # [id, from node, its slot, to node, its slot, type]


@dataclass(frozen=True)
class Places:
    """Where the nodes of a flow stand: in which columns, and how far down by their numbers."""

    columns: Columns
    column: dict[int, int]
    tops: dict[int, int]
    floors: dict[int, int]  # where a column is free, if anything stands in it

    def of(self, number: int) -> list[int]:
        return [self.columns.left(self.column[number]), self.tops[number]]


def places_of(flow: Flow, classes: Mapping[str, Any]) -> Places:
    groups = [(group.column, [flow.number(node) for node in group.nodes]) for group in flow.groups]
    columns = {number: column for column, numbers in groups for number in numbers}
    heights = {
        flow.number(node): height_of(node, classes) + room_below(node) for node in flow.nodes
    }
    return Places(columns_of(flow), columns, *tops_of(groups, heights))


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
    places: Places,
    links: list[Link],
) -> dict[str, Any]:
    number = flow.number(node)
    into = {link[4]: link[0] for link in links if link[3] == number}
    labels = labels_of(flow, node)
    properties: dict[str, Any] = {"Node name for S&R": node.kind}
    properties |= properties_of(flow, node)
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
        "pos": places.of(number),
        "size": [places.columns.width, height_of(replace(node, folded=False), classes)],
        "flags": {"collapsed": True} if node.folded else {},
        "order": number - flow.first,
        "mode": 0,
        "inputs": [
            {"name": socket.name, "type": socket.kind, "link": into.get(slot)}
            | ({"shape": 7} if socket.optional else {})
            | ({"widget": {"name": socket.name}} if socket.is_widget else {})
            | ({"label": labels[socket.name]} if socket.name in labels else {})
            for slot, socket in enumerate(_drawn_slots(node, classes, into, labels))
        ],
        "outputs": [
            {
                "name": socket.name,
                "type": socket.kind,
                "links": [link[0] for link in links if link[1:3] == [number, slot]] or None,
            }
            for slot, socket in enumerate(outputs_of(classes[node.kind]))
        ],
        "title": title_of(classes[node.kind], node),
        "properties": properties,
        "widgets_values": _values(flow, node, classes),
    }


def _drawn_slots(
    node: Node, classes: Mapping[str, Any], into: dict[int, int], labels: dict[str, str]
) -> list[Socket]:
    """The inputs that are no widgets, then the widgets up to the last that is wired or labelled."""
    inputs = connectable_of(classes[node.kind])
    if node.inside is not None:
        return inputs
    labelled = [place for place, each in enumerate(inputs) if each.name in labels]
    slots = len(slots_of(classes[node.kind]))
    return inputs[: max(slots, *(place + 1 for place in (*into, *labelled)), 0)]


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
    (left, top), width = members[0]["pos"], members[0]["size"][0]
    bottom = max(map(_bottom, group.nodes, members))
    return {
        "id": number + 1,
        "title": group.title,
        "bounding": [left - EDGE, top - HEAD, width + 2 * EDGE, bottom + FOOT - top + HEAD],
        "color": COLOURS[number % len(COLOURS)],
        "font_size": 24,
        "flags": {},
    }


def _bottom(node: Node, drawn: dict[str, Any]) -> int:
    height = 0 if node.folded else drawn["size"][1]
    return drawn["pos"][1] + height + room_below(node)

"""A workflow as ComfyUI's page reads it: places, sizes, wires and widget values by position."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.graph import (
    Flow,
    Group,
    Node,
    Out,
    Socket,
    inputs_of,
    outputs_of,
    slot_of,
    title_of,
    widget_values,
)

VERSION = 0.4  # of the format
COLOURS = ("#3f789e", "#8A8", "#b58b2a", "#88A", "#a1309b")
WIDTH, GAP, GROUP_GAP = 340, 40, 90  # pixels
TITLE, SLOT, WIDGET, TEXT = 40, 22, 26, 130
EXTRA = {"PreviewImage": 280, "AceStep15SaveAudio": 60, "PreviewAny": 120}  # picture, player
NOTE_HEIGHT = 420
PACK = {"cnr_id": "acestep15"}
STOCK = {"cnr_id": "comfy-core"}


@dataclass(frozen=True)
class Place:
    x: int
    y: int
    height: int


def page(flow: Flow, classes: Mapping[str, Any]) -> dict[str, Any]:
    """The workflow with all that the page wants to know."""
    places = _places(flow, classes)
    links = _links(flow, classes)
    nodes = [_node(flow, node, classes, places, links) for node in flow.nodes]
    nodes.append(_note(flow, len(nodes)))
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep15/{flow.name}")),
        "revision": 0,
        "last_node_id": len(nodes),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [_group(place, group, flow, places) for place, group in enumerate(flow.groups)],
        "config": {},
        "extra": {"ds": {"scale": 0.7, "offset": [WIDTH + 2 * GROUP_GAP, 2 * GROUP_GAP]}},
        "version": VERSION,
    }


def _links(flow: Flow, classes: Mapping[str, Any]) -> list[list[Any]]:
    """[id, from node, its slot, to node, its slot, type] of every wire."""
    links: list[list[Any]] = []
    for node in flow.nodes:
        slots = [socket.name for socket in _slots(node, classes)]
        for name, value in node.given.items():
            if isinstance(value, Out):
                slot = slot_of(value, classes)
                kind = outputs_of(classes[value.node.kind])[slot].kind
                ends = [flow.number(value.node), slot, flow.number(node), slots.index(name)]
                links.append([len(links) + 1, *ends, kind])
    return links


def _slots(node: Node, classes: Mapping[str, Any]) -> list[Socket]:
    """The inputs that are drawn as slots: no widgets, and no player."""
    sockets = inputs_of(classes[node.kind])
    return [each for each in sockets if not each.is_widget and each.kind != "AUDIO_UI"]


def _node(
    flow: Flow,
    node: Node,
    classes: Mapping[str, Any],
    places: Mapping[int, Place],
    links: list[list[Any]],
) -> dict[str, Any]:
    number = flow.number(node)
    place = places[number]
    into = {link[4]: link[0] for link in links if link[3] == number}
    properties: dict[str, Any] = {"Node name for S&R": node.kind}
    properties |= PACK if node.kind.startswith("AceStep15") else STOCK
    if node.files:
        properties["models"] = [
            {"name": file.name, "url": file.url, "directory": file.folder} for file in node.files
        ]
    return {
        "id": number,
        "type": node.kind,
        "pos": [place.x, place.y],
        "size": [WIDTH, place.height],
        "flags": {},
        "order": number - 1,
        "mode": 0,
        "inputs": [
            {"name": socket.name, "type": socket.kind, "link": into.get(slot)}
            | ({"shape": 7} if socket.optional else {})
            for slot, socket in enumerate(_slots(node, classes))
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
        "widgets_values": _values(node, classes),
    }


def _values(node: Node, classes: Mapping[str, Any]) -> list[Any]:
    """By position; the page adds a widget of its own after each seed."""
    sockets = {socket.name: socket for socket in inputs_of(classes[node.kind])}
    values: list[Any] = []
    for name, value in widget_values(node, list(sockets.values())).items():
        values.append(value)
        if name in sockets and sockets[name].settings.get("control_after_generate"):
            values.append("fixed")
    return values


def _places(flow: Flow, classes: Mapping[str, Any]) -> dict[int, Place]:
    """Groups of a column one below the other, and the nodes of a group likewise."""
    places: dict[int, Place] = {}
    for column in sorted({group.column for group in flow.groups}):
        y = 0
        for group in (each for each in flow.groups if each.column == column):
            y += group.top
            for node in group.nodes:
                height = _height(node, classes)
                x = column * (WIDTH + GROUP_GAP)
                places[flow.number(node)] = Place(x, y, height)
                y += height + GAP + TITLE
            y += GROUP_GAP
    return places


def _height(node: Node, classes: Mapping[str, Any]) -> int:
    sockets = inputs_of(classes[node.kind])
    slots = max(len(_slots(node, classes)), len(outputs_of(classes[node.kind])))
    tall = sum(bool(socket.settings.get("multiline")) for socket in sockets)
    flat = len(_values(node, classes)) - tall
    return 10 + slots * SLOT + flat * WIDGET + tall * TEXT + EXTRA.get(node.kind, 0)


def _group(number: int, group: Group, flow: Flow, places: Mapping[int, Place]) -> dict[str, Any]:
    boxes = [places[flow.number(node)] for node in group.nodes]
    top, left = min(box.y for box in boxes), boxes[0].x
    bottom = max(box.y + box.height for box in boxes)
    edge = GAP // 2
    bounding = [left - edge, top - 2 * TITLE, WIDTH + GAP, bottom - top + 2 * TITLE + edge]
    colour = COLOURS[number % len(COLOURS)]
    return {
        "id": number + 1,
        "title": group.title,
        "bounding": bounding,
        "color": colour,
        "font_size": 24,
        "flags": {},
    }


def _note(flow: Flow, before: int) -> dict[str, Any]:
    lines = sum(math.ceil(len(line) / 40) or 1 for line in flow.note.splitlines())
    return {
        "id": before + 1,
        "type": "MarkdownNote",
        "pos": [-(WIDTH + GROUP_GAP), 0],
        "size": [WIDTH, max(NOTE_HEIGHT, lines * 20)],
        "flags": {},
        "order": before,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "title": flow.title,
        "properties": {},
        "widgets_values": [flow.note],
        "color": "#432",
        "bgcolor": "#653",
    }

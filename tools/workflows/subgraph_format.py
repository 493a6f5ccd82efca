"""Subgraphs as ComfyUI's page reads them: what is behind one node, and blueprints of it.

Inside, the promoted widgets come from a node at the left edge and the outputs end in one at the
right; the page numbers these -10 and -20.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from tools.workflows.graph import (
    Flow,
    Node,
    Subgraph,
    connectable_of,
    slot_of,
    with_subgraphs,
)
from tools.workflows.layout import Layout, Wire, arrange
from tools.workflows.node_sizes import WIDTH, height_of, slot_height, widget_height
from tools.workflows.page_parts import Link, groups_of, left_of, links_of, node_of, reroutes_of

ENTRY, EXIT = -10, -20  # the numbers of the two edges
EDGE_WIDTH, EDGE_ROW = 170, 20  # pixels
CATEGORY = "audio/ACE-Step"


def definitions(flow: Flow, classes: Mapping[str, Any]) -> dict[str, Any]:
    """The page's section on subgraphs; empty when there are none."""
    inside = [node.inside for node in flow.nodes if node.inside is not None]
    if not inside:
        return {}
    return {"definitions": {"subgraphs": [_definition(each, classes) for each in inside]}}


def blueprint(node: Node, classes: Mapping[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    """A page of one subgraph, as ComfyUI's node library reads it; `words` describe it there."""
    flow = Flow(f"blueprint/{node.kind}", "", "")
    flow.group("").nodes.append(node)
    known = with_subgraphs(flow, classes)
    layout = Layout({1: 0}, {1: 0}, {})
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep15/{flow.name}")),
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [node_of(flow, node, known, layout, [])],
        "links": [],
        "groups": [],
        **definitions(flow, known),
        "config": {},
        "extra": words,
        "version": 0.4,  # of the page's format
    }


def _definition(inside: Subgraph, classes: Mapping[str, Any]) -> dict[str, Any]:
    flow = inside.flow
    links = _all_links(inside, classes)
    layout = _layout(inside, classes, links)
    nodes = [node_of(flow, node, classes, layout, links) for node in flow.nodes]
    interface = with_subgraphs(_only(inside), classes)[inside.kind]
    reroutes = reroutes_of(layout, links)
    parents = {each["id"]: each["parentId"] for each in reroutes.get("linkExtensions", [])}
    incoming = [link for link in links if link[1] == ENTRY]
    outgoing = [link for link in links if link[3] == EXIT]
    return {
        "id": inside.kind,
        "version": 1,
        "state": _state(flow, links, reroutes),
        "revision": 0,
        "config": {},
        "name": inside.name,
        "inputNode": _edge(ENTRY, layout, len(inside.promoted)),
        "outputNode": _edge(EXIT, layout, len(inside.outputs)),
        "inputs": _slots(inside, interface.inputs, incoming, 2),
        "outputs": _slots(inside, interface.outputs, outgoing, 4),
        "widgets": [],
        "nodes": nodes,
        "groups": groups_of(flow, nodes),
        "links": [_link(link, parents.get(link[0])) for link in links],
        "reroutes": reroutes.get("reroutes", []),
        "extra": {},
        "category": CATEGORY,
        "description": flow.note,
    }


def _only(inside: Subgraph) -> Flow:
    flow = Flow("", "", "")
    flow.group("").add_subgraph(inside)
    return flow


def _state(flow: Flow, links: list[Link], reroutes: dict[str, Any]) -> dict[str, int]:
    return {
        "lastGroupId": len(flow.groups),
        "lastNodeId": flow.first + len(flow.nodes) - 1,
        "lastLinkId": len(links),
        "lastRerouteId": len(reroutes.get("reroutes", [])),
    }


def _all_links(inside: Subgraph, classes: Mapping[str, Any]) -> list[Link]:
    """The wires between the nodes, from the left edge and to the right one."""
    flow = inside.flow
    links = links_of(flow, classes)
    for index, widget in enumerate(inside.promoted):
        connectable = connectable_of(classes[widget.node.kind])
        slot = [each.name for each in connectable].index(widget.widget)
        ends = [ENTRY, index, flow.number(widget.node), slot]
        links.append([len(links) + 1, *ends, connectable[slot].kind])
    interface = with_subgraphs(_only(inside), classes)[inside.kind]
    outputs = zip(inside.outputs.values(), interface.outputs, strict=True)
    for index, (out, socket) in enumerate(outputs):
        ends = [flow.number(out.node), slot_of(out, classes), EXIT, index]
        links.append([len(links) + 1, *ends, socket.kind])
    return links


def _layout(inside: Subgraph, classes: Mapping[str, Any], links: list[Link]) -> Layout:
    flow = inside.flow
    by_number = {flow.number(node): node for node in flow.nodes}
    heights = {number: height_of(node, classes) for number, node in by_number.items()}
    heights |= {ENTRY: _edge_height(len(inside.promoted)), EXIT: _edge_height(len(inside.outputs))}
    groups = [[flow.number(node) for node in group.nodes] for group in flow.groups]

    def leaves(source: int, slot: int) -> int:
        return _edge_slot(slot) if source == ENTRY else slot_height(slot)

    def arrives(target: int, place: int) -> int:
        if target == EXIT:
            return _edge_slot(place)
        return widget_height(by_number[target], place, classes)

    wires = [
        Wire((source, slot), leaves(source, slot), target, arrives(target, place))
        for _, source, slot, target, place, _ in links
    ]
    return arrange([[ENTRY], *groups, [EXIT]], heights, wires)


def _edge_slot(place: int) -> int:
    return EDGE_ROW * (place + 1)


def _edge_height(slots: int) -> int:
    return EDGE_ROW * (slots + 2)


def _edge(number: int, layout: Layout, slots: int) -> dict[str, Any]:
    left = left_of(layout.columns[number]) + (WIDTH - EDGE_WIDTH if number == ENTRY else 0)
    return {"id": number, "bounding": [left, layout.tops[number], EDGE_WIDTH, _edge_height(slots)]}


def _slots(
    inside: Subgraph, sockets: list[Any], links: list[Link], end: int
) -> list[dict[str, Any]]:
    """One side's slots; `end` is the place of this side's slot number in a link."""
    return [
        {
            "id": str(uuid.uuid5(uuid.UUID(inside.kind), f"{end}/{socket.name}")),
            "name": socket.name,
            "type": socket.kind,
            "linkIds": [link[0] for link in links if link[end] == place],
        }
        for place, socket in enumerate(sockets)
    ]


def _link(link: Link, parent: int | None) -> dict[str, Any]:
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    through = {} if parent is None else {"parentId": parent}
    return dict(zip(names, link, strict=True)) | through

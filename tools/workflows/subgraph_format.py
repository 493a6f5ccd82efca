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
from tools.workflows.layout import HEAD, Columns, columns_of
from tools.workflows.page_parts import Link, Places, groups_of, links_of, node_of, places_of

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
    places = Places(columns_of(flow), {1: 0}, {1: 0}, {})
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep15/{flow.name}")),
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [node_of(flow, node, known, places, [])],
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
    places = places_of(flow, classes)
    nodes = [node_of(flow, node, classes, places, links) for node in flow.nodes]
    interface = with_subgraphs(_only(inside), classes)[inside.kind]
    incoming = [link for link in links if link[1] == ENTRY]
    outgoing = [link for link in links if link[3] == EXIT]
    return {
        "id": inside.kind,
        "version": 1,
        "state": _state(flow, links),
        "revision": 0,
        "config": {},
        "name": inside.name,
        "inputNode": _edge(ENTRY, places.columns, len(inside.promoted)),
        "outputNode": _edge(EXIT, places.columns, len(inside.outputs)),
        "inputs": _slots(inside, interface.inputs, incoming, 2),
        "outputs": _slots(inside, interface.outputs, outgoing, 4),
        "widgets": [],
        "nodes": nodes,
        "groups": groups_of(flow, nodes),
        "links": [_link(link) for link in links],
        "reroutes": [],
        "extra": {},
        "category": CATEGORY,
        "description": flow.note,
    }


def _only(inside: Subgraph) -> Flow:
    flow = Flow("", "", "")
    flow.group("").add_subgraph(inside)
    return flow


def _state(flow: Flow, links: list[Link]) -> dict[str, int]:
    return {
        "lastGroupId": len(flow.groups),
        "lastNodeId": flow.first + len(flow.nodes) - 1,
        "lastLinkId": len(links),
        "lastRerouteId": 0,
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


def _edge(number: int, columns: Columns, slots: int) -> dict[str, Any]:
    right = columns.width - EDGE_WIDTH
    left = columns.left(0) + right if number == ENTRY else columns.left(columns.count)
    return {"id": number, "bounding": [left, HEAD, EDGE_WIDTH, EDGE_ROW * (slots + 2)]}


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


def _link(link: Link) -> dict[str, Any]:
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return dict(zip(names, link, strict=True))

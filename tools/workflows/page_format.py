"""A workflow as ComfyUI's page reads it: positions, sizes, wires and widget values by index."""

import math
import uuid
from collections.abc import Mapping
from typing import Any

from tools.workflows.graph import Flow, with_subgraphs
from tools.workflows.layout import HEAD, Layout, Wire, arrange
from tools.workflows.node_sizes import WIDTH, height_of, slot_height, widget_height
from tools.workflows.page_parts import (
    GUTTER,
    Link,
    groups_of,
    left_of,
    links_of,
    node_of,
    reroutes_of,
)
from tools.workflows.seed_controls import note_of
from tools.workflows.subgraph_format import definitions

VERSION = 0.4  # of the format


def page(flow: Flow, classes: Mapping[str, Any]) -> dict[str, Any]:
    """The workflow in the page's format."""
    classes = with_subgraphs(flow, classes)
    links = links_of(flow, classes)
    layout = _layout(flow, classes, links)
    nodes = [node_of(flow, node, classes, layout, links) for node in flow.nodes]
    nodes.append(_note(flow, note_of(flow, classes), len(nodes)))
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep15/{flow.name}")),
        "revision": 0,
        "last_node_id": len(nodes),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": groups_of(flow, nodes),
        **definitions(flow, classes),
        "config": {},
        "extra": {"ds": {"scale": 0.7, "offset": [WIDTH + 2 * GUTTER, GUTTER]}}
        | reroutes_of(layout, links),
        "version": VERSION,
    }


def _layout(flow: Flow, classes: Mapping[str, Any], links: list[Link]) -> Layout:
    groups = [[flow.number(node) for node in group.nodes] for group in flow.groups]
    nodes = {flow.number(node): node for node in flow.nodes}
    heights = {number: height_of(node, classes) for number, node in nodes.items()}

    def arrives(target: int, place: int) -> int:
        return widget_height(nodes[target], place, classes)

    wires = [
        Wire((source, slot), slot_height(slot), target, arrives(target, place))
        for _, source, slot, target, place, _ in links
    ]
    return arrange(groups, heights, wires)


def _note(flow: Flow, note: str, before: int) -> dict[str, Any]:
    lines = sum(math.ceil(len(line) / 42) or 1 for line in note.splitlines())
    return {
        "id": before + 1,
        "type": "MarkdownNote",
        "pos": [left_of(-1), HEAD],
        "size": [WIDTH, 40 + lines * 24],
        "flags": {},
        "order": before,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "title": flow.title,
        "properties": {},
        "widgets_values": [note],
        "color": "#432",
        "bgcolor": "#653",
    }

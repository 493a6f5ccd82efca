"""A workflow as ComfyUI's page reads it: positions, sizes, wires and widget values by index."""

import uuid
from collections.abc import Mapping
from typing import Any

from tools.workflows.apps import app_of
from tools.workflows.graph import Flow, with_subgraphs
from tools.workflows.layout import HEAD, TITLE, lines_of
from tools.workflows.page_parts import EDGE, Places, groups_of, links_of, node_of, places_of
from tools.workflows.seed_controls import note_of
from tools.workflows.subgraph_format import definitions

VERSION = 0.4  # of the format
LINE = 20  # pixels of height that a line of a note takes
SCALE = 0.7  # that a page opens with where it does not choose one itself


def page(flow: Flow, classes: Mapping[str, Any]) -> dict[str, Any]:
    """The workflow in the page's format."""
    classes = with_subgraphs(flow, classes)
    links = links_of(flow, classes)
    places = places_of(flow, classes)
    nodes = [node_of(flow, node, classes, places, links) for node in flow.nodes]
    nodes.append(_note(flow, note_of(flow, classes), places))
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
        "extra": {"ds": {"scale": SCALE, "offset": [8 * EDGE, 4 * EDGE]}} | app_of(flow),
        "version": VERSION,
    }


def _note(flow: Flow, text: str, places: Places) -> dict[str, Any]:
    """Below what stands in the first column."""
    width = places.columns.width
    return {
        "id": len(flow.nodes) + 1,
        "type": "MarkdownNote",
        "pos": [0, places.floors.get(0, HEAD - TITLE) + TITLE],
        "size": [width, 40 + LINE * lines_of(text, width)],
        "flags": {},
        "order": len(flow.nodes),
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "title": flow.title,
        "properties": {},
        "widgets_values": [text],
        "color": "#432",
        "bgcolor": "#653",
    }

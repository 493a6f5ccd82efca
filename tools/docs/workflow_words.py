"""The English words in the workflows, which `web/workflow_words.js` shows in the page's language.

These are titles of nodes, subgraphs and groups, what an app calls its widgets, notes line by line,
and names of what a subgraph has for inputs and outputs. `make_locales` writes their translations
to `web/words/`. What has a name in `tools/phrases`, as our nodes have, is called by it; the rest is
in `tools/phrases/workflows`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.hosts.checkout import ROOT
from tools.workflows.apps import LABEL
from tools.workflows.graph import STOCK_TITLES

WORDS = ROOT / "web" / "words"
PHRASES = ROOT / "tools" / "phrases" / "workflows"
NOTES = ("MarkdownNote", "Note")
FAMILY = "ACE-Step "  # which the titles of our nodes may be short of
Graph = dict[str, Any]


def texts() -> list[str]:
    """Titles and lines, once each, in the order of the files."""
    return list(dict.fromkeys(text for graph in _graphs() for text in _texts(graph)))


def labels() -> list[str]:
    """Names of inputs and outputs of subgraphs."""
    found = (
        slot["name"]
        for graph in _graphs()
        for side in ("inputs", "outputs")
        for slot in graph.get(side, [])
    )
    return list(dict.fromkeys(found))


def words() -> tuple[list[str], list[str]]:
    """`texts` and `labels`."""
    return texts(), labels()


def phrases(language: str) -> dict[str, str]:
    """The translations of texts that no node has, by their English."""
    return json.loads((PHRASES / f"{language}.json").read_text(encoding="utf-8"))


def translated(text: str, known: Mapping[str, str], names: Mapping[str, str]) -> str | None:
    """By `known`, the phrases of workflows, else by `names`, those of nodes."""
    whole = names.get(FAMILY + text)
    return known.get(text) or names.get(text) or (whole and whole.removeprefix(FAMILY))


def _graphs() -> Iterator[Graph]:
    """Every workflow and subgraph, each followed by those within it."""
    for folder in ("workflows", "subgraphs"):
        for path in sorted((ROOT / folder).glob("*.json")):
            page = json.loads(path.read_text(encoding="utf-8"))
            yield page
            yield from page.get("definitions", {}).get("subgraphs", [])


def _texts(graph: Graph) -> Iterator[str]:
    if "name" in graph:
        yield graph["name"]
    for node in graph["nodes"]:
        if node["type"] not in STOCK_TITLES and "title" in node:
            yield node["title"]
        yield from (slot["label"] for slot in node["inputs"] if "label" in slot)
        if LABEL in node["properties"]:
            yield node["properties"][LABEL]
        if node["type"] in NOTES:
            yield from filter(str.strip, node["widgets_values"][0].split("\n"))
    for group in graph.get("groups", []):
        yield group["title"]

"""Write `workflows/*.json`, `workflows/api/*.json` and `subgraphs/*.json`.

`python -m tools.workflows.make_workflows [--check]`.

With --check nothing is written: it fails when a file is not what the descriptions give.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.hosts.checkout import ROOT
from tools.hosts.pack import pack_on_standin
from tools.workflows.flows import FLOWS
from tools.workflows.graph import Node, api
from tools.workflows.menu import WORKFLOWS, page_path
from tools.workflows.page_format import page
from tools.workflows.song_subgraph import BLUEPRINTS
from tools.workflows.subgraph_format import blueprint

SUBGRAPHS = ROOT / "subgraphs"
_WIRE, _END = 6, 4  # parts of a wire: id, node, its output, node, its input, type
DRAWN = frozenset(
    "pos size bounding bounds reroutes linkExtensions title _meta shape target_slot".split()
)  # what the page shows and nobody runs


def written(classes: Mapping[str, Any]) -> dict[Path, str]:
    """What each file should hold."""
    files: dict[Path, str] = {}
    for make in FLOWS:
        flow = make()
        files[page_path(flow.name)] = _text(page(flow, classes))
        files[WORKFLOWS / "api" / f"{flow.name}.json"] = _text(api(flow, classes))
    for make_part, words in BLUEPRINTS:
        part = make_part()
        node = Node(part.kind, {}, inside=part)
        files[SUBGRAPHS / f"{part.name}.json"] = _text(blueprint(node, classes, words))
    return files


def outdated(classes: Mapping[str, Any], newer: bool = False) -> list[Path]:
    """The files that are missing or hold something else. They are written for the oldest ComfyUI:
    beside `newer` nodes they may hold less."""
    return [
        path
        for path, text in written(classes).items()
        if not path.is_file() or not _fits(path.read_text(encoding="utf-8"), text, newer)
    ]


def _fits(held: str, made: str, newer: bool) -> bool:
    return held == made or (newer and is_part_of(json.loads(held), json.loads(made)))


def is_part_of(held: Any, made: Any) -> bool:
    """Whether all of `held` is in `made`, wherever it is drawn; inputs are found by name, as the
    page finds them."""
    if isinstance(held, dict) and isinstance(made, dict):
        kept = held.keys() - DRAWN
        return kept <= made.keys() and all(is_part_of(held[k], made[k]) for k in kept)
    if isinstance(held, list) and isinstance(made, list):
        held, made = _by_name(held), _by_name(made)
        if isinstance(held, dict) or isinstance(made, dict):
            return is_part_of(held, made)
        return len(held) <= len(made) and all(map(is_part_of, held, made))
    return held == made


def _by_name(items: list[Any]) -> list[Any] | dict[str, Any]:
    """The inputs of a node by name. A wire says at which place it ends; the input says so too."""
    if items and all(isinstance(item, dict) and "link" in item for item in items):
        return {item["name"]: item for item in items}
    if len(items) == _WIRE and isinstance(items[-1], str):
        return items[:_END] + items[_END + 1 :]
    return items


def main() -> None:
    with pack_on_standin() as pack:
        if "--check" in sys.argv:
            stale = outdated(pack.host.nodes)
            if stale:
                names = ", ".join(path.name for path in stale)
                sys.exit(f"Run python -m tools.workflows.make_workflows: {names}")
            return
        files = written(pack.host.nodes)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()

"""Write `workflows/*.json`, `workflows/api/*.json` and `subgraphs/*.json`.

`python -m tools.make_workflows [--check]`.

With --check nothing is written: it fails when a file is not what the descriptions give.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import standin
from tools.checkout import ROOT
from tools.execute import local_host
from tools.flows import FLOWS
from tools.graph import Node, api
from tools.pack import load_pack
from tools.page_format import page
from tools.song_subgraph import BLUEPRINTS
from tools.subgraph_format import blueprint

WORKFLOWS, SUBGRAPHS = ROOT / "workflows", ROOT / "subgraphs"


def written(classes: Mapping[str, Any]) -> dict[Path, str]:
    """What each file should hold."""
    files: dict[Path, str] = {}
    for make in FLOWS:
        flow = make()
        files[WORKFLOWS / f"{flow.name}.json"] = _text(page(flow, classes))
        files[WORKFLOWS / "api" / f"{flow.name}.json"] = _text(api(flow, classes))
    for make_part, words in BLUEPRINTS:
        part = make_part()
        node = Node(part.kind, {}, inside=part)
        files[SUBGRAPHS / f"{part.name}.json"] = _text(blueprint(node, classes, words))
    return files


def outdated(classes: Mapping[str, Any]) -> list[Path]:
    """The files that are missing or hold something else."""
    return [
        path
        for path, text in written(classes).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "input").mkdir()  # the stock nodes look into it
        standin.activate(Path(folder))
        host = local_host()
        load_pack(host)
        if "--check" in sys.argv:
            stale = outdated(host.nodes)
            if stale:
                sys.exit(f"Run python -m tools.make_workflows: {', '.join(p.name for p in stale)}")
            return
        files = written(host.nodes)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()

"""Take the pictures of the help pages, with the Python of a host's environment.

`python -m tools.docs.make_pictures [ID ...]`.

A picture is a node as ComfyUI's classic canvas draws it, selected, between the nodes that it is
wired to in one of our workflows; these are folded. It needs what the browser's tests need. Without
ids every node is taken: two minutes or so. `MAKE_PICTURES=folder` writes somewhere else.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tools.browser.page import (
    RATE,
    RECORDINGS,
    WORKFLOWS,
    Report,
    job_for,
    page_server,
    run_script,
)
from tools.docs.make_released import released
from tools.hosts.checkout import ROOT
from tools.workflows.menu import as_graph

PICTURES = ROOT / "web" / "docs" / "pictures"
SCRIPT = ROOT / "tools" / "docs" / "pictures.mjs"
# Eight levels of a colour become one: a third less to download, and nothing that the eye misses.
COARSE = [min(255, round(level / 8) * 8) for level in range(256)]

PLAIN = "text_to_music"  # where most users meet a node first
BETTER = {  # than the smallest other workflow that has the node
    "AceStep15Cover": "cover",
    "AceStep15LoadLM": "full_song_with_lyrics",
    "AceStep15Mixdown": "stem_board",
    "AceStep15Think": "full_song_with_lyrics",
    "AceStep15ComposeCodes": "full_song_with_lyrics",
    "AceStep15MakeStems": "stem_board",
    "AceStep15Repaint": "repaint_section",
}
OPEN = {"AceStep15Picture": ["PreviewImage"]}  # neighbours that are not folded
HEARD = ("AceStep15SaveAudio", "AceStep15Picture")  # they show what a recording leaves on them

Pages = Mapping[str, dict[str, Any]]


def where(kind: str, pages: Pages) -> str:
    """The workflow that a node is shown in.

    Raises:
        ValueError: no workflow has such a node.
    """
    having = {
        name: page
        for name, page in pages.items()
        if any(node["type"] == kind for node in page["nodes"])
    }
    if not having:
        raise ValueError(f"No workflow has a node {kind!r}. Add it in tools/workflows/*_flows.py.")
    if BETTER.get(kind) in having:
        return BETTER[kind]
    return min(having, key=lambda name: (name != PLAIN, len(having[name]["nodes"]), name))


def shots(kinds: Iterable[str], pages: Pages) -> list[dict[str, Any]]:
    """What the script is told of each picture."""
    return [
        {
            "kind": kind,
            "workflow": where(kind, pages),
            "open": OPEN.get(kind, []),
            "heard": RECORDINGS[0] if kind in HEARD else None,
        }
        for kind in kinds
    ]


def make(kinds: Sequence[str], folder: Path) -> None:
    """Write `folder/<kind>.webp` of each.

    Raises:
        RuntimeError: something is missing on this machine, or on the page.
    """
    pages = {name: as_graph(json.loads(path.read_text())) for name, path in WORKFLOWS.items()}
    todo = shots(kinds, pages)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        with page_server(base, recording()) as server:
            job = {**job_for(server, "canvas"), "workflows": pages, "shots": todo, "folder": name}
            _check(run_script(SCRIPT, job, server, base))
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            picture = Image.open(base / f"{kind}.png").convert("RGB")
            picture.point(3 * COARSE).save(folder / f"{kind}.webp", lossless=True, quality=80)


def recording(seconds: float = 5.0) -> np.ndarray:
    """Plucked notes, two a second, that swell and fade: a waveform to look at.  # [N, 2]"""
    time = np.arange(round(seconds * RATE)) / RATE
    since = time % 0.5  # seconds since the last note
    loud = np.exp(-5 * since) * (0.35 + 0.65 * np.sin(np.pi * time / seconds) ** 2)
    pitch = 220 * 2 ** (np.array([0, 3, 7, 10, 7, 3, 5, 8, 12, 3])[(time / 0.5).astype(int)] / 12)
    tone = 0.8 * loud * np.sin(2 * np.pi * pitch * time)
    return np.stack([tone, tone], axis=1)


def _check(report: Report) -> None:
    """
    Raises:
        RuntimeError: the page had no such node, or something broke on it.
    """
    for kind, found in report.items():
        print(f"{kind}: {', '.join(found['sources'])} -> {', '.join(found['targets'])}")
        if found["missing"] or found["problems"]:
            raise RuntimeError(f"{kind}: missing {found['missing']}, problems {found['problems']}")


def main(arguments: Sequence[str]) -> None:
    names = sorted(released())
    unknown = sorted(set(arguments) - set(names))
    if unknown:
        sys.exit(f"There are no nodes {unknown}; there are {', '.join(names)}.")
    make(arguments or names, Path(os.environ.get("MAKE_PICTURES", PICTURES)))


if __name__ == "__main__":
    main(sys.argv[1:])

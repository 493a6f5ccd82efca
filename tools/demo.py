"""One command to a song: `python -m tools.demo` runs a workflow on the miniature checkpoint.

It runs in a real ComfyUI where there is one, else on a stand-in, and says which. The miniature has
random weights, so what it plays is no music; everything around it is real.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tools.hosts.checkout import ROOT, find_checkout, has_requirements
from tools.hosts.host import Outcome, Prompt
from tools.hosts.server import ComfyServer
from tools.miniature import miniature
from tools.workflows.prompts import input_of, read_prompt, with_input, with_miniature

SECONDS = 10.0
OUTPUT = ROOT / "output" / "demo"
Fetch = Callable[[dict[str, str]], bytes]  # a result of a node -> the file's content


def main() -> None:
    checkout = find_checkout()
    began = time.monotonic()
    prompt = with_input(with_miniature(read_prompt("text_to_music")), "seconds", SECONDS)
    with tempfile.TemporaryDirectory(prefix="acestep15-demo-") as folder:
        base = Path(folder)
        miniature(base / "models")
        files = _run(prompt, base, checkout)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (OUTPUT / name).write_bytes(content)
        print(OUTPUT / name)
    print(f"seed {input_of(prompt, 'seed')}, {time.monotonic() - began:.0f} s")


def _run(prompt: Prompt, base: Path, checkout: Path | None) -> dict[str, bytes]:
    """song.flac and song.png, made by the ComfyUI of `checkout` where this Python can run it."""
    if checkout is not None and has_requirements():
        server = ComfyServer(checkout, base)
        print(f"Running in {server.name}, on the CPU, with the miniature checkpoint.")
        with server, _Bars(prompt) as bars:
            return _files(server.run(prompt, bars.update), server.view)
    from tools.hosts.local import start_local_host
    from tools.hosts.pack import load_pack

    host = start_local_host(base)
    load_pack(host)
    print(f"Running on {host.name}, with the miniature checkpoint.")
    with _Bars(prompt) as bars:
        return _files(host.run(prompt, bars.update), lambda file: _read(base, file))


def _files(outcome: Outcome, fetch: Fetch) -> dict[str, bytes]:
    if not outcome.complete:
        sys.exit(f"The workflow did not run to its end ({outcome.status}):\n{outcome.why()}")
    shown = list(outcome.ui.values())
    wanted = {"song.flac": "audio", "song.png": "images"}
    return {name: fetch(_first(shown, kind)) for name, kind in wanted.items()}


def _first(shown: list[dict[str, Any]], kind: str) -> dict[str, str]:
    """The first file of a kind; one that was saved before one that is only a preview."""
    found = [file for each in shown for file in each.get(kind, [])]
    if not found:
        sys.exit(f"The workflow showed no {kind}.")
    return min(found, key=lambda file: file["type"] != "output")


def _read(base: Path, file: dict[str, str]) -> bytes:
    return (base / file["type"] / file["subfolder"] / file["filename"]).read_bytes()


class _Bars:
    """One progress bar per node, in the order in which the nodes report."""

    def __init__(self, prompt: Prompt) -> None:
        self.titles = {
            node_id: node.get("_meta", {}).get("title", node["class_type"])
            for node_id, node in prompt.items()
        }
        self.node = ""
        self.bar: Any = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def update(self, node: str, done: int, total: int) -> None:
        if node != self.node or self.bar is None or total != self.bar.total or done < self.bar.n:
            self._close()
            self.bar = tqdm(total=total, desc=self.titles.get(node, node))
            self.node = node
        self.bar.update(done - self.bar.n)
        if done >= total:
            self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()


if __name__ == "__main__":
    main()

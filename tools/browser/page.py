"""ComfyUI's page in a Chromium: the server that serves it, and the scripts that drive it.

A script is JavaScript on Playwright's core. It takes its job as one JSON file and prints its report
as one JSON. The tests in tests/browser and `tools/docs/make_pictures.py` use this module.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tools.browser.chromium import MODULES, chromium
from tools.hosts.checkout import find_checkout, has_requirements
from tools.hosts.server import ComfyServer
from tools.miniature import miniature
from tools.workflows.menu import NAMES, page_path
from tools.workflows.prompts import miniature_name
from tools.workflows.sampling_flows import OWN_LORA

WORKFLOWS = {name: page_path(name) for name in NAMES}
RECORDINGS = ("song.wav", "reference.wav")  # of a user, which no workflow names
RATE = 48_000  # Hz, of the recordings

Report = dict[str, dict[str, Any]]


def page_options() -> tuple[str, ...]:
    """The server's options for the page at COMFYUI_FRONTEND_ROOT; none where that is unset.

    Raises:
        FileNotFoundError: there is no page in that folder.
    """
    named = os.environ.get("COMFYUI_FRONTEND_ROOT")
    if not named:
        return ()
    root = Path(named).expanduser().resolve()
    if not (root / "index.html").is_file():
        raise FileNotFoundError(
            f"COMFYUI_FRONTEND_ROOT is {named}, but there is no index.html in it. Set it to the "
            "folder comfyui_frontend_package/static of an installed package, or unset it."
        )
    return ("--front-end-root", str(root))


def missing() -> str | None:
    """What this machine lacks to open the page in a browser."""
    if find_checkout() is None:
        return "no ComfyUI at COMFYUI_PATH or ~/comfy/ComfyUI*"
    if not has_requirements():
        return "this Python lacks ComfyUI's requirements; `make test-browser` uses .venv-hosts"
    if chromium() is None:
        return "no Chromium on the PATH"
    if shutil.which("node") is None or not (MODULES / "playwright-core").is_dir():
        return "no node with playwright-core; `make test-browser` installs it"
    return None


@contextmanager
def page_server(folder: Path, recording: np.ndarray) -> Iterator[ComfyServer]:
    """A ComfyUI below `folder` that serves the page.

    Its models are the miniature under the published names; its input folder has `recording`, [N, 2]
    at `RATE`, under each of the names in `RECORDINGS`.

    Raises:
        RuntimeError: this machine lacks something, as `missing` says.
    """
    lacking, checkout = missing(), find_checkout()
    if lacking is not None or checkout is None:
        raise RuntimeError(f"ComfyUI's page cannot be opened: {lacking}.")
    link_published_models(folder / "models")
    with ComfyServer(checkout, folder, options=page_options()) as server:
        for name in RECORDINGS:
            soundfile.write(folder / "input" / name, recording, RATE)
        yield server


def link_published_models(models: Path) -> None:
    """Fill `models` with the miniature under the file names that the workflows use."""
    miniature(models)
    pages = [json.loads(path.read_text(encoding="utf-8")) for path in WORKFLOWS.values()]
    pages += [part for page in pages for part in page.get("definitions", {}).get("subgraphs", [])]
    nodes = (node for page in pages for node in page["nodes"])
    for file in (each for node in nodes for each in node["properties"].get("models", [])):
        small = models / file["directory"] / miniature_name(file["name"])
        for each in small.parent.glob(f"{small.stem}.*"):  # weights and their tokenizer
            link = small.parent / each.name.replace(small.stem, Path(file["name"]).stem, 1)
            if not link.exists():
                link.symlink_to(each)
    (models / "loras").mkdir(exist_ok=True)
    (models / "loras" / OWN_LORA).touch()  # the user's LoRA: listed, never opened


def job_for(server: ComfyServer, renderer: str) -> dict[str, Any]:
    """The entries of a job that every script reads. `renderer` is "canvas" or "nodes2"."""
    return {
        "url": server.address,
        "chromium": chromium(),
        "modules": str(MODULES),
        "renderer": renderer,
    }


def run_script(script: Path, job: dict[str, Any], server: ComfyServer, folder: Path) -> Report:
    """The report of `script`. The job is written to `folder`.

    Raises:
        RuntimeError: it failed; with its standard error and the end of the server's log.
    """
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = ["node", str(script), str(folder / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The browser failed.\n{done.stderr}\n{server.tail()}")
    return json.loads(done.stdout)

"""A Chromium on ComfyUI's page: what it needs, models under their published names, one script run.

The scripts are JavaScript on Playwright's core and say what they saw as one JSON; what they are to
do is told them as one, the job. Knows no test and no picture.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tools.browser.chromium import MODULES, chromium
from tools.hosts.checkout import ROOT, find_checkout, has_requirements
from tools.hosts.server import ComfyServer
from tools.miniature import miniature
from tools.workflows.prompts import miniature_name
from tools.workflows.sampling_flows import OWN_LORA
from tools.workflows.task_flow import INPUT_AUDIO, OTHER_AUDIO

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
RECORDINGS = (INPUT_AUDIO, OTHER_AUDIO)

Seen = dict[str, dict[str, Any]]


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


def lacks() -> str | None:
    """What this machine has not that a page in a browser needs."""
    if find_checkout() is None:
        return "no ComfyUI at COMFYUI_PATH or ~/comfy/ComfyUI*"
    if not has_requirements():
        return "this Python lacks ComfyUI's requirements; `make test-browser` uses .venv-hosts"
    if chromium() is None:
        return "no Chromium on the PATH"
    if shutil.which("node") is None or not (MODULES / "playwright-core").is_dir():
        return "no node with playwright-core; `make test-browser` installs it"
    return None


def published_models(models: Path) -> None:
    """Fill `models` with the miniature under the names that the workflows have."""
    miniature(models)
    pages = [json.loads(path.read_text(encoding="utf-8")) for path in WORKFLOWS]
    pages += [part for page in pages for part in page.get("definitions", {}).get("subgraphs", [])]
    nodes = (node for page in pages for node in page["nodes"])
    for file in (each for node in nodes for each in node["properties"].get("models", [])):
        small = models / file["directory"] / miniature_name(file["name"])
        for each in small.parent.glob(f"{small.stem}.*"):  # weights and their tokenizer
            link = small.parent / each.name.replace(small.stem, Path(file["name"]).stem, 1)
            if not link.exists():
                link.symlink_to(each)
    (models / "loras").mkdir(exist_ok=True)
    (models / "loras" / OWN_LORA).touch()  # the user's own; here only listed, not read


def job_for(server: ComfyServer, renderer: str) -> dict[str, Any]:
    """The part of a job that every script reads. `renderer` is "canvas" or "nodes2"."""
    return {
        "url": server.address,
        "chromium": chromium(),
        "modules": str(MODULES),
        "renderer": renderer,
    }


def driven(script: Path, job: dict[str, Any], server: ComfyServer, folder: Path) -> Seen:
    """What `script` saw. The job is written to `folder`.

    Raises:
        RuntimeError: it failed; with its words and the end of the server's log.
    """
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = ["node", str(script), str(folder / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The browser failed.\n{done.stderr}\n{server.tail()}")
    return json.loads(done.stdout)

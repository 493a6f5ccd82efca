"""What the browser's tests need: a ComfyUI, a Chromium, and node with playwright-core.

Where one is missing these tests skip in one loud line; `make test-browser` sets playwright-core up.
BROWSER_PICTURES=folder keeps a screenshot of every workflow.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tools.checkout import ROOT, find_checkout, has_requirements
from tools.miniature import miniature
from tools.real_host import ComfyServer
from tools.sampling_flows import OWN_LORA
from tools.workflow import miniature_name

HERE = Path(__file__).parent
MODULES = ROOT / "build" / "browser" / "node_modules"
WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
RECORDINGS = ("song.wav", "reference.wav")  # that the workflows name

RENDERERS = ("canvas", "nodes2")
RUN = {"text_to_music": {"seconds": 10.0}}
REGION = [0.5, 1.5]  # seconds of the recording, before the region is touched

Seen = dict[str, dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is below this folder, and skip it where something is missing."""
    lacks = _lacks()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if lacks is not None:
                reason = f"!!! BROWSER TESTS SKIPPED: {lacks} !!!"
                item.add_marker(pytest.mark.skip(reason=reason))


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((place for name in names if (place := shutil.which(name))), None)


def _lacks() -> str | None:
    if find_checkout() is None:
        return "no ComfyUI at COMFYUI_PATH or ~/comfy/ComfyUI"
    if not has_requirements():
        return "this Python lacks ComfyUI's requirements; `make test-browser` uses .venv-host"
    if chromium() is None:
        return "no Chromium on the PATH"
    if shutil.which("node") is None or not (MODULES / "playwright-core").is_dir():
        return "no node with playwright-core; `make test-browser` installs it"
    return None


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """A ComfyUI whose models have the published names and the miniature's weights."""
    folder = tmp_path_factory.mktemp("browser")
    checkout = find_checkout()
    if checkout is None:
        raise RuntimeError("tests of the browser were not skipped although there is no ComfyUI")
    miniature(folder / "models")
    _name_as_published(folder / "models")
    (folder / "models" / "loras").mkdir(exist_ok=True)
    (folder / "models" / "loras" / OWN_LORA).touch()  # the user's own; here only listed, not read
    with ComfyServer(checkout, folder) as running:
        for name in RECORDINGS:
            soundfile.write(folder / "input" / name, [[0.1, -0.1]] * 96_000, 48_000)
        yield running


def _name_as_published(models: Path) -> None:
    pages = [json.loads(path.read_text()) for path in WORKFLOWS]
    pages += [part for page in pages for part in page.get("definitions", {}).get("subgraphs", [])]
    nodes = (node for page in pages for node in page["nodes"])
    for file in (each for node in nodes for each in node["properties"].get("models", [])):
        small = models / file["directory"] / miniature_name(file["name"])
        for each in small.parent.glob(f"{small.stem}.*"):  # weights and their tokenizer
            link = small.parent / each.name.replace(small.stem, Path(file["name"]).stem, 1)
            if not link.exists():
                link.symlink_to(each)


@pytest.fixture(scope="session", params=RENDERERS)
def seen(
    request: pytest.FixtureRequest, server: ComfyServer, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """What became of every workflow in the page, and of `RUN` when Run was pressed."""
    job = _job(server, request.param)
    return _driven("driver.mjs", job, server, tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="session", params=RENDERERS)
def touched(
    request: pytest.FixtureRequest, server: ComfyServer, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """What became of the waveforms under mouse and keys, of the language, of the node library."""
    job = _job(server, request.param)
    for each in job["workflows"]:
        for node in each["page"]["nodes"]:
            if node["type"] == "AceStep15Repaint":
                node["widgets_values"][1:3] = REGION
    return _driven("gestures.mjs", job, server, tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="session", params=RENDERERS)
def heard(
    request: pytest.FixtureRequest, server: ComfyServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What became of a song that was listened to while the sampler made it."""
    job = _job(server, request.param)
    return _driven("hearing.mjs", job, server, tmp_path_factory.mktemp("job"))


def _driven(script: str, job: dict[str, Any], server: ComfyServer, folder: Path) -> Seen:
    (folder / "job.json").write_text(json.dumps(job))
    command = ["node", str(HERE / script), str(folder / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The browser failed.\n{done.stderr}\n{server.tail()}")
    return json.loads(done.stdout)


def _job(server: ComfyServer, renderer: str) -> dict[str, Any]:
    pages = [{"name": path.stem, "page": json.loads(path.read_text())} for path in WORKFLOWS]
    return {
        "url": server.address,
        "chromium": chromium(),
        "modules": str(MODULES),
        "renderer": renderer,
        "workflows": pages,
        "run": RUN,
        "pictures": os.environ.get("BROWSER_PICTURES"),
    }


def without_players(prompt: dict[str, Any]) -> dict[str, Any]:
    """The page sends what its players hold, an address of its own making."""
    for node in prompt.values():
        node["inputs"].pop("audioUI", None)
    return prompt

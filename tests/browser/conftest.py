"""What the browser's tests need: a ComfyUI, a Chromium, and node with playwright-core.

Where one is missing these tests skip in one loud line; `make test-browser` sets playwright-core up.
BROWSER_PICTURES=folder keeps a screenshot of every workflow.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tools.browser import RECORDINGS, WORKFLOWS, Seen, driven, job_for, lacks, published_models
from tools.checkout import find_checkout
from tools.real_host import ComfyServer

HERE = Path(__file__).parent

RENDERERS = ("canvas", "nodes2")
SCRIPTS = {"seen": "driver.mjs", "touched": "gestures.mjs", "heard": "hearing.mjs"}  # by fixture
RUN = {"text_to_music": {"seconds": 10.0}}
REGION = [0.5, 1.5]  # seconds of the recording, before the region is touched

Visits = dict[tuple[str, str], Future[Seen]]  # by fixture and renderer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is below this folder, and skip it where something is missing."""
    lacking = lacks()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if lacking is not None:
                reason = f"!!! BROWSER TESTS SKIPPED: {lacking} !!!"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def visits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visits]:
    """What the scripts see that the tests ask for. The renderers are visited side by side, each on
    a ComfyUI of its own, which keeps the settings of its page and what it made before."""
    asked = dict.fromkeys(
        (name, item.callspec.params[name])
        for item in request.session.items
        for name in SCRIPTS
        if name in getattr(item, "fixturenames", ())
    )
    with ExitStack() as stack:
        found: Visits = {}
        for renderer in RENDERERS:
            pool = stack.enter_context(ThreadPoolExecutor(1))  # one visit after the other
            folder = tmp_path_factory.mktemp(renderer)
            server = pool.submit(lambda folder=folder: stack.enter_context(_server(folder)))
            for name in (name for name, wanted in asked if wanted == renderer):
                job = tmp_path_factory.mktemp("job")
                found[name, renderer] = pool.submit(_visit, server, name, renderer, job)
        yield found


@contextmanager
def _server(folder: Path) -> Iterator[ComfyServer]:
    """A ComfyUI whose models have the published names and the miniature's weights."""
    checkout = find_checkout()
    if checkout is None:
        raise RuntimeError("tests of the browser were not skipped although there is no ComfyUI")
    published_models(folder / "models")
    with ComfyServer(checkout, folder) as running:
        for name in RECORDINGS:
            soundfile.write(folder / "input" / name, [[0.1, -0.1]] * 96_000, 48_000)
        yield running


@pytest.fixture(scope="session", params=RENDERERS)
def seen(request: pytest.FixtureRequest, visits: Visits) -> Seen:
    """What became of every workflow in the page, and of `RUN` when Run was pressed."""
    return visits["seen", request.param].result()


@pytest.fixture(scope="session", params=RENDERERS)
def touched(request: pytest.FixtureRequest, visits: Visits) -> Seen:
    """What became of the waveforms under mouse and keys, of the language, of the node library."""
    return visits["touched", request.param].result()


@pytest.fixture(scope="session", params=RENDERERS)
def heard(request: pytest.FixtureRequest, visits: Visits) -> dict[str, Any]:
    """What became of a song that was listened to while the sampler made it."""
    return visits["heard", request.param].result()


def _visit(started: Future[ComfyServer], name: str, renderer: str, folder: Path) -> Seen:
    server = started.result()
    pages = [
        {"name": path.stem, "page": json.loads(path.read_text(encoding="utf-8"))}
        for path in WORKFLOWS
    ]
    for node in (node for each in pages for node in each["page"]["nodes"]):
        if name == "touched" and node["type"] == "AceStep15Repaint":
            node["widgets_values"][1:3] = REGION
    pictures = os.environ.get("BROWSER_PICTURES")
    own = {"workflows": pages, "run": RUN, "pictures": pictures}
    return driven(HERE / SCRIPTS[name], job_for(server, renderer) | own, server, folder)


def without_players(prompt: dict[str, Any]) -> dict[str, Any]:
    """The page sends what its players hold, an address of its own making."""
    for node in prompt.values():
        node["inputs"].pop("audioUI", None)
    return prompt

"""What the browser's tests need: a ComfyUI, a Chromium, and node with playwright-core.

Where one is missing these tests skip in one loud line; `make test-browser` sets playwright-core up.
COMFYUI_FRONTEND_ROOT=folder tests the page in that folder instead of the one that the host's Python
has; BROWSER_PICTURES=folder keeps a screenshot of every workflow.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ace_core.audio.files import Encoding, FileFormat, save
from tools.browser.page import (
    RATE,
    RECORDINGS,
    WORKFLOWS,
    Report,
    job_for,
    missing,
    page_server,
    run_script,
)
from tools.hosts.server import ComfyServer
from tools.workflows.apps import APPS
from tools.workflows.menu import STEMS, as_graph

HERE = Path(__file__).parent

RENDERERS = ("canvas", "nodes2")
SCRIPT = HERE / "visits.mjs"
VISITS = {  # by fixture
    "seen": "workflows",
    "visited": "apps",
    "touched": "waveforms",
    "handled": "instrument",
    "outlived": "lifetimes",
    "refused": "errors",
    "helped": "help",
    "preview": "audio_preview",
    "noted": "texts",
    "sourced": "sources",
    "sung": "lanes",
    "themed": "themes",
    "turned_down": "refusals",
    "counted": "counts",
    "warned": "warnings",
    "asked": "search",
    "written": "writing",
    "dropped": "dropped",
    "spoken": "languages",  # the last: it opens the page anew, and leaves a dialog over it
}
RUN = {"text_to_music": {"seconds": 10.0}}
REGION = [0.5, 1.5]  # seconds of the recording, before the region is touched
HELP = ["AceStep15Repaint", "AceStep15LoadVAE"]  # nodes whose help is read
LANGUAGES = ["en", "zh", "ja"]  # the page is opened in the first
THEMES = ["light", "dark"]  # the page's own is the last: it stays
WORDS = {  # typed into the search: the node that is meant
    "extend": "ACE-Step Repaint",
    "inpaint": "ACE-Step Repaint",
    "drums": "ACE-Step Lego",
    "vocals": "ACE-Step Extract",
    "singing": "ACE-Step Song",
    "acapella": "ACE-Step Extract",
    "instrumental": "ACE-Step Song",
    "melody": "ACE-Step Cover",
    "bpm": "ACE-Step Measure",
    "tempo": "ACE-Step Measure",
    "beat": "ACE-Step Measure",
    "key": "ACE-Step Measure",
    "genre": "ACE-Step Song",
    "lora": "ACE-Step Load LoRA",
    "udio": "ACE-Step Song",
    "master": "ACE-Step Save Audio",
    "audio": "ACE-Step Load Recording",
}
DROPPED = (Encoding.FLAC_24, Encoding.WAV_24, Encoding.MP3, Encoding.OPUS, Encoding.AAC)

Found = dict[str, Any]
Visits = dict[str, Future[dict[str, Found]]]  # by renderer, then by visit
RAN = pytest.StashKey[Visits]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is below this folder, and skip it where something is missing."""
    lacking = missing()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if lacking is not None:
                reason = f"!!! BROWSER TESTS SKIPPED: {lacking} !!!"
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how long each visit took, the longest first."""
    for renderer, future in config.stash.get(RAN, {}).items():
        if future.done() and future.exception() is None and future.result():
            took = future.result()["seconds"]
            longest = sorted(took, key=lambda name: -took[name])
            told = ", ".join(f"{name} {took[name]:.0f}" for name in longest)
            terminalreporter.write_line(f"Visits in {renderer}, in seconds: {told}.")


@pytest.fixture(scope="session")
def visits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visits]:
    """What the visits find that the tests ask for: in each renderer one browser, side by side."""
    wanted = {visit: renderers_of(request, name) for name, visit in VISITS.items()}
    recording = np.tile([0.1, -0.1], (2 * RATE, 1))
    folder = tmp_path_factory.mktemp("host")
    with page_server(folder, recording) as server, ThreadPoolExecutor() as pool:
        running = {
            renderer: pool.submit(
                _visit,
                server,
                [visit for visit in wanted if renderer in wanted[visit]],
                renderer,
                tmp_path_factory.mktemp(renderer),
            )
            for renderer in RENDERERS
        }
        request.config.stash[RAN] = running
        yield running


def renderers_of(request: pytest.FixtureRequest, fixture: str) -> list[str]:
    """Those in which the tests that are run ask for `fixture`."""
    asked = {
        item.callspec.params[fixture]
        for item in request.session.items
        if isinstance(item, pytest.Function) and fixture in item.fixturenames
    }
    return [each for each in RENDERERS if each in asked]


def _found(request: pytest.FixtureRequest, visits: Visits) -> Found:
    name = str(request.fixturename)
    found = visits[request.param].result()[VISITS[name]]
    if "failed" in found:
        pytest.fail(f"The visit {VISITS[name]!r} ended early.\n{found}", pytrace=False)
    return found


@pytest.fixture(scope="session", params=RENDERERS)
def seen(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """How every workflow lies, what it sends, its seeds, and what became of `RUN`."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS[:1])
def visited(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of first visits to the apps; both renderers show the same app."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def touched(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of the waveforms under mouse and keys, of the templates, of the node library."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def handled(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of the waveforms when they were zoomed, clicked and heard again and again."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def outlived(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of the players of nodes that had gone."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def helped(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the page's side panel shows of a node."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def preview(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of a song that was played while the sampler made it."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def noted(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What stands on the nodes after runs with and without a note."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def sourced(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of takes that were made the source of a workflow."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def sung(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of the lyrics below a take."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def themed(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What can be read of our drawings in each theme."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def warned(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the page shows of a run with guidance on a model that takes none."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def turned_down(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the page says of values that nodes do not take."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS[:1])
def asked(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the search for nodes offers; both renderers have the same."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def written(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What became of a song that was written with the aids below its texts."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def counted(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What stands on the nodes of a run that takes a while, and afterwards."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def dropped(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the page opens when saved files are dropped on it."""
    return _found(request, visits)


@pytest.fixture(scope="session", params=RENDERERS)
def spoken(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the page says in each language."""
    return _found(request, visits)


def _visit(server: ComfyServer, visits: list[str], renderer: str, folder: Path) -> Report:
    if not visits:
        return {}
    own = {
        "visits": visits,
        "workflows": [
            {"name": name, "page": as_graph(json.loads(path.read_text(encoding="utf-8")))}
            for name, path in WORKFLOWS.items()
        ],
        "files": STEMS,
        "apps": {name: STEMS[name] for name in APPS},
        "run": RUN,
        "region": REGION,
        "recording": RECORDINGS[0],
        "help": HELP,
        "languages": LANGUAGES,
        "themes": THEMES,
        "words": list(WORDS),
        "dropped": _saved_files(folder),
        "pictures": os.environ.get("BROWSER_PICTURES"),
    }
    return run_script(SCRIPT, job_for(server, renderer) | own, server, folder)


def _saved_files(folder: Path) -> dict[str, str]:
    """A file of each format by its ending, whose workflow has one node with the ending as title."""
    files = {}
    for form in DROPPED:
        title = {"id": 1, "type": "AceStep15Song", "title": form.suffix, "pos": [0, 0]}
        graph = {
            "version": 0.4,
            "last_node_id": 1,
            "nodes": [title],
            "links": [],
            "extra": {"é": "}"},
        }
        texts = {"title": "Lied", "lyrics": "la " * 1000, "workflow": json.dumps(graph)}
        path = folder / f"dropped{form.suffix}"
        save(path, torch.rand(2, 4 * RATE) * 0.1, FileFormat(form), texts)
        files[form.suffix] = str(path)
    return files


def as_written(sent: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """What the page sends, without what this version of the page or of a stock node adds.

    That is: the name of a node's pack, and inputs of stock nodes that `written`, the workflow's API
    form, does not know, such as the address of what a stock player plays.
    """
    for number, node in sent.items():
        pack = "acestep15" if node["class_type"].startswith("AceStep15") else "comfy-core"
        if node["_meta"].get("cnr_id") == pack:
            del node["_meta"]["cnr_id"]
        if pack == "comfy-core" and number in written:
            known = written[number]["inputs"]
            node["inputs"] = {
                name: node["inputs"][name] for name in known if name in node["inputs"]
            }
    return sent


@pytest.fixture(scope="session", params=RENDERERS)
def refused(request: pytest.FixtureRequest, visits: Visits) -> Found:
    """What the page says of a run that fails."""
    return _found(request, visits)

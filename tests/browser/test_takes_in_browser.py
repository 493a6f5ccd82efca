"""Takes stay with their workflow: in another tab, after a reload, after a restart; in both."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import RENDERERS, renderers_of
from tools.browser.page import RATE, job_for, page_server, run_script
from tools.workflows.menu import as_graph, page_path

Found = dict[str, Any]
SCRIPT = Path(__file__).parent / "takes.mjs"
NAME = "the good one"


@pytest.fixture(scope="module")
def pages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Found]:
    """What the page showed before a restart of the server and after it, in each renderer wanted.

    They come one after the other before it, as the server keeps the last song alone, and side by
    side after it. Between the two the first take's file of each is taken away.
    """
    wanted = renderers_of(request, "kept")
    folder = tmp_path_factory.mktemp("takes")
    page = as_graph(json.loads(page_path("start_here").read_text(encoding="utf-8")))
    with page_server(folder, np.zeros((RATE, 2))) as server, ThreadPoolExecutor() as pool:

        def visit(renderer: str, part: str, page: Found) -> Found:
            job = job_for(server, renderer) | {"part": part, "page": page}
            return dict(run_script(SCRIPT, job, server, tmp_path_factory.mktemp(renderer)))

        found = {renderer: visit(renderer, "made", page) for renderer in wanted}
        for each in found.values():
            files = [folder / "output" / take["file"] for take in each["during"]["takes"]]
            each["there"] = [file.is_file() for file in files]
            files[0].unlink()
        server.stop()
        server.start()
        after = {name: pool.submit(visit, name, "again", found[name]["saved"]) for name in wanted}
        return {name: found[name] | {"again": after[name].result()} for name in wanted}


@pytest.fixture(scope="module", params=RENDERERS)
def kept(request: pytest.FixtureRequest, pages: dict[str, Found]) -> Found:
    return pages[request.param]


def test_each_run_is_a_take_with_its_seed(kept: Found) -> None:
    takes = kept["ran"]["takes"]
    assert len({take["seed"] for take in takes}) == len({take["file"] for take in takes}) == 2
    assert kept["ran"]["chosen"] == 1
    assert f"seed {takes[1]['seed']}" in kept["ran"]["details"]
    assert "upbeat pop" in kept["ran"]["details"]


def test_a_take_gets_a_star_and_a_name(kept: Found) -> None:
    marks = [(take["star"], take["name"]) for take in kept["renamed"]["takes"]]
    assert marks == [(True, NAME), (False, "")]
    assert kept["renamed"]["details"].startswith(NAME)


def test_takes_are_there_again_after_another_workflow_was_open(kept: Found) -> None:
    assert kept["elsewhere"] == 0
    assert kept["back"]["takes"] == kept["renamed"]["takes"]


def test_the_seed_of_a_take_is_used_again(kept: Found) -> None:
    seeds, first = kept["seeds"], kept["renamed"]["takes"][0]["seed"]
    assert seeds["drawn"] == seeds["sent"] == first
    assert seeds["said"]["text"] == "Its seeds are set, and fixed"
    assert [take["seed"] for take in kept["during"]["takes"]][2] == 4711  # once, and not drawn anew


def test_a_run_that_ends_while_another_workflow_is_open_is_a_take_of_its_own(kept: Found) -> None:
    assert kept["during"]["takes"][:2] == kept["back"]["takes"]


def test_a_take_that_is_removed_leaves_the_list_and_its_file_stays(kept: Found) -> None:
    during = kept["during"]["takes"]
    assert kept["removed"]["takes"] == [during[0], during[2]]
    assert kept["there"] == [True, True, True]


def test_takes_stay_after_the_page_was_loaded_again(kept: Found) -> None:
    assert kept["reloaded"]["takes"] == kept["removed"]["takes"]


def test_a_song_from_the_cache_is_a_take_of_the_workflow_that_was_run(kept: Found) -> None:
    assert kept["cached"]["takes"] == [kept["reloaded"]["takes"][-1]]


def test_takes_stay_after_a_restart_and_a_file_that_has_gone_is_named(kept: Found) -> None:
    again = kept["again"]
    assert again["shown"]["takes"] == kept["removed"]["takes"]
    assert again["lost"] == ["Its file is not there any more", "0:00.00 / 0:10.00"]


def test_nothing_broke_on_the_page(kept: Found) -> None:
    assert kept["problems"] == kept["again"]["problems"] == []

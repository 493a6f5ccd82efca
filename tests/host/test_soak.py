"""Each workflow of the soak once, through a real server: `make soak` runs 300 prompts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.hosts.server import ComfyServer
from tools.miniature import miniature
from tools.testing.soak import SOURCES, WORKFLOWS, soak, write_recordings

PREVIEWS = 4  # of a node that a page shows, `NODE_PREVIEWS`
SAMPLERS = 12  # nodes of the workflows, at most
GROWTH = 150e6  # bytes from the second third on; models are loaded in the first


@pytest.fixture(scope="module")
def own_server(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """Its threads share what they have freed: else each keeps up to 64 MB for itself, which does
    not grow with the prompts, but is more or less from run to run."""
    folder = tmp_path_factory.mktemp("soak")
    miniature(folder / "models")
    server = ComfyServer(checkout, folder)
    write_recordings(folder / "input")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MALLOC_ARENA_MAX", "1")
        with server:
            yield server


def test_memory_and_the_temp_folder_stay_as_they_are(own_server: ComfyServer) -> None:
    samples = list(soak(own_server, 2 * len(WORKFLOWS), every=len(WORKFLOWS) // 2))
    assert samples[-1].resident - samples[1].resident < GROWTH
    assert 0 < samples[-1].files <= SOURCES + 2 + PREVIEWS * SAMPLERS
    assert samples[-1].files - samples[1].files <= SOURCES

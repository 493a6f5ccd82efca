"""Fixtures of the real host: its server, or its modules in this process.

Without a checkout, or in an environment without its requirements, these tests skip in one loud
line; `make test` runs them in .venv-hosts/<version>.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ace_core.precision import FAST_AT_BF16
from tools.hosts.checkout import find_checkout, has_requirements
from tools.hosts.host import Host
from tools.hosts.local import start_local_host, started
from tools.hosts.pack import Pack, load_pack
from tools.hosts.server import ComfyServer
from tools.miniature import miniature

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is below this folder, and skip it where there is no host to run it."""
    lacks = _lacks()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.host)
            if lacks is not None:
                item.add_marker(pytest.mark.skip(reason=f"!!! HOST TESTS SKIPPED: {lacks} !!!"))


def _lacks() -> str | None:
    if find_checkout() is None:
        return "no ComfyUI at COMFYUI_PATH or ~/comfy/ComfyUI*"
    if not has_requirements():
        return "this Python lacks ComfyUI's requirements; `make test` uses .venv-hosts"
    return None


@pytest.fixture(scope="module")
def slow_at_bf16() -> Iterator[None]:
    """The CPU computes in float32, as most do: what is compared is computed alike."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FAST_AT_BF16:
            patch.setattr(torch.cpu, name, bool, raising=False)
        yield


@pytest.fixture(scope="session")
def checkout() -> Path:
    """A real ComfyUI that this Python can run."""
    place = find_checkout()
    if place is None:
        raise RuntimeError("tests of the host were not skipped although there is none")
    return place


@pytest.fixture(scope="session")
def server(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """A running ComfyUI with this pack in custom_nodes/ and the miniature in models/."""
    folder = tmp_path_factory.mktemp("server")
    miniature(folder / "models")
    with ComfyServer(checkout, folder) as running:
        process = running.process
        yield running
    assert process is not None
    assert process.poll() is not None, "the server outlived its context"


@pytest.fixture(scope="session")
def base_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the in-process host's models/, input/, output/ and temp/ are."""
    running = started()
    return running[0] if running is not None else tmp_path_factory.mktemp("inprocess")


@pytest.fixture(scope="session")
def host(checkout: Path, base_directory: Path) -> Host:
    """The checkout's modules and executor in this process, never the stand-in."""
    return start_local_host(base_directory)


@pytest.fixture(scope="session")
def pack(host: Host) -> Pack:
    """The repository root, loaded in this process as ComfyUI loads it."""
    return load_pack(host)


@pytest.fixture(scope="session")
def models(host: Host, base_directory: Path) -> Path:
    """The in-process host's folder of models, with the miniature in it."""
    folder = base_directory / "models"
    if not (folder / "official").exists():  # the node tests of this process may have written it
        miniature(folder)
    return folder

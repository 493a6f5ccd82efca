"""Fixtures for nodes: the host of this process (real or stand-in) and the pack loaded in it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.nodes import music
from tests.nodes.task_prompts import Run
from tests.short_texts import short_texts
from tools.hosts.host import Host
from tools.hosts.local import start_local_host, started
from tools.hosts.pack import Pack, load_pack


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on what the nodes ran, so that nobody takes the stand-in for the host."""
    running = started()
    if running is not None:
        terminalreporter.write_line(f"The nodes were tested on {running[1].name}.")


@pytest.fixture(scope="session")
def base_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this test run's models/, input/, output/ and temp/ are."""
    running = started()
    if running is not None:
        return running[0]
    return tmp_path_factory.mktemp("host")


@pytest.fixture(scope="session")
def host(base_directory: Path) -> Host:
    """A real ComfyUI in this process where its checkout and requirements are, else the stand-in."""
    return start_local_host(base_directory)


@pytest.fixture(scope="session")
def pack(host: Host) -> Pack:
    """The repository root, loaded as ComfyUI loads it."""
    return load_pack(host)


@pytest.fixture(scope="session")
def models(host: Host, base_directory: Path) -> Path:
    """The host's folder of models, with the miniature checkpoints in it."""
    from tools.miniature import miniature

    folder = base_directory / "models"
    if not (folder / "official").exists():  # written once: models that are loaded map the files
        miniature(folder)
    return folder


@pytest.fixture(scope="session")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    """Runs a prompt; the recordings that it may start from are there."""
    folder = base_directory / "input"
    music.write(folder / "melody.wav", 6.0)
    music.write(folder / "melody.flac", 6.0, 44_100, 1)
    music.write(folder / "melody.mp3", 6.0, 44_100)
    return pack.host.run


@pytest.fixture(scope="module")
def brief(pack: Pack) -> Iterator[None]:
    """The language model writes short texts, by nodes and by the library."""
    with short_texts(f"{pack.module.__name__}.ace_core"), short_texts():
        yield


@pytest.fixture
def rooms(host: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the host was asked to make room for, in bytes, in order."""
    import comfy.model_management as management

    asked: list[float] = []
    real = management.load_models_gpu

    def recorded(models: list, memory_required: float = 0, **more: Any) -> None:
        asked.append(memory_required)
        real(models, memory_required=memory_required, **more)

    monkeypatch.setattr(management, "load_models_gpu", recorded)
    return asked


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The server behind the page that queued the run; `sent` is (text, node, to which page)."""
    page = SimpleNamespace(client_id="a page", sent=[])
    page.send_progress_text = lambda *message: page.sent.append(message)
    server = SimpleNamespace(PromptServer=SimpleNamespace(instance=page))
    monkeypatch.setitem(sys.modules, "server", server)
    return page

"""Every node's inputs at, below and above their limits and of other types, through a real server.

Each `ABUSE_EVERY`th of some thousand prompts is sent; `make abuse` sends them all. With
`ABUSE_FROM` it begins behind so many.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.attacks import Attack, Found, attacks
from tests.nodes.flows import recordings
from tools.docs.make_released import released
from tools.hosts.host import Prompt
from tools.hosts.server import ComfyServer
from tools.miniature import miniature
from tools.workflows.prompts import API_WORKFLOWS, read_prompt, with_input, with_miniature

logger = logging.getLogger(__name__)

EVERY = int(os.environ.get("ABUSE_EVERY", "60"))
FROM = int(os.environ.get("ABUSE_FROM", "0"))
BETWEEN = 50  # prompts between two good ones
LIMIT = 300.0  # seconds for one prompt
SHORT = {"dtype": "fp32", "seconds": 10.0, "settings.steps": 3}
SHORT |= {"temperature": 2.0, "top_p": 1.0, "seed": 6}  # the miniature's replies end early


@pytest.fixture(scope="module")
def own_server(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """A server of its own: what it does not survive hurts no other test."""
    folder = tmp_path_factory.mktemp("abused")
    miniature(folder / "models")
    with ComfyServer(checkout, folder) as running:
        recordings(folder / "input")
        yield running


def short_prompts() -> list[Prompt]:
    """The published workflows on the miniature, short."""
    prompts = []
    for path in sorted(API_WORKFLOWS.glob("*.json")):
        prompt = with_miniature(read_prompt(path.stem))
        for name, value in SHORT.items():
            if any(name in node["inputs"] for node in prompt.values()):
                prompt = with_input(prompt, name, value)
        prompts.append(prompt)
    return prompts


def digest(server: ComfyServer) -> str:
    """Of the bytes that the good prompt saves; without the host's cache, which may hold them."""
    good = with_miniature(read_prompt("text_to_music"))
    for name, value in {"dtype": "fp32", "seconds": 10.0}.items():
        good = with_input(good, name, value)
    server._post("/free", {"free_memory": True})
    outcome = server.run(good)
    assert outcome.complete, outcome.why()
    shown = [file for ui in outcome.ui.values() for file in ui.get("audio", ())]
    assert shown
    return hashlib.sha256(b"".join(server.view(file) for file in shown)).hexdigest()


def send(server: ComfyServer, sent: list[Attack]) -> Found:
    found, expected = Found(), digest(server)
    for number, attack in enumerate(sent, start=1):
        found.count(attack, server.run(attack.prompt, timeout=LIMIT))
        if number % BETWEEN == 0 or number == len(sent):
            logger.info("%d of %d: %s, %s", number, len(sent), found.outcomes, found.faults)
            assert digest(server) == expected, f"after {number} prompts"
    return found


def test_no_prompt_ends_the_server_or_raises_what_is_not_ours(own_server: ComfyServer) -> None:
    info = own_server.get("/object_info")
    every = list(attacks(info, short_prompts()))
    assert {attack.kind for attack in every} >= set(released())
    found = send(own_server, every[FROM::EVERY])
    assert found.faults == []
    assert own_server.process is not None
    assert own_server.process.poll() is None

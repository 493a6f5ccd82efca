"""How far a node is, as text on it, in a real ComfyUI: the host says which node runs."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.nodes.music import write
from tests.nodes.task_prompts import whole
from tools.hosts.pack import Pack

COUNT = re.compile(r"(step|tile) \d+ of \d+(, \d+ s left)?")


@pytest.fixture
def sent(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """(text, node, to which page), at every step."""
    found: list[tuple[str, str, str]] = []
    server = SimpleNamespace(
        client_id="a page",
        sockets={},
        send_progress_text=lambda *message: found.append(message),
        send_sync=lambda *_: None,
    )
    module = SimpleNamespace(PromptServer=SimpleNamespace(instance=server))
    monkeypatch.setitem(sys.modules, "server", module)
    monkeypatch.setattr(pack.submodule("nodes.host.frontend"), "INTERVAL", 0.0)
    return found


def test_the_nodes_that_run_say_how_far_they_are(
    pack: Pack, models: Path, base_directory: Path, sent: list[tuple[str, str, str]]
) -> None:
    write(base_directory / "input" / "melody.wav", 10.0)
    outcome = pack.host.run(whole("Cover", quantize=False))
    assert outcome.complete, outcome.why()
    counts = [(text, node) for text, node, _ in sent if COUNT.fullmatch(text)]
    assert {node for _, node in counts} == {"task", "music"}
    steps = [text for text, node in counts if node == "music"]
    assert [text.split(",")[0] for text in steps] == [f"step {n} of 4" for n in (1, 2, 3, 4)]
    assert ["left" in text for text in steps] == [False, True, True, True]
    assert {page for *_, page in sent} == {"a page"}

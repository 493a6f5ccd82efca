"""A full device under our sampler: the same songs in smaller pieces, and said."""

import importlib
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.crowded import crowd
from tests.nodes import music as rendered
from tests.nodes.lm_prompts import complaint
from tests.nodes.task_prompts import BASE, TURBO, sampler, whole
from tests.nodes.test_guidance import Run, guided, made, plain
from tests.rounding import assert_same
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    return pack.host.run


@pytest.fixture
def net(pack: Pack) -> Any:
    return pack.submodule("nodes.host.model").AceNet


def again(nodes: dict[str, Any]) -> dict[str, Any]:
    """The same prompt, which the host's cache does not know."""
    music = {**nodes["music"], "inputs": {**nodes["music"]["inputs"], "seeds": "5"}}
    return {**nodes, "music": music}


def free_memory(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    """What the host's manager says is left after the model was loaded."""
    patcher = importlib.import_module("comfy.model_patcher").ModelPatcher
    monkeypatch.setattr(patcher, "get_free_memory", lambda *_: free)


@pytest.mark.parametrize(
    "nodes",
    [plain(batch=3), whole("Repaint", batch_size=3), whole("Cover", BASE, batch_size=3)],
    ids=["text", "repaint", "cover"],
)
def test_a_batch_that_does_not_fit_is_made_in_groups_with_the_same_songs(
    net: Any,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    nodes: dict[str, Any],
) -> None:
    together = made(run(nodes))
    seen = crowd(monkeypatch, net, "forward", lambda x: len(x) <= 2)
    with caplog.at_level(logging.WARNING):
        outcome = run(again(nodes))
    assert_same(made(outcome), together)
    assert {shape[0] for shape in seen} <= {1, 2}
    said = "Out of memory with 3 songs at once: made 2 at a time."
    assert f"memory: {said}" in outcome.values["music"][1]
    assert caplog.text.count(said) == 1


@pytest.mark.parametrize("kind", ["apg", "adg", "cfg"])
def test_one_song_whose_conditions_do_not_fit_together_hears_them_in_turn(
    net: Any, run: Run, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    nodes = guided(kind)
    together = made(run(nodes))
    seen = crowd(monkeypatch, net, "forward", lambda x: len(x) == 1)
    outcome = run(again(nodes))
    assert_same(made(outcome), together)
    assert len(seen) == 2 * 4  # both conditions at each of four steps
    said = "memory: Out of memory with both conditions at once: the model gets one after the other"
    assert outcome.values["music"][1].count(said) == 1


def test_a_guided_batch_is_halved_first_and_heard_in_turn_last(
    net: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = guided("apg", batch=2)
    together = made(run(nodes))
    crowd(monkeypatch, net, "forward", lambda x: len(x) == 1)
    outcome = run(again(nodes))
    assert_same(made(outcome), together)
    report = outcome.values["music"][1].splitlines()
    halved, turns = [line for line in report if line.startswith("memory:")]
    assert halved == "memory: Out of memory with 2 songs at once: made 1 at a time."
    assert turns.startswith("memory: Out of memory with both conditions")


def test_the_largest_group_that_the_host_has_room_for_comes_first(
    pack: Pack, net: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = plain(batch=5)
    together = made(run(nodes))
    batch = pack.submodule("nodes.host.sampling").Batch
    needs: list[float] = []
    bytes_for = batch.bytes_for

    def measured(self: Any, items: int) -> float:
        needs.append(bytes_for(self, 2))
        return bytes_for(self, items)

    monkeypatch.setattr(batch, "bytes_for", measured)
    run(again(nodes))
    free_memory(monkeypatch, 1.5 * needs[0] + 1)
    seen = crowd(monkeypatch, net, "forward", lambda x: True)
    outcome = run({**nodes, "music": sampler(seeds="5, -1")})
    assert {shape[0] for shape in seen} == {2, 1}
    said = "5 songs at once would not fit into memory: made 2 at a time."
    assert said in outcome.values["music"][1]
    assert_same(made(outcome), together)


def test_a_song_that_does_not_fit_alone_is_refused_with_what_to_do(
    net: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, net, "forward", lambda x: False)
    said = complaint(run(plain(batch=2, seeds="9")))
    assert "One song alone does not fit" in said
    assert "Make it shorter, load the diffusion model with dtype int8" in said


def test_what_is_not_a_lack_of_memory_is_not_caught(
    net: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = crowd(monkeypatch, net, "forward", lambda x: len(x) == 1, RuntimeError)
    assert complaint(run(plain(TURBO, batch=2, seeds="8"))).startswith("no room")
    assert seen == []

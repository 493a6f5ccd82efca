"""The text on a node that runs: which step it is, and how long it takes yet; few messages."""

import sys
import types
from types import SimpleNamespace
from typing import Any

import pytest

from tools.hosts.pack import Pack


class Seconds:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def page(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Node 7 runs."""
    module: Any = types.ModuleType("comfy_execution.utils")
    module.get_executing_context = lambda: SimpleNamespace(node_id="7")
    monkeypatch.setitem(sys.modules, "comfy_execution.utils", module)
    return page


@pytest.fixture
def clock(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(pack.submodule("nodes.host.frontend"), "time", clock)
    made = pack.submodule("ace_core.time_left").StepClock
    monkeypatch.setattr(
        pack.submodule("nodes.host.frontend"),
        "StepClock",
        lambda *given: made(*given, now=clock.perf_counter),
    )
    return clock


def test_a_long_run_says_step_and_time_left_twice_a_second(
    pack: Pack, page: SimpleNamespace, clock: Seconds
) -> None:
    report = pack.submodule("nodes.host").progress_bar()
    for done in range(1, 101):
        clock.now += 0.1
        report(done, 100)
    texts = [text for text, _, _ in page.sent]
    assert {(node, to) for _, node, to in page.sent} == {("7", "a page")}
    assert len(texts) <= 100 * 0.1 / 0.5
    assert texts[0] in ("step 5 of 100, 10 s left", "step 6 of 100, 9 s left")


def test_a_short_run_says_nothing(pack: Pack, page: SimpleNamespace, clock: Seconds) -> None:
    report = pack.submodule("nodes.host").progress_bar("tile")
    for done in range(1, 5):
        clock.now += 0.1
        report(done, 4)
    assert page.sent == []


def test_a_heading_stands_above_it_and_goes_with_its_part(
    pack: Pack, page: SimpleNamespace, clock: Seconds
) -> None:
    host = pack.submodule("nodes.host")
    with host.progress_heading("bass, 2 of 3"), host.progress_heading("song 1 of 2"):
        report = host.progress_bar("tile")
        clock.now += 2
        report(1, 8)
    clock.now += 2
    report(2, 8)
    assert [text for text, _, _ in page.sent] == [
        "bass, 2 of 3  \nsong 1 of 2  \ntile 1 of 8",
        "tile 2 of 8, 12 s left",
    ]


def test_without_a_page_or_a_running_node_nothing_is_sent(
    pack: Pack, page: SimpleNamespace, clock: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = pack.submodule("nodes.host").progress_bar()
    page.client_id = None
    clock.now += 2
    report(1, 8)
    page.client_id = "a page"
    monkeypatch.delitem(sys.modules, "comfy_execution.utils")
    report = pack.submodule("nodes.host").progress_bar()
    clock.now += 2
    report(1, 8)
    assert page.sent == []


def test_a_text_of_the_language_model_may_end_early_and_codes_do_not(
    pack: Pack, page: SimpleNamespace, clock: Seconds
) -> None:
    host, step = pack.submodule("nodes.host"), pack.submodule("ace_core.lm.decoding").Step
    for form in ((), (False, "code", False)):
        say = host.token_progress(None, *form)
        for done in (1, 2):
            clock.now += 1
            say(step(done, 10, (), ()))
    assert [text for text, _, _ in page.sent] == [
        "token 1 of at most 10",
        "token 2 of at most 10",
        "code 1 of 10",
        "code 2 of 10, 8 s left",
    ]

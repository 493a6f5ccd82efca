"""Warnings are the first lines of a report, each once, and a report lists no long schedule."""

from typing import Any

import pytest

from tools.hosts.pack import Pack


@pytest.fixture
def node_text(pack: Pack) -> Any:
    return pack.submodule("nodes.node_text")


def test_warnings_come_first_and_each_once(node_text: Any) -> None:
    lines = ["drums", "warning: slow", "\nbass\nwarning: slow\nwarning: loud", "end"]
    wanted = ["warning: slow", "warning: loud", "drums", "", "bass", "end"]
    assert node_text.warnings_first(lines) == wanted
    assert node_text.node_text(lines) == {"ace_step_text": ["\n".join(wanted)]}


def test_a_report_without_warnings_stays_as_it_is(node_text: Any) -> None:
    assert node_text.warnings_first(["a\nb", "c"]) == ["a", "b", "c"]
    assert node_text.node_text([]) == {}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (4, "1, 0.75, 0.5, 0.25, 0"),
        (32, "1, 0.9688, 0.9375, 0.9062, ..., 0.03125, 0"),
    ],
)
def test_of_many_flow_times_the_first_and_the_last_are_told(
    pack: Pack, steps: int, said: str
) -> None:
    times = [1 - step / steps for step in range(steps + 1)]
    assert pack.submodule("nodes.run_sampler").format_times(times) == said

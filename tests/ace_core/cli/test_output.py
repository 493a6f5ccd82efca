"""Bars for people at a terminal, JSON for machines, and neither in the other's way."""

import contextlib
import io
import json
import signal

import pytest

from ace_core.cli.output import LINE, Bar, Interrupts, Output


def test_a_bar_is_written_over_and_leaves_an_empty_line():
    screen = io.StringIO()
    bar = Bar(screen, True, Interrupts().check)
    bar.title = "[1/2] "
    bar(0.5, desc="Making music, step by step by step by step by step by step by step")
    bar(1.0, "Saving")
    bar.clear()
    first, second, blank, end = screen.getvalue().split("\r")[1:]
    assert first.startswith("[1/2] " + "█" * 15 + "░" * 15 + "  50% Making music")
    assert len(first) == LINE
    assert second.rstrip() == "[1/2] " + "█" * 30 + " 100% Saving"
    assert len(second) == len(first)
    assert (blank.strip(), len(blank), end) == ("", len(second.rstrip()), "")


def test_a_new_title_leaves_the_bar_where_it_is_and_ends_no_work():
    screen = io.StringIO()
    interrupts = Interrupts()
    bar = Bar(screen, True, interrupts.check)
    bar.retitle("[0/2] ")
    bar(0.5, "Making music")
    interrupts.pressed = True
    bar.retitle("[1/2] ")  # from the thread that saves, which is not the one to be ended
    drawn = screen.getvalue().split("\r")[1:]
    assert [each.rstrip() for each in drawn] == [
        "[0/2] " + "░" * 30 + "   0%",
        "[0/2] " + "█" * 15 + "░" * 15 + "  50% Making music",
        "[1/2] " + "█" * 15 + "░" * 15 + "  50% Making music",
    ]


def test_a_bar_that_nobody_sees_writes_nothing(capsys: pytest.CaptureFixture[str]):
    for as_json in (False, True):
        output = Output(as_json, Interrupts())
        output.bar(0.5, "Making music")
        output.bar.clear()
    assert capsys.readouterr() == ("", "")


def test_machines_get_json_on_stdout_and_notes_stay_on_stderr(capsys: pytest.CaptureFixture[str]):
    output = Output(True, Interrupts())
    output.note("by the way")
    output.result({"caption": "é"}, "words")
    output.refusal("no")
    output = capsys.readouterr()
    assert [json.loads(line) for line in output.out.splitlines()] == [
        {"caption": "é"},
        {"success": False, "error": "no"},
    ]
    assert output.err == "by the way\nerror: no\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_that_a_library_swallows_ends_the_work_at_the_next_step(as_json: bool):
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        output = Output(as_json, interrupts)
        output.bar(0.1, "Loading the models")
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            output.bar(0.2, "Making music")
    assert signal.getsignal(signal.SIGINT) is before

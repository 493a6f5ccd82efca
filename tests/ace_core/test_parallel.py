"""Work in threads: beside each other, in order, and with its errors.

Nothing is timed: a piece waits for what only another piece can do, and the test fails where nothing
is beside it.
"""

import os
import threading
from collections.abc import Callable
from functools import partial

import pytest
import torch

from ace_core.parallel import MOST, Behind, in_parallel

LONG = 120.0  # seconds until a test gives up; nothing waits that long where work is beside work


@pytest.fixture(autouse=True)
def several_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2 * MOST)


def test_pieces_run_at_the_same_time_and_give_their_results_in_order() -> None:
    meeting = threading.Barrier(MOST)

    def piece(number: int) -> int:
        meeting.wait(LONG)
        return number

    assert in_parallel([partial(piece, number) for number in range(MOST)]) == [*range(MOST)]


@pytest.mark.parametrize("cores", [1, None])
def test_one_core_does_them_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, cores: int | None
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert in_parallel([threading.get_ident] * 3) == [threading.get_ident()] * 3


def test_no_more_pieces_run_at_once_than_memory_is_counted_for() -> None:
    running, most, change = 0, 0, threading.Lock()

    def piece() -> None:
        nonlocal running, most
        with change:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with change:
            running -= 1

    in_parallel([piece] * 5 * MOST)
    assert most <= MOST


def test_the_first_error_is_raised_when_every_piece_has_ended() -> None:
    ended = []
    failed = threading.Event()

    def fail(name: str, wait: Callable[[], object]) -> None:
        wait()
        ended.append(name)
        failed.set()
        raise ValueError(name)

    def last() -> None:
        failed.wait(LONG)
        ended.append("last")

    first, second = partial(fail, "first", partial(failed.wait, LONG)), partial(fail, "second", int)
    with pytest.raises(ValueError, match="first"):
        in_parallel([first, second, last])
    assert sorted(ended) == ["first", "last", "second"]


@pytest.mark.parametrize("mode", [True, False])
def test_pieces_are_in_the_callers_inference_mode(mode: bool) -> None:
    """Outside of it, a change in place of what the host made within it is refused."""
    with torch.inference_mode(mode):
        made = torch.zeros(2)
        assert in_parallel(
            [torch.is_inference_mode_enabled, lambda: made.add_(1).sum().item()]
        ) == [
            mode,
            2.0,
        ]


def test_work_goes_on_behind_the_caller_one_item_at_a_time() -> None:
    """The first item waits for what its caller does next; the second is begun after it."""
    done: list[str] = []
    further = threading.Event()

    def work(item: str) -> None:
        assert further.wait(LONG)
        done.append(item)

    with Behind(work) as behind:
        behind("first")
        assert done == []
        further.set()
        behind("second")
        assert done[0] == "first"
    assert done == ["first", "second"]


def test_an_error_of_the_work_comes_with_the_next_item_or_at_the_end() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        done.append(item)
        raise ValueError(str(item))

    with pytest.raises(ValueError, match="1"), Behind(work) as behind:
        behind(1)
        behind(2)
    with pytest.raises(ValueError, match="3"), Behind(work) as behind:
        behind(3)
    assert done == [1, 3]


def test_what_is_under_way_is_done_when_the_caller_is_interrupted() -> None:
    done: list[int] = []
    interrupted = threading.Event()

    def work(item: int) -> None:
        assert interrupted.wait(LONG)
        done.append(item)

    with pytest.raises(KeyboardInterrupt), Behind(work) as behind:
        behind(1)
        threading.Timer(0.01, interrupted.set).start()
        raise KeyboardInterrupt
    assert done == [1]

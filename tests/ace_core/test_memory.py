"""Which errors say that a device is full, and what is made of them."""

import gc
import weakref

import pytest
import torch

from ace_core.errors import AceStepError
from ace_core.memory import NotEnoughMemoryError, Notices, OomHandler, free_bytes, out_of_memory


def test_what_torch_says_when_the_cpu_has_no_room_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert out_of_memory(caught.value)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
        (NotEnoughMemoryError("not even one"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (RuntimeError("the student ran out of memory"), False),
        (ValueError("defaultcpuallocator: can't allocate memory"), False),
    ],
)
def test_only_a_full_device_counts_as_full(error: Exception, full: bool) -> None:
    assert out_of_memory(error) is full


def test_an_accelerators_own_error_counts_when_it_says_so() -> None:
    error = getattr(torch, "AcceleratorError", None)
    if error is None:
        pytest.skip("this torch has no such error")
    assert out_of_memory(error("CUDA error: out of memory"))
    assert not out_of_memory(error("CUDA error: device-side assert triggered"))


def test_the_failed_runs_tensors_are_gone_when_the_device_is_relieved() -> None:
    held: list[weakref.ref] = []
    alive: list[bool] = []

    def run() -> None:
        tensor = torch.empty(3)
        held.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError("no room")

    def free() -> None:
        gc.disable()
        alive.append(held[0]() is not None)
        gc.enable()

    assert OomHandler(free=free).try_run(run) is None
    assert alive == [False]


def test_another_error_passes_through_a_guard() -> None:
    def run() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        OomHandler().try_run(run)


def test_the_refusal_is_ours_and_torchs_at_once() -> None:
    assert issubclass(NotEnoughMemoryError, AceStepError)
    assert issubclass(NotEnoughMemoryError, torch.OutOfMemoryError)


def test_a_notice_is_said_once_and_kept() -> None:
    log: list[str] = []
    notices = Notices(log.append)
    for text in ("one", "two", "one"):
        notices(text)
    assert log == notices.texts == ["one", "two"]


def test_a_cpu_does_not_tell_what_is_free() -> None:
    assert free_bytes(torch.device("cpu")) is None

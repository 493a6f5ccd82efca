"""A batch in groups: which sizes are tried, and that nothing is made twice."""

import pytest
import torch

from ace_core.memory import NotEnoughMemoryError, OomHandler
from ace_core.sampling.microbatch import in_microbatches, largest_microbatch


class Device:
    """A device for `room` items at once, which records the runs and the messages."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[tuple[int, int]] = []
        self.messages: list[str] = []
        self.oom = OomHandler(notify=self.messages.append)

    def run(self, first: int, behind: int) -> torch.Tensor:
        self.tried.append((first, behind))
        if behind - first > self.room:
            raise torch.OutOfMemoryError("no room")
        return torch.arange(first, behind)


def test_a_batch_that_fits_is_made_at_once_without_a_word() -> None:
    device = Device(8)
    assert in_microbatches(5, device.run, device.oom).tolist() == [0, 1, 2, 3, 4]
    assert (device.tried, device.messages) == ([(0, 5)], [])


def test_a_group_that_does_not_fit_is_halved_until_it_does() -> None:
    device = Device(2)
    assert in_microbatches(8, device.run, device.oom).tolist() == list(range(8))
    assert device.tried == [(0, 8), (0, 4), (0, 2), (2, 4), (4, 6), (6, 8)]
    assert device.messages == [
        "Out of memory with 8 songs at once: made 4 at a time.",
        "Out of memory with 4 songs at once: made 2 at a time.",
    ]


def test_groups_are_of_even_size_and_no_larger_than_what_fits() -> None:
    device = Device(8)
    assert in_microbatches(7, device.run, device.oom, largest=5).tolist() == list(range(7))
    assert device.tried == [(0, 4), (4, 7)]
    assert device.messages == ["7 songs at once would not fit into memory: made 4 at a time."]


def test_what_is_done_stays_done_when_a_later_group_does_not_fit() -> None:
    device = Device(4)

    def run(first: int, behind: int) -> torch.Tensor:
        device.room = 4 if first == 0 else 1
        return device.run(first, behind)

    assert in_microbatches(6, run, device.oom, largest=3).tolist() == list(range(6))
    assert device.tried == [(0, 3), (3, 6), (3, 5), (3, 4), (4, 5), (5, 6)]


def test_one_item_that_does_not_fit_is_refused_with_what_to_do() -> None:
    device = Device(0)
    with pytest.raises(NotEnoughMemoryError, match="Make it shorter"):
        in_microbatches(3, device.run, device.oom)
    assert device.tried == [(0, 3), (0, 2), (0, 1)]


@pytest.mark.parametrize(("room", "group"), [(8, 8), (5, 5), (1, 1), (0, 1)])
def test_the_largest_group_is_the_most_that_fits_and_at_least_one(room: int, group: int) -> None:
    assert largest_microbatch(8, lambda size: size <= room) == group

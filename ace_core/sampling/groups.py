"""A batch in groups of items that fit into memory.

Every item has its own noise and attends only to itself, so an item is the same in a group of any
size, up to the rounding of floats. It knows neither model nor device.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..memory import Guard, NotEnoughMemoryError


def largest_group(items: int, fits: Callable[[int], bool]) -> int:
    """The most of `items` that fit together; 1 when not even that does: then a run may tell."""
    return next((size for size in range(items, 1, -1) if fits(size)), 1)


def in_groups(
    items: int, run: Callable[[int, int], Tensor], guard: Guard, largest: int | None = None
) -> Tensor:
    """`run(first, behind)` for all items [B, ...], at most `largest` at once.

    Where a group does not fit it is halved; what is done stays done.

    Raises:
        NotEnoughMemoryError: not even one item fits.
    """
    size = _even(items, min(largest or items, items))
    if size < items:
        guard.say(f"{items} songs at once would not fit into memory: made {size} at a time.")
    made: list[Tensor] = []
    first = 0
    while first < items:
        behind = min(first + size, items)
        part = guard.attempt(lambda a=first, b=behind: run(a, b))
        if part is not None:
            made.append(part)
            first = behind
            continue
        size = _halved(behind - first)
        guard.say(f"Out of memory with {behind - first} songs at once: made {size} at a time.")
    return torch.cat(made) if len(made) > 1 else made[0]


def _even(items: int, largest: int) -> int:
    """The size of as many groups as are needed, without a large and a small one."""
    groups = -(-items // largest)
    return -(-items // groups)


def _halved(size: int) -> int:
    if size == 1:
        raise NotEnoughMemoryError(
            "One song alone does not fit into the device's memory. Make it shorter, load the "
            "diffusion model with dtype int8, or free memory: other models, other programs."
        )
    return -(-size // 2)

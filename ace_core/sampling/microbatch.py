"""A batch in microbatches: as many items at once as fit into memory.

Every item has its own noise and attends only to itself, so an item is the same in a microbatch of
any size, up to the rounding of floats. It knows neither model nor device.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..memory import NotEnoughMemoryError, OomHandler


def largest_microbatch(items: int, fits: Callable[[int], bool]) -> int:
    """The most of `items` that fit together; 1 when not even that does: then a run may tell."""
    return next((size for size in range(items, 1, -1) if fits(size)), 1)


def in_microbatches(
    items: int, run: Callable[[int, int], Tensor], oom: OomHandler, largest: int | None = None
) -> Tensor:
    """`run(start, stop)` for all items [B, ...], at most `largest` at once.

    Where a microbatch does not fit it is halved; what is done stays done.

    Raises:
        NotEnoughMemoryError: not even one item fits.
    """
    size = _even(items, min(largest or items, items))
    if size < items:
        oom.notify(f"{items} songs at once would not fit into memory: made {size} at a time.")
    made: list[Tensor] = []
    start = 0
    while start < items:
        stop = min(start + size, items)
        part = oom.try_run(lambda a=start, b=stop: run(a, b))
        if part is not None:
            made.append(part)
            start = stop
            continue
        size = _halved(stop - start)
        oom.notify(f"Out of memory with {stop - start} songs at once: made {size} at a time.")
    return torch.cat(made) if len(made) > 1 else made[0]


def _even(items: int, largest: int) -> int:
    """The size of as many microbatches as are needed, without a large and a small one."""
    count = -(-items // largest)
    return -(-items // count)


def _halved(size: int) -> int:
    if size == 1:
        raise NotEnoughMemoryError(
            "One song alone does not fit into the device's memory. Make it shorter, load the "
            "diffusion model with dtype int8, or free memory: other models, other programs."
        )
    return -(-size // 2)

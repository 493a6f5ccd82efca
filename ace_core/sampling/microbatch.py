"""A batch in microbatches: as many items at once as fit into memory.

Items are independent (own noise, no attention across items), so the size of a microbatch changes an
item by no more than rounding. It knows neither model nor device.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..memory import NotEnoughMemoryError, OomHandler


def largest_microbatch(items: int, fits: Callable[[int], bool]) -> int:
    """The largest number of `items` that `fits`; 1 where none does, and the run finds out."""
    return next((size for size in range(items, 1, -1) if fits(size)), 1)


def in_microbatches(
    items: int, run: Callable[[int, int], Tensor], oom: OomHandler, largest: int | None = None
) -> Tensor:
    """`run(start, stop)` for all items [B, ...], at most `largest` at once.

    A microbatch that does not fit is halved; finished ones are kept.

    Raises:
        NotEnoughMemoryError: not even one item fits.
    """
    size = _even_size(items, min(largest or items, items))
    if size < items:
        oom.notify(f"{items} songs at once would not fit into memory: made {size} at a time.")
    parts: list[Tensor] = []
    start = 0
    while start < items:
        stop = min(start + size, items)
        part = oom.try_run(lambda a=start, b=stop: run(a, b))
        if part is not None:
            parts.append(part)
            start = stop
            continue
        size = _halved(stop - start)
        oom.notify(f"Out of memory with {stop - start} songs at once: made {size} at a time.")
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _even_size(items: int, largest: int) -> int:
    """The size that splits `items` evenly into as few microbatches as `largest` allows."""
    count = -(-items // largest)
    return -(-items // count)


def _halved(size: int) -> int:
    if size == 1:
        raise NotEnoughMemoryError(
            "One song alone does not fit into the device's memory. Make it shorter, load the "
            "diffusion model with dtype int8, or free memory: other models, other programs."
        )
    return -(-size // 2)

"""Stand-in for `comfy.utils`: progress, files and small tensor functions."""

import math
from collections.abc import Callable
from typing import Any

import torch

PROGRESS_BAR_ENABLED = True
PROGRESS_BAR_HOOK: Callable[..., None] | None = None


def set_progress_bar_global_hook(function: Callable[..., None] | None) -> None:
    global PROGRESS_BAR_HOOK
    PROGRESS_BAR_HOOK = function


class ProgressBar:
    """Tells the executor how far a node is; every update arrives (the host drops some)."""

    def __init__(self, total: int, node_id: str | None = None) -> None:
        self.total = total
        self.current = 0
        self.node_id = node_id
        self.hook = PROGRESS_BAR_HOOK

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        self.total = self.total if total is None else total
        self.current = min(value, self.total)
        if self.hook is not None:
            self.hook(self.current, self.total, preview, node_id=self.node_id)


def repeat_to_batch_size(tensor: torch.Tensor, batch_size: int, dim: int = 0) -> torch.Tensor:
    """Long batches are cut and short ones tiled, without a word, as on the host."""
    if tensor.shape[dim] >= batch_size:
        return tensor.narrow(dim, 0, batch_size)
    times = [1] * tensor.ndim
    times[dim] = math.ceil(batch_size / tensor.shape[dim])
    return tensor.repeat(times).narrow(dim, 0, batch_size)

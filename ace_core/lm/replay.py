"""A step of the language model, recorded once and replayed for every token after.

A step is some thousand small kernels, and a GPU waits longer for each to be asked for than it
computes. A recording is asked for once. It repeats the same reads and writes of the same memory,
so everything that changes from token to token lies in tensors that stay where they are: the
tokens, the slot they are kept in, the states that come out. What it reads of the cache has a fixed
length too, a few hundred slots at a time, and it is recorded anew when they are full.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from ..models.cache import FixedCache
from ..models.qwen3 import Qwen3

Action = Callable[[], None]
Recorder = Callable[[Action], Action]  # an action just done, to one that does the same again


def cuda_graph(action: Action) -> Action:
    """`action` as a CUDA graph. It was done once before, so that nothing is set up while it is
    recorded; recording does not do it."""
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        action()
    return graph.replay


def recorder_for(device: torch.device) -> Recorder:
    """
    Raises:
        InvalidRequestError: the device has no CUDA graphs.
    """
    if device.type != "cuda" or torch.version.cuda is None:
        raise InvalidRequestError(
            f"`cuda_graphs` is on, but the language model computes on {device.type}, and only an "
            "NVIDIA GPU has CUDA graphs. Turn it off."
        )
    return cuda_graph


class Replay:
    """Steps of `model` over `cache`; tokens are told by their rows in `table` [R, E]."""

    def __init__(self, model: Qwen3, table: Tensor, cache: FixedCache, record: Recorder) -> None:
        self.model, self.table, self.cache, self.record = model, table, cache, record
        rows = len(cache.lengths)
        self.index = torch.zeros(rows, device=table.device, dtype=torch.long)
        self.hidden = table.new_zeros(rows, table.shape[1])  # [rows, E]
        self.again: Action | None = None

    def __call__(self, index: Tensor) -> Tensor:
        """Reads one token a row, [rows]; the states [rows, E] that follow from it.

        They are overwritten by the next call.
        """
        self.index.copy_(index)
        if self.cache.open_slot():
            self.again = None  # it reads more slots from now on
        if self.again is None:
            self._step()
            self.again = self.record(self._step)
        else:
            self.again()
        return self.hidden

    def _step(self) -> None:
        embedded = self.table[self.index][:, None]  # [rows, 1, E]
        self.hidden.copy_(self.model(embedded, self.cache)[:, 0])

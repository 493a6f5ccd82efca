"""A decode step captured as a CUDA graph, and replayed for every token after it.

A step is some thousand small kernels, and the CPU takes longer to launch them than the GPU to
compute them. A graph is launched once. It repeats the same reads and writes of the same memory, so
whatever changes from token to token lies in tensors that stay where they are: the tokens, the slot
of the kv cache, the hidden states. The length of the kv that a step reads is part of the graph: it
grows in blocks of slots, and each block is captured anew.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from ..models.kv_cache import StaticKVCache
from ..models.qwen3 import Qwen3

Launch = Callable[[], None]
Capture = Callable[[Launch], Launch]  # kernels that ran once, to one launch of the same kernels


def capture_cuda_graph(launch: Launch) -> Launch:
    """`launch` as a CUDA graph. It has run once before, so that nothing is initialised while it is
    captured; capturing does not run it."""
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        launch()
    return graph.replay


def cuda_graph_capture(device: torch.device) -> Capture:
    """
    Raises:
        InvalidRequestError: the device has no CUDA graphs.
    """
    if device.type != "cuda" or torch.version.cuda is None:
        raise InvalidRequestError(
            f"`cuda_graphs` is on, but the language model computes on {device.type}, and only an "
            "NVIDIA GPU has CUDA graphs. Turn it off."
        )
    return capture_cuda_graph


class GraphedStep:
    """Decode steps of `model` over `cache`; `lm_head` [R, E] embeds the tokens too."""

    def __init__(
        self, model: Qwen3, lm_head: Tensor, cache: StaticKVCache, capture: Capture
    ) -> None:
        self.model, self.lm_head, self.cache, self.capture = model, lm_head, cache, capture
        rows = len(cache.lengths)
        self.index = torch.zeros(rows, device=lm_head.device, dtype=torch.long)
        self.hidden = lm_head.new_zeros(rows, lm_head.shape[1])  # [rows, E]
        self.replay: Launch | None = None

    def __call__(self, index: Tensor) -> Tensor:
        """One token per row, [rows] as rows of `lm_head`, to hidden states [rows, E].

        The next call overwrites them.
        """
        self.index.copy_(index)
        if self.cache.open_slot():
            self.replay = None  # more slots are read from here on
        if self.replay is None:
            self._forward()
            self.replay = self.capture(self._forward)
        else:
            self.replay()
        return self.hidden

    def _forward(self) -> None:
        embedded = self.lm_head[self.index][:, None]  # [rows, 1, E]
        self.hidden.copy_(self.model(embedded, self.cache)[:, 0])

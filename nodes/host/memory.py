"""The core's out-of-memory handler with ComfyUI's memory manager, and statistics of a run."""

import logging
import sys
import time
from typing import Any

import comfy.model_management
import torch

from ...ace_core.memory import Notices, Notify, OomHandler, out_of_memory

logger = logging.getLogger(__name__)

_GIB = 2**30


def host_oom_handler(notify: Notify | None = None) -> OomHandler:
    """`notify` is called about smaller pieces; without it, the log is."""
    return OomHandler(
        _is_full, comfy.model_management.soft_empty_cache, notify or Notices(logger.warning)
    )


def _is_full(error: BaseException) -> bool:
    return comfy.model_management.is_oom(error) or out_of_memory(error)


class RunStats:
    """Measured from construction to `lines`."""

    def __init__(self, model: Any) -> None:
        self._begin = time.perf_counter()
        self._device = model.load_device
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)

    def lines(self) -> list[str]:
        """The device's own peak of this run where it counts one, else the whole process's."""
        seconds = time.perf_counter() - self._begin
        said = [f"time: {seconds:.1f} s on {self._device}"]
        if self._device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self._device)
            return [*said, f"peak memory: {peak / _GIB:.1f} GiB in this run"]
        peak = _process_peak()
        if peak is None:
            return said
        return [*said, f"peak memory: {peak / _GIB:.1f} GiB of ComfyUI so far"]


def _process_peak() -> int | None:
    """Bytes, where the system counts them."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

"""When a device is full: how to know it, what to do then, and who is told.

It knows no model. Whoever holds a device in another way, as a host does, hands in an `OomHandler`
of its own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import torch

from .errors import AceStepError

logger = logging.getLogger(__name__)

HEADROOM: Final = 1.5  # free memory must exceed an estimate by this; ComfyUI's own factor
_FULL: Final = (  # words of errors that have no class of their own: CPU on three systems, Metal
    "defaultcpuallocator: can't allocate memory",
    "defaultcpuallocator: not enough memory",
    "mps backend out of memory",
)
Result = TypeVar("Result")
Notify = Callable[[str], None]


class NotEnoughMemoryError(AceStepError, torch.OutOfMemoryError):
    """Not even the smallest piece fits; a host that knows torch's error frees its models."""


def out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that a device is full, and nothing else."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    accelerator = getattr(torch, "AcceleratorError", ())  # unknown to old torch
    if isinstance(error, accelerator):
        return "out of memory" in words
    return isinstance(error, RuntimeError) and any(full in words for full in _FULL)


def release_unused() -> None:
    """Give back what torch keeps for later, so that other shapes find room."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_bytes(device: torch.device) -> int | None:
    """What can still be allocated; `None` where the device does not tell."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@dataclass(frozen=True, slots=True)
class OomHandler:
    """How an out-of-memory error is recognised, memory freed and the user notified."""

    is_full: Callable[[RuntimeError], bool] = out_of_memory
    free: Callable[[], None] = release_unused
    notify: Notify = logger.warning

    def try_run(self, run: Callable[[], Result]) -> Result | None:
        """What `run` makes; `None` when the device was full: then memory is freed.

        Any other error passes.
        """
        try:
            return run()
        except RuntimeError as error:
            if not self.is_full(error):
                raise
            logger.info("The device is full: %s", error)
        self.free()  # not above: while an error is handled, its frames hold their tensors
        return None


OOM_HANDLER: Final = OomHandler()


class Notices:
    """Says each thing once, to a log at once and to a report at the end."""

    def __init__(self, log: Notify = logger.warning) -> None:
        self._log = log
        self.said: list[str] = []

    def __call__(self, text: str) -> None:
        if text not in self.said:
            self.said.append(text)
            self._log(text)

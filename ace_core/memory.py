"""Out-of-memory errors of a device: recognising them, freeing memory, notifying the user.

It does not depend on a model. A host that manages the device itself passes its own `OomHandler`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import torch

from .errors import AceStepError

logger = logging.getLogger(__name__)

HEADROOM: Final = 1.5  # free memory over the estimate that is required; ComfyUI's factor
_OOM_TEXTS: Final = (  # of errors without a class of their own: CPU on three systems, Metal, CUDA
    "defaultcpuallocator: can't allocate memory",
    "defaultcpuallocator: not enough memory",
    "mps backend out of memory",
    "cuda error: out of memory",  # of a torch without `AcceleratorError`
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)
_QUOTED: Final = 200  # characters of the device's own message
Result = TypeVar("Result")
Notify = Callable[[str], None]


class NotEnoughMemoryError(AceStepError, torch.OutOfMemoryError):
    """Even the smallest part of the work does not fit; also torch's error, which hosts handle."""


def out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that a device, or the machine itself, is out of memory."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    message = str(error).lower()
    accelerator = getattr(torch, "AcceleratorError", ())  # missing in old torch
    if isinstance(error, accelerator):
        return "out of memory" in message
    return isinstance(error, RuntimeError) and any(text in message for text in _OOM_TEXTS)


@contextmanager
def memory_for(work: str, advice: str) -> Iterator[None]:
    """Work that cannot be made in smaller parts, as a context or as a decorator of a function.

    `work` begins the message of its error, `advice` is what the user can do.

    Raises:
        NotEnoughMemoryError: there is not enough memory for it; one from further inside stays.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, AceStepError) or not out_of_memory(error):
            raise
        raise NotEnoughMemoryError(
            f"{work} needs more memory than is free. {advice}{_quoted(error)}"
        ) from error


def _quoted(error: BaseException) -> str:
    """What the device said, which often tells how much was missing."""
    said = str(error).strip().splitlines()[:1]
    return f" ({said[0][:_QUOTED]})" if said else ""


def release_unused() -> None:
    """Free the memory that torch caches, so that other shapes fit."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_bytes(device: torch.device) -> int | None:
    """Bytes that can still be allocated; `None` where the device does not report them."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def available_ram() -> int:
    """Bytes of the machine's memory that can be had without swapping."""
    import psutil  # ComfyUI has it too; costs an import only where it is asked

    return psutil.virtual_memory().available


@dataclass(frozen=True, slots=True)
class OomHandler:
    """How an out-of-memory error is recognised, memory freed and the user notified."""

    is_full: Callable[[BaseException], bool] = out_of_memory
    free: Callable[[], None] = release_unused
    notify: Notify = logger.warning

    def try_run(self, run: Callable[[], Result]) -> Result | None:
        """The result of `run`; `None` after an out-of-memory error, when memory has been freed.

        Other errors propagate.
        """
        try:
            return run()
        except (RuntimeError, MemoryError) as error:
            if not self.is_full(error):
                raise
            logger.info("Out of memory: %s", error)
        self.free()  # outside the handler: inside it, the frames of the error hold their tensors
        return None


OOM_HANDLER: Final = OomHandler()


class Notices:
    """Messages for the user, each logged once when it comes and kept for a report."""

    def __init__(self, log: Notify = logger.warning) -> None:
        self._log = log
        self.texts: list[str] = []

    def __call__(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)
            self._log(text)

"""Out-of-memory errors at any operation of torch, by the function of ours that called it."""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tools.hosts.checkout import ROOT

OURS = tuple(f"{ROOT / folder}/" for folder in ("ace_core", "nodes"))
Fault = Callable[[], Exception]


def on_a_gpu() -> Exception:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def on_the_cpu() -> Exception:
    return RuntimeError(
        "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
    )


class Operations(TorchDispatchMode):
    """Counts the operations by the function of ours that they are called from.

    With `where`, the first operation of that function raises what `fault` makes, once.
    """

    def __init__(self, where: str | None = None, fault: Fault = on_a_gpu) -> None:
        super().__init__()
        self.where, self.fault = where, fault
        self.counted: Counter[str] = Counter()
        self.raised = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = caller(sys._getframe(1))
        self.counted[name] += 1
        if name == self.where and not self.raised:
            self.raised = True
            raise self.fault()
        return func(*args, **(kwargs or {}))


def caller(frame: FrameType | None) -> str:
    """The innermost function of the project, as `ace_core/pipeline.py sample`; "" for none."""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(OURS):
            return f"{code.co_filename[len(str(ROOT)) + 1 :]} {code.co_name}"
        frame = frame.f_back
    return ""

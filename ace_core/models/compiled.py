"""The layers of a diffusion transformer, compiled by torch.

One layer at a time, for songs of any length: layers of a kind share a graph, so that a first step
waits for a few graphs and not for one of the whole model. Another graph is made where a batch, the
null condition or a song that fits into the window comes for the first time.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from .dit import DiT

ADVICE = (
    "Turn compiling off, or install what torch needs for it: a C++ compiler for a CPU, Triton for "
    "a GPU (on Windows the package triton-windows)."
)


def compile_layers(decoder: DiT, backend: str | Callable[..., Any] = "inductor") -> None:
    """Have torch compile each layer of `decoder` when it is first used; names and weights stay."""
    for layer in decoder.layers:
        layer.compile(dynamic=True, backend=backend)


def check_compiler(device: torch.device) -> None:
    """Compile a function of one line, so that a machine that cannot is known before a song.

    Raises:
        InvalidRequestError: torch cannot compile for `device` here.
    """
    try:
        torch.compile(_twice)(torch.ones(2, device=device))
    except Exception as error:  # torch's own kinds of error differ with version and system
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InvalidRequestError(
            f"torch.compile does not work for {device.type} on this machine: {reason} {ADVICE}"
        ) from error


def _twice(x: Tensor) -> Tensor:
    return x + x

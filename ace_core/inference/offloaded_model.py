"""Models that rest in main memory and are on their device only while they work."""

from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

Place = tuple[dict[str, Any], str, Tensor]  # where a layer keeps a tensor, under which name


class OffloadedModel:
    """A model and its device. Used as a context, inside of which it is there.

    With `offload` the resting weights stay where they were: they are copied to the device, and
    the copy is dropped afterwards, so that a mapped file is never copied in main memory.
    """

    def __init__(self, model: nn.Module, device: torch.device, offload: bool = False) -> None:
        self.model = model
        self.device = device
        self.offload = offload
        self._users = 0
        self._resting: list[Place] = []

    def __enter__(self) -> nn.Module:
        if self.offload and self._users == 0:
            self._resting = _tensors(self.model)
            try:
                self._move()
            except BaseException:
                self._rest()
                raise
        self._users += 1
        return self.model

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self.offload and self._users == 0:
            self._rest()

    def _move(self) -> None:
        moved: dict[int, Tensor] = {}  # by the identity of the resting one: some are shared
        for owner, name, tensor in self._resting:
            if id(tensor) not in moved:
                there = tensor.detach().to(self.device)
                held = isinstance(tensor, nn.Parameter)
                moved[id(tensor)] = nn.Parameter(there, requires_grad=False) if held else there
            owner[name] = moved[id(tensor)]

    def _rest(self) -> None:
        for owner, name, tensor in self._resting:
            owner[name] = tensor
        self._resting = []
        _give_back(self.device)


def _tensors(model: nn.Module) -> list[Place]:
    """Every parameter and buffer of every layer."""
    return [
        (owner, name, tensor)
        for layer in model.modules()
        for owner in (layer._parameters, layer._buffers)
        for name, tensor in owner.items()
        if tensor is not None
    ]


def _give_back(device: torch.device) -> None:
    """Memory that torch keeps for later, so that the next model finds room."""
    if device.type in ("cuda", "xpu", "mps"):
        getattr(torch, device.type).empty_cache()

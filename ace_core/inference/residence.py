"""Models that rest in main memory and are on their device only while they work."""

from types import TracebackType

import torch
from torch import Tensor, nn


class Resident:
    """A model and its device. Used as a context, inside of which it is there.

    With `offload` the resting weights stay where they were: they are copied to the device, and
    the copy is dropped afterwards, so that a mapped file is never copied in main memory.
    """

    def __init__(self, model: nn.Module, device: torch.device, offload: bool = False) -> None:
        self.model = model
        self.device = device
        self.offload = offload
        self._users = 0
        self._resting: dict[str, Tensor] = {}

    def __enter__(self) -> nn.Module:
        self._users += 1
        if self.offload and self._users == 1:
            self._resting = {name: part.data for name, part in _tensors(self.model)}
            for _, part in _tensors(self.model):
                part.data = part.data.to(self.device)
        return self.model

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self.offload and self._users == 0:
            for name, part in _tensors(self.model):
                part.data = self._resting[name]
            self._resting = {}
            _give_back(self.device)


def _tensors(model: nn.Module) -> list[tuple[str, Tensor]]:
    """Parameters and buffers; one that two layers share comes once."""
    return [*model.named_parameters(), *model.named_buffers()]


def _give_back(device: torch.device) -> None:
    """Memory that torch keeps for later, so that the next model finds room."""
    if device.type in ("cuda", "xpu", "mps"):
        getattr(torch, device.type).empty_cache()

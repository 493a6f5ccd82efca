"""The host's dynamic VRAM without a GPU: its flag alone, or its whole patcher on pretended memory.

The patcher is the host's own. What it asks of the GPU's driver (a reserved range of addresses into
which weights are brought at each use, and which may lose them at any time) is a tensor on the CPU.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

PLACE = torch.device("cpu", 0)  # to the host another device than "cpu", to torch the same
LOST = 255  # in every byte: not a number, in all formats


def comfy(name: str) -> Any:
    return importlib.import_module(f"comfy.{name}")


def flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag alone, as `main.py` sets it; 0.20.1 minds it in its layers on Windows only."""
    monkeypatch.setattr(comfy("memory_management"), "aimdo_enabled", True)
    monkeypatch.setattr(comfy("model_management"), "WINDOWS", True)
    monkeypatch.setattr(comfy("utils"), "load_safetensors", _read)  # its reader needs the driver


def _read(path: str) -> tuple[dict[str, Tensor], dict[str, str] | None]:
    with safe_open(path, framework="pt") as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, file.metadata()


@contextmanager
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[type["Memory"]]:
    """`ModelPatcherDynamic` for every model that is loaded inside, on pretended memory."""
    flagged(monkeypatch)
    management, manager, ops = comfy("model_management"), comfy("model_patcher"), comfy("ops")
    Memory.made = []
    for name in ("get_torch_device", "text_encoder_device", "vae_device"):
        monkeypatch.setattr(management, name, lambda: PLACE)
    monkeypatch.setattr(management, "is_device_cpu", lambda device: device == torch.device("cpu"))
    monkeypatch.setattr(manager, "CoreModelPatcher", manager.ModelPatcherDynamic)
    monkeypatch.setattr(comfy("cli_args").args, "disable_pinned_memory", True)
    driver = importlib.import_module
    monkeypatch.setattr(driver("comfy_aimdo.model_vbar"), "ModelVBAR", Memory)
    monkeypatch.setattr(driver("comfy_aimdo.host_buffer"), "HostBuffer", _NoBuffer)
    monkeypatch.setattr(driver("comfy_aimdo.torch"), "aimdo_to_tensor", _bytes_of)
    cast, load = ops.cast_bias_weight, manager.ModelPatcherDynamic.load

    def cast_at_place(layer: Any, input: Any = None, *rest: Any, **more: Any) -> Any:
        """Torch calls the pretended device "cpu", so say where the input lies."""
        if hasattr(layer, "_v"):
            more["device"] = PLACE
        return cast(layer, input, *rest, **more)

    def load_far(patcher: Any, *given: Any, **more: Any) -> None:
        load(patcher, *given, **more)
        for layer in patcher.model.modules():
            if hasattr(layer, "_v"):
                _put_far(layer)

    monkeypatch.setattr(ops, "cast_bias_weight", cast_at_place)
    monkeypatch.setattr(manager.ModelPatcherDynamic, "load", load_far)
    try:
        yield Memory
        assert not any(memory.pinned for memory in Memory.made), "a layer kept its weights pinned"
    finally:
        management.unload_all_models()


class Memory:
    """A reserved range of a device's memory, under the names that the driver's package has.

    It is as full as can be: nothing stays over two uses, every fifth use finds no room at all.
    """

    made: list["Memory"] = []  # noqa: RUF012  what the last `pretended` made
    uses = 0

    def __init__(self, size: int, device: int) -> None:
        self.max_size, self.device, self.offset = size, device, 0
        self.bytes = np.empty(size, dtype=np.uint8)
        self.pinned: dict[int, int] = {}  # offset: how often
        self.kept: dict[int, int] = {}  # offset: the use that brought it here
        self.sizes: dict[int, int] = {}
        Memory.made.append(self)

    def prioritize(self, *_: Any) -> None: ...

    def deprioritize(self) -> None: ...

    def alloc(self, size: int) -> tuple["Memory", int, int]:
        start = (self.offset + 511) & ~511
        self.offset = start + size
        assert self.offset <= self.max_size
        return self, start, size

    def fault(self, start: int, size: int) -> bytes | None:
        self.uses += 1
        if self.uses % 5 == 0:
            self._lose(start)
            return None
        if self.uses % 2 and not self.pinned.get(start):
            self._lose(start)
        self.pinned[start] = self.pinned.get(start, 0) + 1
        self.sizes[start] = size
        brought = self.kept.setdefault(start, self.uses)
        return brought.to_bytes(8, "little")

    def unpin(self, start: int, size: int) -> None:
        left = self.pinned.get(start, 0) - 1
        self.pinned.pop(start, None)
        if left > 0:
            self.pinned[start] = left

    def loaded_size(self) -> int:
        return sum(self.sizes[start] for start in self.kept)

    def free_memory(self, wanted: float) -> int:
        freed = self.loaded_size()
        for start in list(self.kept):
            self._lose(start)
        return freed

    def _lose(self, start: int) -> None:
        if self.kept.pop(start, None) is not None:
            self.bytes[start : start + self.sizes[start]] = LOST


class _Far(torch.nn.Parameter):
    """A weight that waits elsewhere than where it is used, as every one in reserved memory does."""

    @property
    def device(self) -> torch.device:  # type: ignore[reportIncompatibleVariableOverride]
        return torch.device("meta")


def _put_far(layer: Any) -> None:
    for name, weight in layer._parameters.items():
        if type(weight) is torch.nn.Parameter:  # the host's quantised ones are of other types
            far = torch.Tensor._make_subclass(_Far, weight.data, False)
            vars(far).update(vars(weight))  # the marks of the host
            layer._parameters[name] = far


class _NoBuffer:
    """Pinned memory of the CPU, of which nothing is used."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.size = 0

    def truncate(self, *_: Any, **__: Any) -> None: ...


def _bytes_of(place: tuple[Memory, int, int], device: torch.device) -> Tensor:
    memory, start, size = place
    return torch.from_numpy(memory.bytes[start : start + size])

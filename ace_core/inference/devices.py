"""Where a script's models run, in which dtype, and models offloaded to main memory between uses.

The only place of the library that looks at the machine; the stages compute where their tensors are.
"""

from types import TracebackType
from typing import Any, Final

import torch
from torch import Tensor, nn

from ..errors import InvalidRequestError
from ..parsing import quoted
from ..precision import CHOICES, cpu_is_fast_at_bf16

AUTO: Final = "auto"
KINDS: Final = ("cuda", "mps", "xpu", "cpu")  # in the order in which `auto` tries them


def device_of(name: str) -> torch.device:
    """The device called `name`; `auto` is the first of `KINDS` that is present.

    Raises:
        InvalidRequestError: the device is not present.
    """
    present = [kind for kind in KINDS if _count(kind)]
    if name == AUTO:
        return torch.device(present[0])
    kind, _, number = name.partition(":")
    if kind in present and (not number or _is_index(number, kind)):
        return torch.device(name)
    raise InvalidRequestError(
        f"The device {quoted(name)} is not here. This machine and this torch have "
        f"{', '.join(present)}; choose one of them, or {AUTO}."
    )


def dtype_of(
    choice: str | torch.dtype | None, stored: torch.dtype, device: torch.device
) -> torch.dtype:
    """As chosen. By `auto`, weights stored in bf16 are run in it where the device is fast at it, in
    float16 on a GPU that is fast at that alone, and everything else in float32.

    Raises:
        InvalidRequestError: another dtype is chosen.
    """
    if choice in (None, AUTO):
        if stored is not torch.bfloat16:
            return torch.float32
        if _fast_at_bf16(device):
            return torch.bfloat16
        return torch.float16 if _fast_at_fp16(device) else torch.float32
    dtype = CHOICES.get(choice) if isinstance(choice, str) else choice
    if dtype is None or dtype not in CHOICES.values():
        raise InvalidRequestError(
            f"Models are not run in {choice}. Choose {', '.join(CHOICES)} or {AUTO}."
        )
    return dtype


def _fast_at_bf16(device: torch.device) -> bool:
    if device.type == "cpu":
        return cpu_is_fast_at_bf16()
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "xpu"


def _fast_at_fp16(device: torch.device) -> bool:
    """CUDA from 7.0 on. The GTX 16 cards are excluded: ComfyUI reports wrong results on them."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (7, 0):
        return False
    return "GTX 16" not in torch.cuda.get_device_name(device)


def _count(kind: str) -> int:
    if kind == "cpu":
        return 1
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return getattr(torch, kind).device_count()


def _is_index(number: str, kind: str) -> bool:
    return number.isdecimal() and len(number) < 4 and int(number) < _count(kind)


Slot = tuple[dict[str, Any], str, Tensor]  # a layer's parameters or buffers, a name, its tensor


class OffloadedModel:
    """A model and its device, as a context in which the model is on the device.

    With `offload` the weights are copied to the device on entry and the copy is dropped on exit;
    the originals stay, so a mapped file is never copied in main memory.
    """

    def __init__(self, model: nn.Module, device: torch.device, offload: bool = False) -> None:
        self.model = model
        self.device = device
        self.offload = offload
        self._users = 0
        self._offloaded: list[Slot] = []

    def __enter__(self) -> nn.Module:
        if self.offload and self._users == 0:
            self._offloaded = _tensors(self.model)
            try:
                self._load()
            except BaseException:
                self._offload()
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
            self._offload()

    def _load(self) -> None:
        moved: dict[int, Tensor] = {}  # by id of the original: some are shared
        for owner, name, tensor in self._offloaded:
            if id(tensor) not in moved:
                there = tensor.detach().to(self.device)
                held = isinstance(tensor, nn.Parameter)
                moved[id(tensor)] = nn.Parameter(there, requires_grad=False) if held else there
            owner[name] = moved[id(tensor)]

    def _offload(self) -> None:
        for owner, name, tensor in self._offloaded:
            owner[name] = tensor
        self._offloaded = []
        _empty_cache(self.device)


def _tensors(model: nn.Module) -> list[Slot]:
    """Every parameter and buffer of every layer."""
    return [
        (owner, name, tensor)
        for layer in model.modules()
        for owner in (layer._parameters, layer._buffers)
        for name, tensor in owner.items()
        if tensor is not None
    ]


def _empty_cache(device: torch.device) -> None:
    """Free the memory that torch caches, so that the next model fits."""
    if device.type in ("cuda", "xpu", "mps"):
        getattr(torch, device.type).empty_cache()

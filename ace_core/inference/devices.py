"""Where a script's models run, and in which number format.

The only place of the library that looks at the machine; the stages compute where their tensors are.
"""

from typing import Final

import torch

from ..errors import InvalidRequestError
from ..precision import CHOICES, cpu_is_fast_at_bf16

AUTO: Final = "auto"
KINDS: Final = ("cuda", "mps", "xpu", "cpu")  # in the order in which `auto` tries them


def device_of(name: str) -> torch.device:
    """The device called `name`; `auto` is the fastest there is.

    Raises:
        InvalidRequestError: there is no such device here.
    """
    present = [kind for kind in KINDS if _count(kind)]
    if name == AUTO:
        return torch.device(present[0])
    kind, _, number = name.partition(":")
    if kind in present and (not number or _is_place(number, kind)):
        return torch.device(name)
    raise InvalidRequestError(
        f"The device {name!r} is not here. This machine and this torch have {', '.join(present)}; "
        f"choose one of them, or {AUTO}."
    )


def dtype_of(
    choice: str | torch.dtype | None, stored: torch.dtype, device: torch.device
) -> torch.dtype:
    """bf16 or float32: as chosen, or by `auto` bf16 where the device is fast at it and the weights
    are no finer.

    Raises:
        InvalidRequestError: another format is asked for.
    """
    if choice in (None, AUTO):
        fast = stored is torch.bfloat16 and _fast_at_bf16(device)
        return torch.bfloat16 if fast else torch.float32
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


def _count(kind: str) -> int:
    if kind == "cpu":
        return 1
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return getattr(torch, kind).device_count()


def _is_place(number: str, kind: str) -> bool:
    return number.isdecimal() and int(number) < _count(kind)

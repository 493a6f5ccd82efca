"""In which number format a model is held and computed."""

from typing import Any, Final

import comfy.model_management
import comfy.ops
import torch

from ...ace_core.errors import CheckpointError
from ...ace_core.models.ops import Ops
from ...ace_core.precision import CHOICES, cpu_is_fast_at_bf16

INT8: Final = "int8"  # large weights in int8, the rest and the sums as on auto


def supported_dtypes(device: torch.device) -> tuple[torch.dtype, ...]:
    """What a transformer of ours computes in on `device`, the best first. Float16 is for GPUs
    without bfloat16, where float32 takes twice the memory and far longer."""
    if comfy.model_management.should_use_bf16(device):
        return torch.bfloat16, torch.float32
    return torch.bfloat16, torch.float16, torch.float32


def compute_dtype(
    choice: str, stored: torch.dtype, device: torch.device
) -> tuple[torch.dtype, torch.dtype | None]:
    """The dtype of the weights, and the one they are cast to at each use if it is another.

    The host never computes in bf16 on a CPU. Those with instructions for bf16 are several times
    faster at it, and such weights need no second copy.
    """
    if choice in CHOICES:
        return CHOICES[choice], None
    if comfy.model_management.is_device_cpu(device):
        fast = stored is torch.bfloat16 and cpu_is_fast_at_bf16()
        return (torch.bfloat16 if fast else torch.float32), None
    supported = list(supported_dtypes(device))
    weight_dtype = comfy.model_management.unet_dtype(
        device=device, supported_dtypes=supported, weight_dtype=stored
    )
    return weight_dtype, comfy.model_management.unet_manual_cast(weight_dtype, device, supported)


def decoding_dtype(
    choice: str, stored: torch.dtype, device: torch.device
) -> tuple[torch.dtype, torch.dtype | None]:
    """The same for a model that generates one token at a time.

    With int8 weights every CPU is then fastest in bf16, for which torch has a kernel.
    """
    if choice == INT8 and comfy.model_management.is_device_cpu(device):
        return torch.bfloat16, None
    return compute_dtype(choice, stored, device)


def host_ops(
    choice: str, weight_dtype: torch.dtype, cast: torch.dtype | None, device: torch.device
) -> Ops:
    """The host's layers, with those for int8 if they were chosen."""
    layers = comfy.ops.pick_operations(weight_dtype, cast, load_device=device)
    return Ops(layers, dtype=weight_dtype, quantized=quantized_linear(choice))


def quantized_linear(choice: str) -> Any:
    """The layer class for large weights; `None`: the same as for all others.

    Raises:
        CheckpointError: this ComfyUI has no quantised tensors.
    """
    if choice != INT8:
        return None
    try:
        from .int8 import HostInt8Linear
    except ImportError as error:
        raise CheckpointError(
            "int8 needs ComfyUI's quantised tensors (its package comfy-kitchen), which this one "
            f"lacks: {error}. Update ComfyUI, or choose bf16 or fp32."
        ) from error
    return HostInt8Linear

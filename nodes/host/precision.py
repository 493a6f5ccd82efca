"""In which number format a model is held and computed."""

import platform
from collections.abc import Sequence

import comfy.model_management
import torch

CHOICES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def compute_dtype(
    choice: str, stored: torch.dtype, device: torch.device, supported: Sequence[torch.dtype]
) -> tuple[torch.dtype, torch.dtype | None]:
    """The dtype of the weights, and the one they are cast to at each use if it is another.

    The host never computes in bf16 on a CPU. Those that multiply bf16 in hardware are several
    times faster at it, and such weights need no second copy.
    """
    if choice in CHOICES:
        return CHOICES[choice], None
    if comfy.model_management.is_device_cpu(device):
        fast = stored is torch.bfloat16 and _cpu_multiplies_bf16()
        return (torch.bfloat16 if fast else torch.float32), None
    held = comfy.model_management.unet_dtype(
        device=device, supported_dtypes=list(supported), weight_dtype=stored
    )
    return held, comfy.model_management.unet_manual_cast(held, device, list(supported))


def _cpu_multiplies_bf16() -> bool:
    """oneDNN also takes bf16 on CPUs that only emulate it, so on x86 the instructions are asked."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # unknown to old torch
        return any(getattr(torch.cpu, name, bool)() for name in names)
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()

"""In which number format a model is held and computed."""

from collections.abc import Sequence

import comfy.model_management
import torch

from ...ace_core.precision import CHOICES, cpu_is_fast_at_bf16


def compute_dtype(
    choice: str, stored: torch.dtype, device: torch.device, supported: Sequence[torch.dtype]
) -> tuple[torch.dtype, torch.dtype | None]:
    """The dtype of the weights, and the one they are cast to at each use if it is another.

    The host never computes in bf16 on a CPU. Those with matrix units for bf16 are several times
    faster at it, and such weights need no second copy.
    """
    if choice in CHOICES:
        return CHOICES[choice], None
    if comfy.model_management.is_device_cpu(device):
        fast = stored is torch.bfloat16 and cpu_is_fast_at_bf16()
        return (torch.bfloat16 if fast else torch.float32), None
    held = comfy.model_management.unet_dtype(
        device=device, supported_dtypes=list(supported), weight_dtype=stored
    )
    return held, comfy.model_management.unet_manual_cast(held, device, list(supported))

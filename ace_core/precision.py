"""Dtypes: which one a CPU computes fast in, and the one for sensitive arithmetic."""

import platform
from collections.abc import Mapping
from typing import Final

import torch

CHOICES: Final[Mapping[str, torch.dtype]] = {"bf16": torch.bfloat16, "fp32": torch.float32}


def at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """The dtype of sensitive arithmetic: float32 for half precision, else `dtype` itself."""
    return torch.promote_types(dtype, torch.float32)


def cpu_is_fast_at_bf16() -> bool:
    """On x86 this needs AMX: with AVX-512 alone, or emulated, oneDNN's bf16 is slower than its
    float32 (measured: 0.65 of the GEMM rate, 0.4 of the rate of a denoising step)."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        return getattr(torch.cpu, "_is_amx_tile_supported", bool)()  # missing in old torch
    if not torch.backends.mkldnn.is_available():  # a torch without oneDNN, as on macOS
        return False
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()

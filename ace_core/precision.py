"""Dtypes: which one a CPU computes fast in, the one for sensitive arithmetic, and the error where a
model's numbers are none."""

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from .errors import NonFiniteError

CHOICES: Final[Mapping[str, torch.dtype]] = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp32": torch.float32,
}

FAST_AT_BF16: Final = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # not in old torch


def at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """The dtype of sensitive arithmetic: float32 for half precision, else `dtype` itself."""
    return torch.promote_types(dtype, torch.float32)


def cpu_is_fast_at_bf16() -> bool:
    """On x86 this needs AMX, or AVX-512 with instructions for bf16 (AMD from Zen 4 on: 2.4 times
    the GEMM rate of float32). With AVX-512 alone, or emulated, oneDNN's bf16 is slower than its
    float32 (0.65 of the GEMM rate, 0.4 of the rate of a denoising step)."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        return any(getattr(torch.cpu, name, bool)() for name in FAST_AT_BF16)
    if not torch.backends.mkldnn.is_available():  # a torch without oneDNN, as on macOS
        return False
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


@cache
def cpu_has_bf16_without_matrix_units() -> bool:
    """Whether this is an x86 with AVX-512's instructions for bf16 and without AMX."""
    amx, avx512 = (getattr(torch.cpu, name, bool)() for name in FAST_AT_BF16)
    return avx512 and not amx


@cache
def cpu_has_avx512() -> bool:
    """Whether this is an x86 with AVX-512, as AMD's from Zen 4 on are."""
    return getattr(torch.cpu, "_is_avx512_supported", bool)()  # not in old torch


@cache
def cpu_is_amd() -> bool:
    """Whether MKL takes its slower paths, written for processors other than Intel's x86."""
    try:
        described = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:  # not Linux; Windows names the maker here
        described = platform.processor()
    return "AuthenticAMD" in described


def check_finite(values: Tensor, part: str) -> Tensor:
    """`values` as they are; `part` is what has computed them.

    Raises:
        NonFiniteError: one of them is NaN or infinite.
    """
    if all_finite(values):
        return values
    raise non_finite(part)


def all_finite(values: Tensor) -> bool:
    """Whether none of `values` is NaN or infinite. One that is makes their sum so, which costs a
    tenth of a look at each; only if the sum is none are the values themselves looked at."""
    total = values.sum(dtype=at_least_float32(values.dtype))
    return bool(total.isfinite()) or bool(values.isfinite().all())


def non_finite(part: str) -> NonFiniteError:
    """The error for the user; `part` is the model, and where it was."""
    return NonFiniteError(
        f"The {part} computed NaN or infinity, so there is nothing to go on with. Load this model "
        "with the dtype fp32, whose range is the largest. If that does not help, its file or an "
        "adapter on it is damaged: try it without adapters, then fetch the file again."
    )

"""Linear layers whose weights are held in int8: one byte per weight, one float32 scale per row.

Symmetric and weight-only: a weight is its integer times the scale of its row (its output), so no
weight is further than half a scale from what it was. Sums are taken in the dtype of the input.
Nothing here depends on a file; weights are quantised when they are loaded.
"""

from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INT8_MAX: Final = 127
_ALIGNMENT: Final = (
    64  # bytes: with AVX-512 torch's kernel ends the process where tensors begin elsewhere
)
_PACKED_COLUMNS: Final = 32  # and reads beyond the ends of rows that are no multiple of this
_PACKED_ROWS: Final = 8  # up to which that kernel is the fastest (measured on an x86 CPU)
_BLOCKED_ROWS: Final = 32  # up to which weights in blocks that stay in the cache are faster
_BLOCK: Final = 128  # outputs


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """`weight` [N, K] as int8 [N, K] and scales [N] in float32."""
    exact = weight.float()
    scale = exact.abs().amax(dim=1) / INT8_MAX
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))  # a row of zeros
    return torch.round(exact / scale[:, None]).to(torch.int8), scale


def dequantize_rows(weight: Tensor, scale: Tensor, dtype: torch.dtype) -> Tensor:
    return (weight.float() * scale[:, None]).to(dtype)


def int8_linear(x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x` [..., K] by `weight` [N, K] and `scale` [N] to [..., N] in the dtype of `x`.

    In float16 the weights are scaled before the sums, which would exceed its range."""
    if x.dtype is torch.float16:
        return F.linear(
            x, dequantize_rows(weight, scale, x.dtype), bias if bias is None else bias.to(x.dtype)
        )
    out = (_sums(x, weight) * scale).to(x.dtype)
    return out if bias is None else out + bias.to(x.dtype)


def _sums(x: Tensor, weight: Tensor) -> Tensor:
    rows = x.numel() // x.shape[-1]
    if x.device.type != "cpu" or rows > _BLOCKED_ROWS:
        return F.linear(x, weight.to(x.dtype))
    if x.dtype is torch.bfloat16 and rows <= _PACKED_ROWS and _takes_packed_kernel(weight):
        return _packed_sums(x.reshape(rows, -1), weight).unflatten(0, x.shape[:-1])
    return torch.cat([F.linear(x, part.to(x.dtype)) for part in weight.split(_BLOCK)], dim=-1)


def _takes_packed_kernel(weight: Tensor) -> bool:
    """By its shape [N, K], not its address: the result may not depend on where a tensor begins. A
    compiler, which knows no addresses, fuses the other way itself."""
    return (
        hasattr(torch, "_weight_int8pack_mm")
        and weight.shape[1] % _PACKED_COLUMNS == 0
        and not torch.compiler.is_compiling()
    )


def _packed_sums(x: Tensor, weight: Tensor) -> Tensor:
    """Torch's kernel for few rows, on tensors that begin where it can read: one in a mapped file
    may begin anywhere."""
    kernel: Any = torch._weight_int8pack_mm  # pyright: ignore[reportPrivateImportUsage]
    return kernel(_aligned(x), _aligned(weight), x.new_ones(len(weight)))


def _aligned(x: Tensor) -> Tensor:
    x = x.contiguous()
    return x if x.data_ptr() % _ALIGNMENT == 0 else x.clone()


class Int8Linear(nn.Module):
    """Replaces `nn.Linear`; loads the weights of one, or its own.

    Until then `weight` has the shape and dtype of `nn.Linear`'s, so that a checkpoint's keys fit.
    """

    quantizes = True  # it loads weights as they are stored, in any dtype

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory_kwargs = {"device": device, "dtype": dtype}
        self.weight = nn.Parameter(torch.empty(out_features, in_features, **factory_kwargs), False)
        self.register_parameter("weight_scale", None)
        self.bias = (
            nn.Parameter(torch.empty(out_features, **factory_kwargs), False) if bias else None
        )

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *args: Any) -> None:
        key, scale = f"{prefix}weight", f"{prefix}weight_scale"
        if key in state and state[key].is_floating_point():
            state[key], state[scale] = quantize_rows(state[key])
        if scale in state:
            self.weight = nn.Parameter(torch.empty_like(state[key]), False)
            self.weight_scale = nn.Parameter(torch.empty_like(state[scale]), False)
        super()._load_from_state_dict(state, prefix, *args)

    def forward(self, x: Tensor) -> Tensor:
        return int8_linear(x, self.weight, self.weight_scale, self.bias)


def names_to_quantize(model: nn.Module) -> set[str]:
    """The weights of a model that its layers quantise themselves."""
    return {
        f"{name}.weight"
        for name, layer in model.named_modules()
        if getattr(layer, "quantizes", False)
    }

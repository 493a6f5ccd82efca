"""Stand-in for `comfy.ops`: layers that are not initialised, and layers that cast per call.

Like the host's, every layer stops when the user has pressed stop.
"""

from typing import Any

import torch
from torch import nn

from . import model_management

_LAYERS = ("Linear", "Conv1d", "ConvTranspose1d", "RMSNorm", "Embedding")


def _plain(layer: type[nn.Module]) -> type[nn.Module]:
    """`layer` whose weights hold whatever was in memory until they are loaded."""

    def reset_parameters(self: nn.Module) -> None:
        return None

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        model_management.throw_exception_if_processing_interrupted()
        return layer.forward(self, *args, **kwargs)

    members = {"reset_parameters": reset_parameters, "forward": forward}
    return type(layer.__name__, (layer,), members)


def _casting(layer: type[nn.Module]) -> type[nn.Module]:
    """`layer` whose weights follow the dtype and device of what goes in."""
    plain = _plain(layer)

    def forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        model_management.throw_exception_if_processing_interrupted()
        out_dtype = kwargs.pop("out_dtype", None)
        dtype = x.dtype if x.is_floating_point() else (out_dtype or self.weight.dtype)
        with _Cast(self, dtype, x.device):
            return layer.forward(self, x, *args, **kwargs)

    return type(layer.__name__, (plain,), {"forward": forward})


class _Cast:
    """While inside, a layer's own parameters are copies in another dtype or on another device."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype, device: torch.device) -> None:
        self.layer, self.dtype, self.device = layer, dtype, device
        self.kept = dict(layer._parameters)

    def __enter__(self) -> None:
        for name, weight in self.kept.items():
            if weight is not None:
                cast = weight.detach().to(self.device, self.dtype)
                self.layer._parameters[name] = nn.Parameter(cast, requires_grad=False)

    def __exit__(self, *_: Any) -> None:
        self.layer._parameters.update(self.kept)


disable_weight_init = type(
    "disable_weight_init", (), {name: _plain(getattr(nn, name)) for name in _LAYERS}
)
manual_cast = type(
    "manual_cast", (disable_weight_init,), {name: _casting(getattr(nn, name)) for name in _LAYERS}
)


def pick_operations(
    weight_dtype: torch.dtype | None, compute_dtype: torch.dtype | None, **_: Any
) -> Any:
    if compute_dtype is None or weight_dtype == compute_dtype:
        return disable_weight_init
    return manual_cast

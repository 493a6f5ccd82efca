"""Stand-in for `comfy.ops`: layers that are not initialised. All is float32, so none casts."""

from typing import Any

import torch
from torch import nn

_LAYERS = ("Linear", "Conv1d", "ConvTranspose1d", "RMSNorm", "Embedding")


def _plain(layer: type[nn.Module]) -> type[nn.Module]:
    """`layer` whose weights hold whatever was in memory until they are loaded. Nothing is cast or
    patched at its use."""

    def reset_parameters(self: nn.Module) -> None:
        return None

    at_use = {"comfy_cast_weights": False, "weight_function": (), "bias_function": ()}
    return type(layer.__name__, (layer,), {"reset_parameters": reset_parameters, **at_use})


disable_weight_init = type(
    "disable_weight_init", (), {name: _plain(getattr(nn, name)) for name in _LAYERS}
)


def pick_operations(
    weight_dtype: torch.dtype | None, compute_dtype: torch.dtype | None, **_: Any
) -> Any:
    return disable_weight_init

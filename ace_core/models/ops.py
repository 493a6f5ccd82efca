"""Which classes layers are made of, on which device and in which dtype.

Every layer of every model is built through an `Ops`. With the default they are torch's own, but for
linear ones, which take oneDNN's product where it is faster; a host hands in its casting layers
instead, and with them come offload, fp8 and GGUF, without a branch in this library. Parameters that
sit beside the layers (tables, special tokens) come from `Ops.parameter` and are cast to their
partner's dtype and device where they are used.
"""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ..constants import NORM_EPS
from .onednn import Linear


@dataclass(frozen=True, slots=True)
class Ops:
    """A namespace of layer classes (`Linear`, `Conv1d`, `ConvTranspose1d`, `Embedding`,
    `RMSNorm`, each with torch's signature) and the device and dtype of the weights they make.

    `quantized` is another `Linear`, for the large matrices only: those of the DiT's and of Qwen3's
    layers. What is small or delicate (time, codes, conditions) is made by `exact`.
    """

    layers: ModuleType | type | Any = nn
    device: torch.device | str | None = None
    dtype: torch.dtype | None = None
    quantized: type[nn.Module] | None = None

    @property
    def exact(self) -> "Ops":
        """The same, without quantised layers."""
        return replace(self, quantized=None)

    @property
    def factory_kwargs(self) -> dict[str, Any]:
        return {"device": self.device, "dtype": self.dtype}

    def linear(self, in_features: int, out_features: int, bias: bool = True) -> nn.Module:
        layer = self.quantized or (Linear if self.layers is nn else self.layers.Linear)
        return layer(in_features, out_features, bias=bias, **self.factory_kwargs)

    def norm(self, size: int, eps: float = NORM_EPS) -> nn.Module:
        return self.layers.RMSNorm(size, eps=eps, **self.factory_kwargs)

    def embedding(self, rows: int, hidden_size: int) -> nn.Module:
        return self.layers.Embedding(rows, hidden_size, **self.factory_kwargs)

    def conv(self, in_channels: int, out_channels: int, kernel: int, **settings: Any) -> nn.Module:
        """Conv1d; `settings` are torch's own (stride, padding, dilation, bias)."""
        return self.layers.Conv1d(
            in_channels, out_channels, kernel, **settings, **self.factory_kwargs
        )

    def conv_transpose(
        self, in_channels: int, out_channels: int, kernel: int, **settings: Any
    ) -> nn.Module:
        """ConvTranspose1d; `settings` are torch's own."""
        return self.layers.ConvTranspose1d(
            in_channels, out_channels, kernel, **settings, **self.factory_kwargs
        )

    def parameter(self, *shape: int) -> nn.Parameter:
        """A bare parameter, zero until weights are loaded."""
        return nn.Parameter(torch.zeros(shape, **self.factory_kwargs))


TORCH = Ops()

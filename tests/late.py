"""Layers as a host with dynamic memory makes them: without a weight until one is loaded."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

Conv1d, ConvTranspose1d, RMSNorm = nn.Conv1d, nn.ConvTranspose1d, nn.RMSNorm


class _Late(nn.Module):
    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
        self.register_parameter("weight", None)
        self.register_parameter("bias", None)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *_: Any) -> None:
        for name in ("weight", "bias"):
            if f"{prefix}{name}" in state:
                setattr(self, name, nn.Parameter(state[f"{prefix}{name}"], requires_grad=False))


class Linear(_Late):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class Embedding(_Late):
    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)

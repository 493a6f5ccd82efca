"""Snake, the periodic activation of Oobleck: x + sin^2(a x) / b with a and b learnt per channel."""

import torch
from torch import Tensor, nn

from .ops import Ops


class Snake(nn.Module):
    """`alpha` and `beta` are stored as logarithms, [1, W, 1]."""

    def __init__(self, width: int, ops: Ops) -> None:
        super().__init__()
        self.alpha = ops.parameter(1, width, 1)
        self.beta = ops.parameter(1, width, 1)

    def forward(self, x: Tensor, inplace: bool = False) -> Tensor:
        """[B, W, N] -> [B, W, N]; with `inplace` the result overwrites `x`."""
        frequency = self.alpha.to(x).exp()  # [1, W, 1]
        gain = (self.beta.to(x).exp() + 1e-9).reciprocal()  # [1, W, 1]
        wave = torch.mul(x, frequency).sin_().square_().mul_(gain)
        return x.add_(wave) if inplace else wave.add_(x)

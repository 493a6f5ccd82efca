"""Snake, the periodic activation of Oobleck: x + sin^2(a x) / b with a and b learnt per channel.

On a CPU it is a third of the decoder's time when each of its operations walks the whole tensor
through memory. Here it goes through in pieces that stay in the cache. Other devices do one piece.
"""

import torch
from torch import Tensor, nn

from .ops import Ops

PIECE = 2**17  # elements: a piece and its scratch are 1 MiB in float32, half of a common L2


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
        if x.device.type != "cpu" or x.numel() <= PIECE:
            wave = torch.mul(x, frequency).sin_().square_().mul_(gain)
            return x.add_(wave) if inplace else wave.add_(x)
        out = x if inplace else torch.empty_like(x)
        rows = max(1, PIECE // x.shape[2])
        for item, item_out in zip(x, out, strict=True):
            self._rows(item, item_out, (frequency[0], gain[0]), rows)
        return out

    @staticmethod
    def _rows(x: Tensor, out: Tensor, curve: tuple[Tensor, Tensor], rows: int) -> None:
        """One item [W, N], `rows` channels at a time."""
        scratch = torch.empty(rows, x.shape[1], dtype=x.dtype, device=x.device)
        parts = zip(x.split(rows), out.split(rows), *(c.split(rows) for c in curve), strict=True)
        for part, part_out, frequency, gain in parts:
            wave = scratch[: len(part)]
            torch.mul(part, frequency, out=wave).sin_().square_().mul_(gain)
            torch.add(part, wave, out=part_out)

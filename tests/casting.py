"""Layers as a host makes them: their weights follow the dtype and device of what they are given."""

import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x), _bias(self.bias, x))


class Conv1d(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight.to(x), _bias(self.bias, x))


class ConvTranspose1d(nn.ConvTranspose1d):
    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x), _bias(self.bias, x)
        assert isinstance(self.padding, tuple)  # torch's type also allows a word, as in Conv1d
        return F.conv_transpose1d(x, weight, bias, self.stride, self.padding, self.output_padding)


class Embedding(nn.Embedding):
    pass


class RMSNorm(nn.RMSNorm):
    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight.to(x), self.eps)


def _bias(bias: Tensor | None, x: Tensor) -> Tensor | None:
    return None if bias is None else bias.to(x)

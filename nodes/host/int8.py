"""The core's int8 rows as the host's quantised tensors.

The host then moves, offloads, measures and patches such weights as it does its own fp8 ones. Its
own int8, where it has one (0.33), quantises what goes into a layer as well; ours does not. A LoRA
changes the weight in full precision, and it is quantised anew.
"""

from dataclasses import dataclass
from typing import Any, Final

import comfy.ops
import torch
import torch.nn.functional as F
from comfy.quant_ops import QuantizedLayout, QuantizedTensor, register_layout_class
from comfy_kitchen.tensor import BaseLayoutParams
from torch import Tensor, nn

from ...ace_core.models.int8 import dequantize_rows, int8_linear, quantize_rows

LAYOUT: Final = "AceStepInt8Rows"


class Int8Rows(QuantizedLayout):
    """[N, K] in int8 with a scale for each of N rows."""

    @dataclass(frozen=True)
    class Params(BaseLayoutParams):
        """scale [N], and the dtype and shape of the weight that it stands for."""

    @classmethod
    def quantize(cls, tensor: Tensor, **_: Any) -> tuple[Tensor, Any]:
        """The host asks for rounding at random after a patch; to the nearest is as good here."""
        weight, scale = quantize_rows(tensor)
        return weight, cls.Params(scale, tensor.dtype, tuple(tensor.shape))

    @classmethod
    def dequantize(cls, qdata: Tensor, params: Any) -> Tensor:
        return dequantize_rows(qdata, params.scale, params.orig_dtype)

    @classmethod
    def get_plain_tensors(cls, qtensor: Any) -> tuple[Tensor, ...]:
        return qtensor._qdata, qtensor._params.scale

    @classmethod
    def state_dict_tensors(cls, qdata: Tensor, params: Any) -> dict[str, Tensor]:
        return {"": qdata, "_scale": params.scale}


register_layout_class(LAYOUT, Int8Rows)


class HostInt8Linear(nn.Module, comfy.ops.CastWeightBiasOp):
    """Replaces the host's Linear; the names beside `forward` are those that the host uses."""

    quantizes = True
    comfy_cast_weights = True
    layout_type = LAYOUT

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.in_features, self.out_features, self.dtype = in_features, out_features, dtype
        self.weight: Any = nn.Parameter(torch.empty(out_features, in_features, **factory), False)
        self.bias = nn.Parameter(torch.empty(out_features, **factory), False) if bias else None
        self.weight_function, self.bias_function = [], []

    @staticmethod
    def as_stored() -> type["HostInt8Linear"]:
        """The class for weights that are taken as a file has them, in int8 or plain."""
        return StoredInt8Linear

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: Any, strict: bool, *faults: list[str]
    ) -> None:
        weight = state.pop(f"{prefix}weight")
        loaded = self._loaded_weight(weight, state.pop(f"{prefix}weight_scale", None))
        self.weight = nn.Parameter(loaded, requires_grad=False)
        super()._load_from_state_dict(state, prefix, metadata, strict, *faults)
        faults[0].remove(f"{prefix}weight")  # the missing ones: it was not, it is loaded

    def _loaded_weight(self, weight: Tensor, scale: Tensor | None) -> Tensor:
        """What the layer holds of a file's `weight`; `scale` [N] comes with one that is int8."""
        return QuantizedTensor.from_float(weight, LAYOUT).to(self.dtype or weight.dtype)

    def state_dict(self, *_: Any, destination: Any = None, prefix: str = "", **__: Any) -> Any:
        """What is really held, from which the host counts bytes."""
        state = {} if destination is None else destination
        if isinstance(self.weight, QuantizedTensor):
            state |= self.weight.state_dict(f"{prefix}weight")
        else:
            state[f"{prefix}weight"] = self.weight
        if self.bias is not None:
            state[f"{prefix}bias"] = self.bias
        return state

    def forward(self, x: Tensor) -> Tensor:
        comfy.ops.run_every_op()
        weight, bias, stream = comfy.ops.cast_bias_weight(self, x, offloadable=True)
        if isinstance(weight, QuantizedTensor):
            out = int8_linear(x, weight._qdata, weight._params.scale, bias)
        else:  # a patch that is applied at each use, or another dtype than it was loaded for
            out = F.linear(x, weight, bias)
        comfy.ops.uncast_bias_weight(self, weight, bias, stream)
        return out

    def convert_weight(self, weight: Any, inplace: bool = False, **_: Any) -> Tensor:
        """Before a patch."""
        return weight.dequantize() if isinstance(weight, QuantizedTensor) else weight

    def set_weight(
        self, weight: Tensor, inplace_update: bool = False, return_weight: bool = False, **_: Any
    ) -> Any:
        """After it."""
        quantized = QuantizedTensor.from_float(weight, LAYOUT).to(self.weight.dtype)
        if return_weight:
            return quantized
        self.weight = nn.Parameter(quantized, requires_grad=False)
        return None

    def _apply(self, fn: Any, recurse: bool = True) -> "HostInt8Linear":
        """Torch would keep the parameter and change what it points at; a wrapper has no such."""
        for name, weight in list(self._parameters.items()):
            moved = None if weight is None else fn(weight)
            if moved is None or moved is weight:
                continue
            if moved.is_inference() and not torch.is_inference_mode_enabled():
                moved = moved.clone()  # moved while sampling, put back after it
            self.register_parameter(name, nn.Parameter(moved, requires_grad=False))
        return self


class StoredInt8Linear(HostInt8Linear):
    """The same for a file that is int8 itself, where not every layer need be."""

    def _loaded_weight(self, weight: Tensor, scale: Tensor | None) -> Tensor:
        if scale is None:
            return weight
        dtype = self.dtype or torch.float32
        return QuantizedTensor(weight, LAYOUT, Int8Rows.Params(scale, dtype, tuple(weight.shape)))

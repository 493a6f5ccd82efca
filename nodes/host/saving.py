"""What a saved model holds of its quantised layers.

The host's saver takes the network's state as it is, and fails on integer parameters of a model that
is not fully loaded. Our int8 is written in the host's own format where it has one, so that every
loader of that ComfyUI reads the file; on older hosts dequantised, which every loader there reads.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

import comfy.model_patcher
import torch
from torch import Tensor, nn

from ...ace_core.weights.quantisation import MARK
from .quantised import EXACT, INT8_FORMAT, host_formats

logger = logging.getLogger(__name__)
_SPLITS = hasattr(comfy.model_patcher, "LazyCastingParamPiece")  # 0.33: a weight is saved in pieces


def tensor_type() -> Any:
    """The host's class of quantised tensors; nothing is one where it has none."""
    try:
        from comfy.quant_ops import QuantizedTensor
    except ImportError:
        return ()
    return QuantizedTensor


def with_quantized_tensors(net: nn.Module, state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """`state` of a network with each quantised weight as one tensor, not as its integers.

    The host makes a parameter of each tensor that it saves, and fails on integers.
    """
    quantized = {f"{prefix}{name}.weight": weight for name, weight in _quantised(net) if _SPLITS}
    return {name: quantized.get(name, tensor) for name, tensor in state.items()}


def for_saving(model: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a model's network, `state`, with its quantised layers as a file holds them."""
    ready, dequantized, patcher = dict(state), False, _patcher_of(state)
    for name, _ in _quantised(model.diffusion_model):
        layer = model.diffusion_model.get_submodule(name)
        weight = _patched(layer, f"diffusion_model.{name}.weight", patcher)
        if not getattr(layer, "quantizes", False):  # the host's own layer, which marks itself
            pieces = weight.state_dict(f"{name}.weight")
        elif INT8_FORMAT in host_formats():
            pieces = _as_host_format(name, weight)
        else:
            ready.pop(f"{name}.weight_scale", None)
            pieces, dequantized = {f"{name}.weight": weight.dequantize()}, True
        ready |= {key: tensor.to("cpu") for key, tensor in pieces.items()}
    if dequantized:
        logger.warning(
            "This ComfyUI has no file format for int8, so the int8 weights are written "
            "dequantised. ComfyUI 0.33 or newer writes them in int8."
        )
    return ready


def _as_host_format(name: str, weight: Any) -> dict[str, Tensor]:
    """One scale per row, [N, 1]; and inputs are not to be quantised, as ours are not."""
    text = json.dumps({"format": INT8_FORMAT, EXACT: True}).encode()
    return {
        f"{name}.weight": weight._qdata,
        f"{name}.weight_scale": weight._params.scale.reshape(-1, 1),
        f"{name}{MARK}": torch.tensor(list(text), dtype=torch.uint8),
    }


def _patcher_of(state: Mapping[str, Any]) -> Any:
    """The ModelPatcher that is being saved, from the host's placeholders for unloaded weights."""
    for each in state.values():
        found = getattr(getattr(each, "caster", each), "model", None)
        if found is not None:
            return found
    return None


def _patched(layer: Any, key: str, patcher: Any) -> Any:
    """A layer's weight with the LoRAs on it, which one that is loaded already has."""
    if getattr(layer, "comfy_patched_weights", False):
        return layer.weight
    if patcher is not None:
        return patcher.patch_weight_to_device(key, patcher.load_device, return_weight=True)
    if not layer.weight_function:
        return layer.weight
    changed = layer.weight.dequantize()
    for function in layer.weight_function:  # what the host would do at each use
        changed = function(changed)
    return layer.set_weight(changed, return_weight=True)


def _quantised(net: nn.Module) -> list[tuple[str, Any]]:
    kind = tensor_type()
    weights = ((name, getattr(layer, "weight", None)) for name, layer in net.named_modules())
    return [(name, weight) for name, weight in weights if isinstance(weight, kind)]

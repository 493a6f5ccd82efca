"""Adapters on the weights of a loaded model for the length of a block, and exactly off again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..models.int8 import dequantize_rows, quantize_rows
from .adapter_keys import BIAS, WEIGHT, Shapes, adapter_targets
from .lora import Adapter
from .weight_delta import WeightDelta


class Strength(NamedTuple):
    """An adapter and how much of it is added; 1 is as it was trained."""

    adapter: Adapter
    strength: float


class _Slot(NamedTuple):
    """A tensor of a layer as it was: the layer's table, its name in it, and where it belongs."""

    table: dict[str, Any]
    name: str
    tensor: Tensor
    device: torch.device


def target_shapes(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """The shapes that `read_adapter` takes, of the official names of an `AceStepModel`."""
    return {name: tuple(shapes[official]) for name, official in adapter_targets(shapes).items()}


@contextmanager
def adapted(model: nn.Module, adapters: Sequence[Strength]) -> Iterator[None]:
    """`model` with the adapters on its weights, in their order; afterwards with its own tensors.

    Each sum is taken in float32 and rounded once to the weight's dtype; int8 rows are quantised
    anew. The model's own tensors are never written to: on the CPU they are put back, on another
    device their copies in main memory are.
    """
    replaced: list[_Slot] = []
    try:
        for name, deltas in _by_weight(model, adapters).items():
            layer, _, part = name.rpartition(".")
            replaced += _replace(model.get_submodule(layer), part, deltas)
        yield
    finally:
        for table, part, tensor, device in reversed(replaced):
            table[part] = _as_parameter(tensor.to(device))


def _by_weight(
    model: nn.Module, adapters: Sequence[Strength]
) -> dict[str, list[tuple[WeightDelta, float]]]:
    """What is added to each weight and bias, by its name in `model`."""
    targets = adapter_targets(name for name, _ in model.named_parameters())
    found: dict[str, list[tuple[WeightDelta, float]]] = {}
    for adapter, strength in adapters:
        for ending, deltas in ((WEIGHT, adapter.deltas), (BIAS, adapter.biases)):
            for name, delta in deltas.items():
                found.setdefault(targets[name + ending], []).append((delta, strength))
    return found


@torch.no_grad()
def _replace(
    layer: nn.Module, part: str, deltas: Sequence[tuple[WeightDelta, float]]
) -> list[_Slot]:
    """Put the changed tensor, and the scale of an int8 weight, into the layer; what was there."""
    table = layer._parameters
    held, scale = layer.get_parameter(part), table.get(f"{part}_scale")
    whole = held.float() if scale is None else dequantize_rows(held, scale, torch.float32)
    for delta, strength in deltas:
        whole = delta.added(whole, strength)
    new = {part: whole.to(held.dtype)}
    if scale is not None:
        new[part], new[f"{part}_scale"] = quantize_rows(whole)
    old = [_slot(table, name) for name in new]
    for name, tensor in new.items():
        table[name] = _as_parameter(tensor)
    return old


def _slot(table: dict[str, Any], name: str) -> _Slot:
    tensor = table[name]
    kept = tensor if tensor.device.type == "cpu" else tensor.detach().to("cpu")
    return _Slot(table, name, kept, tensor.device)


def _as_parameter(tensor: Tensor) -> nn.Parameter:
    """`tensor` itself where it is one: what was put aside is put back, not a copy."""
    if isinstance(tensor, nn.Parameter):
        return tensor
    return nn.Parameter(tensor, requires_grad=False)

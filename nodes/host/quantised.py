"""Files whose layers are quantised, through the host's own layers or, for plain int8, through ours.

Such a file holds more than weights: scales, and what each layer is (`ace_core.weights.quantisation`
reads that). The host's mixed precision layers know most formats; here they get the names that they
expect. Int8 rows whose file has products in full precision, as ours do when they are saved, are
held by our own int8 layers, and so are all int8 rows where the host has no int8.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import comfy.ops
import torch
from torch import Tensor, nn

from ...ace_core.errors import CheckpointError
from ...ace_core.models.int8 import dequantize_rows
from ...ace_core.weights.checkpoint import WHERE_TO_LOOK, Checkpoint, Kind, Part
from ...ace_core.weights.load import check_keys
from ...ace_core.weights.quantisation import (
    KNOWN_TO,
    MARK,
    Settings,
    format_names,
    quantised_layers,
    with_plain_shapes,
)
from ...ace_core.weights.tensor_files import read
from .precision import INT8, compute_dtype, decoding_dtype, quantized_linear

INT8_FORMAT: Final = "int8_tensorwise"  # the host's name; its scales may be one for each row
EXACT: Final = "full_precision_matrix_mult"  # the host's name: inputs are not quantised
_OLD_NAMES: Final = {".scale_weight": ".weight_scale", ".scale_input": ".input_scale"}
_PADS: Final = {"nvfp4": 16, "mxfp8": 32}  # both sizes of a weight are made multiples of it


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedWeights:
    """The tensors of one model by official name, and how its layers are quantised."""

    checkpoint: Checkpoint  # whose part has the shapes that packed weights stand for
    kind: Kind
    tensors: dict[str, Tensor]
    layers: Mapping[str, Settings]

    @property
    def part(self) -> Part:
        return self.checkpoint.part(self.kind)

    def check(self, expected: Mapping[str, Tensor]) -> None:
        """
        Raises:
            CheckpointError: the weights are not those of a network with these.
        """
        found = {}
        for name, entry in self.part.entries.items():
            layer, pad = name.rpartition(".")[0], 0
            if name.endswith(".weight") and layer in self.layers:
                pad = _PADS.get(self.layers[layer]["format"], 0)
            shape = _without_padding(entry.shape, expected.get(name), pad)
            found[name] = torch.empty(shape, device="meta")
        check_keys(self.checkpoint, expected, found)

    def plain(self, weight_dtype: torch.dtype) -> dict[str, Tensor]:
        """The tensors of the layers that are not quantised, in `weight_dtype`."""
        return {
            name: tensor.to(weight_dtype)
            for name, tensor in self.tensors.items()
            if name in self.part.entries and name.rpartition(".")[0] not in self.layers
        }


class ForHostLayers(QuantisedWeights):
    """Weights for the host's mixed precision layers, which compute every format it knows."""

    device = "cpu"  # they cannot be made without one

    def dtypes(self, choice: str, device: torch.device) -> tuple[torch.dtype, torch.dtype]:
        """What is held and computed in: as if the file were bf16, which it was before.

        Raises:
            CheckpointError: int8 is chosen for weights that are quantised already.
        """
        if choice == INT8:
            raise CheckpointError(
                f"{self.checkpoint.path}: the weights of this file are quantised already, so they "
                "cannot be held in int8. Choose auto, or a file in bf16."
            )
        weight_dtype, cast = compute_dtype(choice, torch.bfloat16, device)
        return cast or weight_dtype, cast or weight_dtype

    def operations(
        self, weight_dtype: torch.dtype, cast: torch.dtype | None, device: torch.device
    ) -> Any:
        """The host's layers for such weights; they compute in `weight_dtype`."""
        used = {"quant_config": {"mixed_ops": True}}  # the only attribute that is used
        config = type("Config", (), used)
        return comfy.ops.pick_operations(
            None, weight_dtype, load_device=device, model_config=config
        )

    def fill(self, net: nn.Module, plain: nn.Module, weight_dtype: torch.dtype) -> None:
        """Put the weights into `net`, built of `operations`; `plain` is the same of torch's layers.

        Raises:
            CheckpointError: they do not fit, or a layer is of a kind whose format is not read.
        """
        self.check(plain.state_dict())
        for layer in self.layers:
            self._check_read(layer, net.get_submodule(layer))
        net.requires_grad_(False)
        ready = self.tensors | self.plain(weight_dtype)
        net.load_state_dict(ready, strict=False, assign=True)  # scales are no parameters

    def _check_read(self, layer: str, module: nn.Module) -> None:
        if type(module) in vars(comfy.ops.manual_cast).values():
            kind, name = type(module).__name__, self.layers[layer]["format"]
            raise CheckpointError(
                f"{self.checkpoint.path}: {layer} is a layer of the kind {kind}, quantised as "
                f"{name!r}; this ComfyUI reads no quantised layers of that kind. Update ComfyUI, "
                f"or choose the file in bf16. {WHERE_TO_LOOK[self.kind]}"
            )


class ForOwnRows(QuantisedWeights):
    """Int8 rows for our own layers, whose inputs are not quantised."""

    device = "meta"

    def dtypes(self, choice: str, device: torch.device) -> tuple[torch.dtype, torch.dtype | None]:
        """As for a file in the dtype of the other weights that is held in int8."""
        entries = self.part.entries.items()
        unquantised = {name: e for name, e in entries if name.rpartition(".")[0] not in self.layers}
        stored = replace(self.part, entries=unquantised).dtype
        format_of = decoding_dtype if self.kind is Kind.LM else compute_dtype
        return format_of(INT8 if choice == "auto" else choice, stored, device)

    def operations(
        self, weight_dtype: torch.dtype, cast: torch.dtype | None, device: torch.device
    ) -> Any:
        """The host's layers, with linear ones that take weights as the file has them."""
        layers = comfy.ops.pick_operations(weight_dtype, cast, load_device=device)
        return type("Layers", (layers,), {"Linear": quantized_linear(INT8).as_stored()})

    def fill(self, net: nn.Module, plain: nn.Module, weight_dtype: torch.dtype) -> None:
        """The same. A quantised layer of another kind (a table) is dequantised."""
        self.check(plain.state_dict())
        net.requires_grad_(False)
        ready = self.plain(weight_dtype)
        for layer in self.layers:
            weight, scale = (self.tensors[f"{layer}.{last}"] for last in ("weight", "weight_scale"))
            rows = scale.float().reshape(-1).expand(len(weight)).contiguous()
            if getattr(net.get_submodule(layer), "quantizes", False):
                ready |= {f"{layer}.weight": weight, f"{layer}.weight_scale": rows}
            else:
                ready[f"{layer}.weight"] = dequantize_rows(weight, rows, weight_dtype)
            if f"{layer}.bias" in self.tensors:
                ready[f"{layer}.bias"] = self.tensors[f"{layer}.bias"].to(weight_dtype)
        net.load_state_dict(ready, assign=True)


def quantised(checkpoint: Checkpoint, kind: Kind) -> ForHostLayers | ForOwnRows | None:
    """The weights of a model if its file is quantised, else nothing.

    Raises:
        CheckpointError: its format is unknown to this ComfyUI, or the file is broken.
    """
    layers = quantised_layers(checkpoint, kind)
    if not layers:
        return None
    own = _are_for_own_rows(checkpoint.part(kind), layers)
    if not own:
        _check_known(checkpoint, kind, layers)
    part = with_plain_shapes(checkpoint.part(kind), layers)
    tensors = _named_for_host(read(checkpoint, kind), layers)
    measured = replace(checkpoint, parts={**checkpoint.parts, kind: part})
    return (ForOwnRows if own else ForHostLayers)(measured, kind, tensors, layers)


def host_formats() -> frozenset[str]:
    """The formats that this ComfyUI's layers compute."""
    try:
        from comfy.quant_ops import QUANT_ALGOS
    except ImportError:
        return frozenset()
    return frozenset(QUANT_ALGOS)


def _are_for_own_rows(part: Part, layers: Mapping[str, Settings]) -> bool:
    """Whether all are int8 rows for our layers: exact ones, or any where the host has no int8."""
    for layer, settings in layers.items():
        rotated = settings.get("convrot") or _inner(settings).get("convrot")
        if settings["format"] != INT8_FORMAT or rotated:
            return False
        weight = part.entries[f"{layer}.weight"]
        scales = part.entries[f"{layer}.weight_scale"].elements
        matrix = weight.dtype is torch.int8 and len(weight.shape) == 2
        if not matrix or scales not in (1, weight.shape[0]):
            return False
    exact = all(settings.get(EXACT) for settings in layers.values())
    return exact or INT8_FORMAT not in host_formats()


def _inner(settings: Settings) -> Mapping[str, Any]:
    params = settings.get("params")
    return params if isinstance(params, dict) else {}


def _check_known(checkpoint: Checkpoint, kind: Kind, layers: Mapping[str, Settings]) -> None:
    known = host_formats()
    unknown = {layer: s for layer, s in layers.items() if s["format"] not in known}
    if not unknown:
        return
    since = {KNOWN_TO.get(settings["format"]) for settings in unknown.values()}
    if None in since:
        advice = "Choose the file in bf16, or look whether a newer ComfyUI knows the format."
    else:
        newest = [version for version in KNOWN_TO.values() if version in since][-1]
        advice = f"ComfyUI {newest} does: update ComfyUI, or choose the file in bf16."
    raise CheckpointError(
        f"{checkpoint.path}: its {kind.value} is quantised as {format_names(unknown)}, which this "
        f"ComfyUI does not know. {advice} {WHERE_TO_LOOK[kind]}"
    )


def _named_for_host(
    tensors: Mapping[str, Tensor], layers: Mapping[str, Settings]
) -> dict[str, Tensor]:
    """The tensors under the names of the host's layers, with a mark for each layer."""
    named = {}
    for name, tensor in tensors.items():
        layer, _, last = name.rpartition(".")
        renamed = _OLD_NAMES.get(f".{last}", f".{last}") if layer in layers else None
        if renamed == ".input_scale" and tensor.numel() == 1 and tensor.item() == 1.0:
            continue  # a scale of 1 has no effect
        named[name if renamed is None else layer + renamed] = tensor
    marks = {layer: json.dumps(dict(settings)).encode() for layer, settings in layers.items()}
    return named | {
        f"{layer}{MARK}": torch.tensor(list(text), dtype=torch.uint8)
        for layer, text in marks.items()
    }


def _without_padding(stored: tuple[int, ...], expected: Tensor | None, pad: int) -> tuple[int, ...]:
    """The expected shape, where `stored` is that one rounded up to multiples of `pad`."""
    if not pad or expected is None or expected.dim() != len(stored):
        return stored
    rounded = tuple(-(-size // pad) * pad for size in expected.shape)
    return tuple(expected.shape) if rounded == stored else stored

"""Files whose layers are quantised (scaled fp8 and its kin), through the host's own layers.

Such a file holds more than weights: a scale a layer, and what it is, as tensors or in its header.
The host's mixed precision layers read all of it; here it only gets the names they look for.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import comfy.ops
import comfy.utils
import torch
from safetensors import safe_open
from torch import Tensor, nn

from ...ace_core.errors import CheckpointError
from ...ace_core.weights.checkpoint import Checkpoint, Kind, Part
from ...ace_core.weights.load import check_keys
from ...ace_core.weights.read import read
from .precision import INT8, compute_dtype

_MARK: Final = ".comfy_quant"  # after a layer's name: how it is quantised
_HEADER: Final = "_quantization_metadata"  # where newer files say so
_OLD: Final = "scaled_fp8"  # a tensor in older files


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedWeights:
    """The tensors of one model by official name, and which layers are quantised."""

    checkpoint: Checkpoint
    tensors: dict[str, Tensor]

    @property
    def layers(self) -> frozenset[str]:
        return frozenset(n.removesuffix(_MARK) for n in self.tensors if n.endswith(_MARK))

    def compute_dtype(
        self, choice: str, device: torch.device, supported: Sequence[torch.dtype]
    ) -> torch.dtype:
        """What the layers compute in: as if the file were bf16, which it was before.

        Raises:
            CheckpointError: int8 is asked for, of weights that are quantised already.
        """
        if choice == INT8:
            raise CheckpointError(
                f"{self.checkpoint.path}: the weights of this file are quantised already, so they "
                "cannot be held in int8. Choose auto, or a file in bf16."
            )
        held, cast = compute_dtype(choice, torch.bfloat16, device, supported)
        return cast or held

    def fill(self, net: nn.Module, plain: nn.Module, held: torch.dtype) -> None:
        """Put the weights into `net`, which is built of `layers_for`; `plain` is the same network
        of torch's own layers, whose names and shapes the weights must have.

        Raises:
            CheckpointError: they do not.
        """
        layers, expected = self.layers, plain.state_dict()
        rest = {n: t for n, t in self.tensors.items() if n.rpartition(".")[0] not in layers}
        inside = {n: t for n, t in self.tensors.items() if n in expected}
        check_keys(self.checkpoint, expected, rest | inside)
        net.requires_grad_(False)
        ready = self.tensors | {name: tensor.to(held) for name, tensor in rest.items()}
        net.load_state_dict(ready, strict=False, assign=True)  # scales are no parameters


def quantised(checkpoint: Checkpoint, kind: Kind) -> QuantisedWeights | None:
    """The weights of a model if its file is quantised, else nothing."""
    part = checkpoint.part(kind)
    header, old = _from_headers(part), _old_mark(part)
    if not header and old is None and not any(name.endswith(_MARK) for name in part.entries):
        return None
    tensors = read(checkpoint, kind) | ({} if old is None else {_OLD: old})
    tensors, _ = comfy.utils.convert_old_quants(tensors, "", metadata=header)
    return QuantisedWeights(checkpoint, tensors)


def layers_for(compute: torch.dtype, device: torch.device) -> Any:
    """The host's layers for such weights; they compute in `compute`."""
    told = type(
        "Told", (), {"quant_config": {"mixed_ops": True}}
    )  # all that is read of a configuration
    return comfy.ops.pick_operations(None, compute, load_device=device, model_config=told)


def _from_headers(part: Part) -> dict[str, str]:
    """What the files' headers say of layers, under official names."""
    told: dict[str, Any] = {}
    for file in _safe_files(part):
        with safe_open(file, framework="pt") as opened:
            header = (opened.metadata() or {}).get(_HEADER)
        layers = json.loads(header).get("layers", {}) if header else {}
        names = {e.key.rpartition(".")[0]: n.rpartition(".")[0] for n, e in part.entries.items()}
        told |= {names[layer]: how for layer, how in layers.items() if layer in names}
    return {_HEADER: json.dumps({"layers": told})} if told else {}


def _old_mark(part: Part) -> Tensor | None:
    """The tensor by which older files tell; it may stand above the prefix of the model's keys."""
    for file in _safe_files(part):
        keys = [entry.key for entry in part.entries.values() if entry.file == file]
        with safe_open(file, framework="pt") as opened:
            for mark in opened.keys():  # noqa: SIM118  a file, no dictionary
                above, _, last = mark.rpartition(_OLD)
                if not last and above[-1:] in ("", ".") and keys[0].startswith(above):
                    return opened.get_tensor(mark)
    return None


def _safe_files(part: Part) -> list[Path]:
    return [file for file in part.files if file.suffix == ".safetensors"]

"""Adapters on a MODEL. Those that do not fit the host only logs; here they are refused by name."""

import math
from pathlib import Path
from typing import Any, Final

import comfy.weight_adapter
from torch import Tensor

from ...ace_core.errors import CheckpointError
from ...ace_core.weights.adapter_keys import adapter_targets
from ...ace_core.weights.lora import Adapter, read_adapter
from ...ace_core.weights.weight_delta import WeightDelta
from .share_weights import shapes_of

_NETWORK: Final = "diffusion_model."  # where the host's names of its weights begin


class AceAdapter(comfy.weight_adapter.WeightAdapterBase):
    """One weight's adapter as a stock patch, with the core's arithmetic.

    The host's own kinds have no scale but alpha by rank, and take DoRA's norm from the unmodified
    weight. `weights` is what the host may move to another device and hand back.
    """

    name = "ace_step"

    def __init__(self, loaded_keys: set[str], weights: tuple[Any, ...]) -> None:
        self.loaded_keys = loaded_keys
        self.weights = weights

    @classmethod
    def of(cls, delta: WeightDelta) -> "AceAdapter":
        names, tensors = tuple(delta.parts), tuple(delta.parts.values())
        return cls(set(), (names, tensors, delta.scale))

    def calculate_weight(
        self,
        weight: Tensor,
        key: str,
        strength: float,
        strength_model: float,
        offset: Any,
        function: Any,
        intermediate_dtype: Any = None,
        original_weight: Any = None,
    ) -> Tensor:
        """`weight` changed in place, as the host wants it."""
        names, tensors, scale = self.weights
        delta = WeightDelta(dict(zip(names, tensors, strict=True)), scale)
        difference = delta.added(weight, strength) - weight.float()
        weight += function(difference.to(weight.dtype))
        return weight


def with_adapter(model: Any, path: Path, strength: float) -> tuple[Any, Adapter]:
    """A clone of a MODEL with one more adapter, and what was read of it.

    Raises:
        CheckpointError: a file that is no adapter, or one of another model.
    """
    known = {
        key.removeprefix(_NETWORK): shape
        for key, shape in shapes_of(model.model).items()
        if key.startswith(_NETWORK)
    }
    targets = adapter_targets(known)
    adapter = read_adapter(path, {name: known[official] for name, official in targets.items()})
    changes = {f"{name}.weight": delta for name, delta in adapter.deltas.items()}
    changes |= {f"{name}.bias": delta for name, delta in adapter.biases.items()}
    patches = {_NETWORK + targets[name]: AceAdapter.of(delta) for name, delta in changes.items()}
    changed = model.clone()
    changed.add_patches(patches, strength)
    return changed, adapter


def refuse_foreign_patches(patcher: Any) -> None:
    """
    Raises:
        CheckpointError: a patch on a MODEL was made for weights of another width.
    """
    if patcher is None or not patcher.patches:
        return
    shapes = shapes_of(patcher.model)
    for key, patches in patcher.patches.items():
        for patch in patches:
            made_for = _shape_of(patch[1])
            if made_for is not None and math.prod(made_for) != math.prod(shapes[key]):
                raise CheckpointError(
                    f"The LoRA was made for another model: its patch of {key} is "
                    f"{list(made_for)}, the model's weight is {list(shapes[key])}. Adapters of "
                    "the 2B models (width 2048) and of XL (width 2560) do not fit each other; "
                    "choose one that was trained on this model."
                )


def _shape_of(patch: Any) -> tuple[int, ...] | None:
    """The weight that an adapter was made for, `None` for kinds that do not tell."""
    kind = getattr(patch, "name", None)
    if kind == "lora":
        up, down = patch.weights[:2]
        return (up.shape[0], down.flatten(1).shape[1])
    if kind == "lokr":
        return _kronecker(patch.weights)
    return None


def _kronecker(weights: Any) -> tuple[int, int]:
    """w1 and w2 of a LoKr, each whole or as two factors: (w1, w2, alpha, w1_a, w1_b, w2_a, ...)."""
    w1, w2, _, w1_a, w1_b, w2_a, w2_b = weights[:7]
    rows1, columns1 = w1.shape if w1 is not None else (w1_a.shape[0], w1_b.shape[1])
    rows2, columns2 = w2.shape if w2 is not None else (w2_a.shape[0], w2_b.shape[1])
    return rows1 * rows2, columns1 * columns2

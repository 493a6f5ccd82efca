"""Stand-in for `comfy.model_patcher`: a module, options, and weight differences to add to it."""

import copy
from typing import Any

import torch

from . import model_management
from .weight_adapter import WeightAdapterBase

# (strength, difference or adapter, strength of the weight)
Patch = tuple[float, torch.Tensor | WeightAdapterBase, float]


def create_model_options_clone(orig_model_options: dict[str, Any]) -> dict[str, Any]:
    """Lists and dictionaries are copied; what they hold is shared."""

    def clone(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clone(inner) for key, inner in value.items()}
        return list(value) if isinstance(value, list) else value

    return clone(orig_model_options)


class ModelPatcher:
    """Clones share the module; each has its own options, patches and replaced objects."""

    def __init__(self, model: Any, load_device: Any, offload_device: Any, size: int = 0) -> None:
        self.model = model
        self.load_device = load_device
        self.offload_device = offload_device
        self.size = size
        self.model_options: dict[str, Any] = {"transformer_options": {}}
        self.patches: dict[str, list[Patch]] = {}
        self.object_patches: dict[str, Any] = {}
        self.wrappers: dict[str, dict[Any, list[Any]]] = {}
        self.attachments: dict[str, Any] = {}
        self.parent: ModelPatcher | None = None
        self.cached_patcher_init: Any = None
        if not hasattr(model, "device"):
            model.device = offload_device
        model.model_lowvram = False  # always loaded as a whole
        if not hasattr(model, "standin_backup"):
            model.standin_backup = {}  # weights as loaded, while patches of some clone are on

    def clone(self, *_: Any, **__: Any) -> "ModelPatcher":
        new = copy.copy(self)
        new.model_options = create_model_options_clone(self.model_options)
        new.patches = {key: list(found) for key, found in self.patches.items()}
        new.object_patches = dict(self.object_patches)
        new.wrappers = {
            kind: {key: list(found) for key, found in by_key.items()}
            for kind, by_key in self.wrappers.items()
        }
        new.attachments = dict(self.attachments)
        new.parent = self
        return new

    def is_dynamic(self) -> bool:
        return False

    def model_size(self) -> int:
        self.size = self.size or model_management.module_size(self.model)
        return self.size

    def get_free_memory(self, device: Any) -> int:
        return model_management.get_free_memory(device)

    def model_dtype(self) -> Any:
        return self.model.get_dtype() if hasattr(self.model, "get_dtype") else None

    def get_model_object(self, name: str) -> Any:
        if name in self.object_patches:
            return self.object_patches[name]
        found = self.model
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def add_object_patch(self, name: str, obj: Any) -> None:
        self.object_patches[name] = obj

    def add_wrapper_with_key(self, wrapper_type: str, key: Any, wrapper: Any) -> None:
        self.wrappers.setdefault(wrapper_type, {}).setdefault(key, []).append(wrapper)

    def get_wrappers(self, wrapper_type: str, key: Any) -> list[Any]:
        return self.wrappers.get(wrapper_type, {}).get(key, [])

    def set_attachments(self, key: str, attachment: Any) -> None:
        self.attachments[key] = attachment

    def get_attachment(self, key: str) -> Any:
        return self.attachments.get(key)

    def add_patches(
        self, patches: dict[str, Any], strength_patch: float = 1.0, strength_model: float = 1.0
    ) -> list[str]:
        """Adapters, or differences in the host's `("diff", (tensor,))` form; returns the keys that
        exist."""
        keys = [key for key in patches if key in self.model.state_dict()]
        for key in keys:
            found = patches[key]
            if not isinstance(found, WeightAdapterBase):
                found = found[1][0] if found[0] == "diff" else found[0]
            self.patches.setdefault(key, []).append((strength_patch, found, strength_model))
        return keys

    def patch_model(self, *_: Any, **__: Any) -> Any:
        """Put this clone's patches on the shared module, after taking off another's.

        Weights may be views of a mapped file, so patched ones are new tensors.
        """
        self.unpatch_model()
        for key, patches in self.patches.items():
            parameter = self.model.get_parameter(key)
            self.model.standin_backup[key] = weight = parameter.data
            for patch in patches:
                weight = _patched(key, weight, patch)
            parameter.data = weight
        return self.model

    def unpatch_model(self, *_: Any, **__: Any) -> None:
        for key, weight in self.model.standin_backup.items():
            self.model.get_parameter(key).data = weight
        self.model.standin_backup.clear()

    def pre_run(self) -> None:
        self.model.current_patcher = self

    def cleanup(self) -> None:
        self.model.current_patcher = None


def _patched(key: str, weight: torch.Tensor, patch: Patch) -> torch.Tensor:
    strength, found, strength_model = patch
    weight = weight * strength_model
    if isinstance(found, WeightAdapterBase):
        same = None, lambda change: change  # no part of the weight, no function of the change
        return found.calculate_weight(weight, key, strength, strength_model, *same)
    return weight + found.to(weight) * strength


CoreModelPatcher = ModelPatcher

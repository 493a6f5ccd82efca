"""Stand-in for `comfy.model_patcher`: a module, options, and adapters that change its weights."""

import copy
from typing import Any

import torch

from . import model_management
from .weight_adapter import WeightAdapterBase

Patch = tuple[float, WeightAdapterBase, float]  # strength, adapter, strength of the weight


def create_model_options_clone(orig_model_options: dict[str, Any]) -> dict[str, Any]:
    """Lists and dictionaries are copied; what they hold is shared."""

    def clone(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clone(inner) for key, inner in value.items()}
        return list(value) if isinstance(value, list) else value

    return clone(orig_model_options)


class ModelPatcher:
    """Clones share the module; each has its own options and patches."""

    def __init__(self, model: Any, load_device: Any, offload_device: Any, size: int = 0) -> None:
        self.model = model
        self.load_device = load_device
        self.offload_device = offload_device
        self.size = size
        self.model_options: dict[str, Any] = {"transformer_options": {}}
        self.patches: dict[str, list[Patch]] = {}
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
        new.parent = self
        return new

    def get_attachment(self, key: str) -> None:
        """None: the nodes attach something to adopted models only, and there are none here."""

    def get_free_memory(self, device: Any) -> int:
        return model_management.get_free_memory(device)

    def get_model_object(self, name: str) -> Any:
        found = self.model
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def set_model_sampler_post_cfg_function(
        self, post_cfg_function: Any, disable_cfg1_optimization: bool = False
    ) -> None:
        before = self.model_options.get("sampler_post_cfg_function", [])
        self.model_options["sampler_post_cfg_function"] = [*before, post_cfg_function]
        if disable_cfg1_optimization:
            self.model_options["disable_cfg1_optimization"] = True

    def add_patches(
        self, patches: dict[str, Any], strength_patch: float = 1.0, strength_model: float = 1.0
    ) -> list[str]:
        """Register an adapter for each weight; the keys that exist."""
        keys = [key for key in patches if key in self.model.state_dict()]
        for key in keys:
            self.patches.setdefault(key, []).append((strength_patch, patches[key], strength_model))
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
    strength, adapter, strength_model = patch
    same = None, lambda change: change  # no part of the weight, no function of the change
    return adapter.calculate_weight(weight * strength_model, key, strength, strength_model, *same)


CoreModelPatcher = ModelPatcher

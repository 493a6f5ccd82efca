"""A diffusion model whose layers torch compiles."""

from pathlib import Path
from typing import Any

import comfy.model_management

from ...ace_core.models.compiled import check_compiler, compile_layers
from ...ace_core.types import Variant
from .model import load_model


def load_compiled(
    path: Path, variant: Variant | None = None, dtype: str = "auto", disable_dynamic: bool = True
) -> Any:
    """`load_model`, with compiled layers. Its weights are those of the host's plain patcher, as for
    TorchCompileModel: the dynamic one moves them within a layer, where a graph would break.

    Raises:
        CheckpointError: as `load_model`.
        InvalidRequestError: torch cannot compile for this device.
    """
    del disable_dynamic  # the host asks for it where it makes the model anew
    check_compiler(comfy.model_management.get_torch_device())
    patcher = load_model(path, variant, dtype, disable_dynamic=True)
    compile_layers(patcher.model.diffusion_model.decoder)
    patcher.cached_patcher_init = (load_compiled, (path, variant, dtype))
    return patcher

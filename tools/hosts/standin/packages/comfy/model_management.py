"""Stand-in for `comfy.model_management`: one CPU, every model loaded, nothing interrupted."""

from typing import Any

import torch

_CPU = torch.device("cpu")


OOM_EXCEPTION = torch.OutOfMemoryError
free_memory = 2**34  # bytes, whatever is loaded; tests set another


def is_oom(error: BaseException) -> bool:
    return isinstance(error, OOM_EXCEPTION)


def get_free_memory(device: Any = None) -> int:
    return free_memory


def throw_exception_if_processing_interrupted() -> None:
    """Nobody can press stop here."""


def get_torch_device() -> torch.device:
    return _CPU


unet_offload_device = vae_device = vae_offload_device = get_torch_device
text_encoder_device = text_encoder_offload_device = intermediate_device = get_torch_device


def is_device_cpu(device: Any) -> bool:
    return torch.device(device).type == "cpu"


def intermediate_dtype() -> torch.dtype:
    return torch.float32


def unet_dtype(
    device: Any = None,
    model_params: int = 0,
    supported_dtypes: Any = (torch.float16, torch.bfloat16, torch.float32),
    weight_dtype: torch.dtype | None = None,
) -> torch.dtype:
    """On a CPU the host holds every model in float32."""
    return torch.float32


def unet_manual_cast(
    weight_dtype: torch.dtype | None,
    inference_device: Any,
    supported_dtypes: Any = (torch.float16, torch.bfloat16, torch.float32),
) -> torch.dtype | None:
    """On a CPU the host computes in float32; None when the weights are that already."""
    return None if weight_dtype == torch.float32 else torch.float32


def vae_dtype(device: Any = None, allowed_dtypes: Any = ()) -> torch.dtype:
    return torch.float32


def dtype_size(dtype: torch.dtype) -> int:
    return dtype.itemsize


def module_size(module: torch.nn.Module) -> int:
    return sum(weight.nbytes for weight in module.state_dict().values())


def load_models_gpu(
    models: list[Any],
    memory_required: float = 0,
    force_patch_weights: bool = False,
    minimum_memory_required: float | None = None,
    force_full_load: bool = False,
) -> None:
    """Apply each patcher's weight patches to its module."""
    for patcher in models:
        patcher.patch_model()


def soft_empty_cache(force: bool = False) -> None:
    """Nothing to empty."""


def archive_model_dtypes(model: torch.nn.Module) -> None:
    """Remember each parameter's dtype beside it."""
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            setattr(module, f"{name}_comfy_model_dtype", weight.dtype)

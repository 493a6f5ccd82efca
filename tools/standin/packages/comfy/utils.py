"""Stand-in for `comfy.utils`: progress, files and small tensor functions."""

import math
from collections.abc import Callable
from typing import Any

import safetensors
import safetensors.torch
import torch

PROGRESS_BAR_ENABLED = True
PROGRESS_BAR_HOOK: Callable[..., None] | None = None


def set_progress_bar_global_hook(function: Callable[..., None] | None) -> None:
    global PROGRESS_BAR_HOOK
    PROGRESS_BAR_HOOK = function


class ProgressBar:
    """Tells the executor how far a node is; every update arrives (the host drops some)."""

    def __init__(self, total: int, node_id: str | None = None) -> None:
        self.total = total
        self.current = 0
        self.node_id = node_id
        self.hook = PROGRESS_BAR_HOOK

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        self.total = self.total if total is None else total
        self.current = min(value, self.total)
        if self.hook is not None:
            self.hook(self.current, self.total, preview, node_id=self.node_id)

    def update(self, value: int) -> None:
        self.update_absolute(self.current + value)


def load_torch_file(
    ckpt: str, safe_load: bool = False, device: Any = None, return_metadata: bool = False
) -> Any:
    """A safetensors file as views of the mapped file, or a pickle of tensors."""
    if not ckpt.lower().endswith((".safetensors", ".sft")):
        weights = torch.load(ckpt, map_location="cpu", weights_only=True)
        return (weights, None) if return_metadata else weights
    with safetensors.safe_open(ckpt, framework="pt") as file:  # pyright: ignore
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    return (weights, metadata) if return_metadata else weights


def save_torch_file(sd: dict[str, Any], ckpt: str, metadata: dict[str, str] | None = None) -> None:
    safetensors.torch.save_file(sd, ckpt, metadata=metadata)


def calculate_parameters(sd: dict[str, Any], prefix: str = "") -> int:
    return sum(weight.nelement() for key, weight in sd.items() if key.startswith(prefix))


def weight_dtype(sd: dict[str, Any], prefix: str = "") -> torch.dtype | None:
    """The dtype that most parameters have."""
    counts: dict[torch.dtype, int] = {}
    for key, weight in sd.items():
        if key.startswith(prefix):
            counts[weight.dtype] = counts.get(weight.dtype, 0) + weight.numel()
    return max(counts, key=lambda dtype: counts[dtype]) if counts else None


def state_dict_prefix_replace(
    state_dict: dict[str, Any], replace_prefix: dict[str, str], filter_keys: bool = False
) -> dict[str, Any]:
    renamed = {} if filter_keys else state_dict
    for old, new in replace_prefix.items():
        for key in [key for key in state_dict if key.startswith(old)]:
            renamed[new + key[len(old) :]] = state_dict.pop(key)
    return renamed


def convert_old_quants(
    state_dict: dict[str, Any], model_prefix: str = "", metadata: Any = None
) -> tuple[dict[str, Any], Any]:
    """The stand-in knows no quantised files."""
    return state_dict, metadata if metadata is not None else {}


def repeat_to_batch_size(tensor: torch.Tensor, batch_size: int, dim: int = 0) -> torch.Tensor:
    """Long batches are cut and short ones tiled, without a word, as on the host."""
    if tensor.shape[dim] >= batch_size:
        return tensor.narrow(dim, 0, batch_size)
    times = [1] * tensor.ndim
    times[dim] = math.ceil(batch_size / tensor.shape[dim])
    return tensor.repeat(times).narrow(dim, 0, batch_size)


def reshape_mask(input_mask: torch.Tensor, output_shape: Any) -> torch.Tensor:
    """A noise mask [B, 1, T] for a one-dimensional latent [B, C, T]."""
    mask = input_mask.reshape((-1, 1, input_mask.shape[-1]))
    mask = torch.nn.functional.interpolate(mask, size=output_shape[2:], mode="linear")
    mask = mask.repeat(1, output_shape[1] // mask.shape[1], 1)
    return repeat_to_batch_size(mask, output_shape[0])

"""Adapters for the miniature models, in PEFT's spelling."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file

LAYERS: Final = ("layers.1.self_attn.q_proj", "layers.1.cross_attn.k_proj")
FOREIGN: Final = "base_model.model.blocks.{}.lora_A.weight"  # keys that fit nothing


def write_lora(
    path: Path, shapes: Mapping[str, Sequence[int]], seed: int = 3, foreign: int = 0
) -> Path:
    """An adapter of rank 2 for weights of these `shapes` by official name, and `foreign` keys."""
    draw = torch.Generator().manual_seed(seed)
    tensors = {FOREIGN.format(number): torch.ones(2, 2) for number in range(foreign)}
    for layer in LAYERS:
        rows, columns = shapes[f"decoder.{layer}.weight"]
        key = f"base_model.model.{layer}.lora_{{}}.weight"
        tensors[key.format("A")] = torch.randn(2, columns, generator=draw)
        tensors[key.format("B")] = torch.randn(rows, 2, generator=draw)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path

"""Trained networks as files: half precision, official layouts and names."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from ace_core.models.acestep import AceStepModel
from ace_core.models.qwen3 import Qwen3
from tools.miniature import configs
from tools.miniature.diffusion.clock import silence

WEIGHTS = torch.float16


def write_qwen3(folder: Path, model: Qwen3, tokenizer: Tokenizer) -> None:
    """A text encoder or language model with its tokenizer."""
    _write_json(folder / "config.json", _half(configs.qwen3(model.config)))
    _write_weights(folder / "model.safetensors", model.state_dict())
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    _write_json(folder / "tokenizer_config.json", configs.tokenizer())


def write_diffusion(folder: Path, model: AceStepModel, version: str) -> None:
    """A diffusion model of that version, base or turbo, with the family's silence latent."""
    _write_json(folder / "config.json", _half(configs.official_dit(model.config, version)))
    _write_weights(folder / "model.safetensors", model.state_dict())
    # channels first, as published
    latent = silence().transpose(1, 2).to(WEIGHTS).contiguous()
    torch.save(latent, folder / "silence_latent.pt")


def write_adapter(folder: Path, weights: dict[str, Tensor], rank: int) -> None:
    """An adapter as PEFT saves it; alpha is its rank, so its scale is 1."""
    _write_json(
        folder / "adapter_config.json", {"peft_type": "LORA", "r": rank, "lora_alpha": rank}
    )
    _write_weights(folder / "adapter_model.safetensors", weights)


def _half(config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "dtype": "float16"}


def _write_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """
    Raises:
        ValueError: a weight is not finite in half precision.
    """
    half = {name: tensor.to(WEIGHTS).contiguous() for name, tensor in weights.items()}
    broken = [name for name, tensor in half.items() if not tensor.isfinite().all()]
    if broken:
        raise ValueError(f"These weights are not finite in half precision: {', '.join(broken)}.")
    save_file(half, path, metadata={"format": "pt"})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")

"""Checkpoints: what a file is, where its tensors lie, and the models they fill."""

from .checkpoint import Checkpoint, Kind, Layout, Part
from .detect import inspect
from .load import (
    LoadedDiT,
    check_keys,
    dit_config,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    qwen3_config,
    vae_config,
)
from .shards import tokenizer_file
from .silence import encoded_silence, silence_latent, stored_silence
from .tensor_files import read

__all__ = [
    "Checkpoint",
    "Kind",
    "Layout",
    "LoadedDiT",
    "Part",
    "check_keys",
    "dit_config",
    "encoded_silence",
    "inspect",
    "load_dit",
    "load_lm",
    "load_text_encoder",
    "load_vae",
    "qwen3_config",
    "read",
    "silence_latent",
    "stored_silence",
    "tokenizer_file",
    "vae_config",
]

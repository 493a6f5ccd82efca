"""Other libraries' models in float64, which upcast to float32 whatever they are given."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch


@contextmanager
def in_float64() -> Iterator[None]:
    """Where other libraries' code says float32, it gets float64.

    Norms, rotary angles, timesteps and codes are upcast to float32 in diffusers and transformers,
    whatever the model is in. To be put around the making and the running of their modules, and
    around nothing else: drawing and reading files would change as well.
    """
    patch = pytest.MonkeyPatch()
    embeddings = sys.modules.get("diffusers.models.embeddings")
    if embeddings is not None:
        rotary = embeddings.get_1d_rotary_pos_embed
        widened = tuple(torch.float64 if d is torch.float32 else d for d in rotary.__defaults__)
        patch.setattr(rotary, "__defaults__", widened)
    for name in ("float32", "float"):
        patch.setattr(torch, name, torch.float64)
    patch.setattr(torch.Tensor, "float", torch.Tensor.double)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        patch.undo()
        torch.set_default_dtype(default)


def as_float64(text_encoder: Any) -> Any:
    """A loaded Qwen3 of transformers in float64, its rotary angles as well."""
    text_encoder.double()
    with in_float64():
        text_encoder.rotary_emb = type(text_encoder.rotary_emb)(text_encoder.config)
    return text_encoder

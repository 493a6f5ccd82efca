"""Qwen3-Embedding under the host's memory manager, with its tokenizer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor

from ...ace_core.conditioning.text import TextEncoder
from ...ace_core.weights import load
from ...ace_core.weights.checkpoint import Kind
from ...ace_core.weights.detect import inspect
from .precision import compute_dtype, host_ops
from .tokenizers import tokenizer_of

DTYPES = (torch.bfloat16, torch.float32)
LONGEST_TEXT = 256  # tokens through the transformer; lyrics are only looked up


@dataclass(frozen=True, slots=True, eq=False)
class ManagedTextEncoder(TextEncoder):
    """A text encoder that asks the host for its place before each use."""

    patcher: Any = None

    def states(self, prompt: str) -> Tensor:
        self._load()
        return TextEncoder.states(self, prompt)

    def embeddings(self, lyrics: str) -> Tensor:
        self._load()
        return TextEncoder.embeddings(self, lyrics)

    def _load(self) -> None:
        config = self.model.config
        widest = 2 * config.mlp_width + 4 * config.width
        comfy.model_management.load_models_gpu(
            [self.patcher], memory_required=LONGEST_TEXT * widest * 4
        )


def load_text_encoder(path: Path, dtype: str = "auto") -> ManagedTextEncoder:
    """
    Raises:
        CheckpointError: there is no text encoder of ACE-Step 1.5 at `path`, or no tokenizer.
    """
    checkpoint = inspect(path)
    tokenizer = tokenizer_of(checkpoint, Kind.TEXT_ENCODER)
    place = comfy.model_management.text_encoder_device()
    stored = checkpoint.part(Kind.TEXT_ENCODER).dtype
    held, cast = compute_dtype(dtype, stored, place, DTYPES)
    model: Any = load.load_text_encoder(path, host_ops(dtype, held, cast, place))
    comfy.model_management.archive_model_dtypes(model)
    model.manual_cast_dtype = cast
    rest = comfy.model_management.text_encoder_offload_device()
    patcher = comfy.model_patcher.CoreModelPatcher(model, load_device=place, offload_device=rest)
    return ManagedTextEncoder(tokenizer, model, place, patcher)

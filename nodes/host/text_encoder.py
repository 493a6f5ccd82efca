"""Qwen3-Embedding under the host's memory manager, with its tokenizer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.model_management
from torch import Tensor

from ...ace_core.conditioning.text import TextEncoder
from ...ace_core.weights.checkpoint import Kind
from .qwen3 import load_qwen3

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
        widest = 2 * config.intermediate_size + 4 * config.hidden_size
        comfy.model_management.load_models_gpu(
            [self.patcher], memory_required=LONGEST_TEXT * widest * 4
        )


def load_text_encoder(path: Path, dtype: str = "auto") -> ManagedTextEncoder:
    """
    Raises:
        CheckpointError: there is no text encoder of ACE-Step 1.5 at `path`, or no tokenizer.
    """
    made = load_qwen3(path, Kind.TEXT_ENCODER, dtype)
    place = made.patcher.load_device
    return ManagedTextEncoder(made.tokenizer, made.model, place, made.cast, made.patcher)

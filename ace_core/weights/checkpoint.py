"""What a checkpoint is: its models, its layout, and the file and key of each tensor.

These values are made by `inspect` and hold names and shapes, not tensors.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError
from ..types import Variant


class Kind(Enum):
    """A model that a checkpoint may hold; the value is its name in messages."""

    DIT = "diffusion model (DiT)"
    TEXT_ENCODER = "text encoder"
    LM = "5 Hz language model"
    VAE = "VAE"


class Layout(Enum):
    """Where the files come from, which decides their keys."""

    OFFICIAL = "official folder"
    COMFY = "single file"
    ALL_IN_ONE = "all-in-one file"
    DIFFUSERS = "diffusers folder"
    GGUF = "GGUF file"


WHERE_TO_LOOK = {
    Kind.DIT: (
        "Choose an 'acestep_v1.5_…' file from models/diffusion_models, an 'ace_step_1.5_…_aio' "
        "file from models/checkpoints, or an 'acestep-v15-…' folder."
    ),
    Kind.TEXT_ENCODER: (
        "Choose 'qwen_0.6b_ace15.safetensors' from models/text_encoders or the "
        "'Qwen3-Embedding-0.6B' folder."
    ),
    Kind.LM: (
        "Choose 'qwen_1.7b_ace15.safetensors' or 'qwen_4b_ace15.safetensors' from "
        "models/text_encoders, or an 'acestep-5Hz-lm-…' folder."
    ),
    Kind.VAE: (
        "Choose 'ace_1.5_vae.safetensors' from models/vae or the official 'vae' folder beside the "
        "diffusion model."
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor on disk: file, key, and shape and dtype from the header."""

    file: Path
    key: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class Part:
    """One model of a checkpoint. `entries` are by official name; those of a VAE are by key without
    prefix, since its weight norm has to be folded first."""

    kind: Kind
    entries: Mapping[str, Entry]
    config: Mapping[str, Any] = field(default_factory=dict)  # config.json beside it, else empty
    silence: Entry | None = None  # the silence latent, where it is stored among the weights

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(entry.file for entry in self.entries.values()))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: entry.shape for name, entry in self.entries.items()}

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of most elements; scales and norms may have another."""
        sizes: Counter[torch.dtype] = Counter()
        for entry in self.entries.values():
            sizes[entry.dtype] += entry.elements
        return sizes.most_common(1)[0][0]

    @property
    def spelling(self) -> str | None:
        """Whose names and numbers the keys of a VAE have; other models have one spelling."""
        if self.kind is not Kind.VAE:
            return None
        named = any(name.startswith("decoder.block.") for name in self.entries)
        return "diffusers' AutoencoderOobleck" if named else "stable-audio-tools, as ComfyUI's"

    @property
    def hidden_size(self) -> int | None:
        """Hidden size of a transformer (of the decoder of the DiT); a VAE has none."""
        key = _HIDDEN_SIZE_KEYS.get(self.kind)
        return None if key is None else self.entries[key].shape[0]


_ENCODER_NORM = "encoder.lyric_encoder.layers.0.input_layernorm.weight"
_HIDDEN_SIZE_KEYS = {
    Kind.DIT: "decoder.layers.0.self_attn_norm.weight",
    Kind.TEXT_ENCODER: "norm.weight",
    Kind.LM: "norm.weight",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What lies at `path`. `variant` is None where neither config nor name has it."""

    path: Path
    layout: Layout
    parts: Mapping[Kind, Part]
    variant: Variant | None = None

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(self.parts)

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(file for part in self.parts.values() for file in part.files))

    @property
    def xl(self) -> bool:
        """XL: the hidden size of the decoder differs from the encoder's."""
        dit = self.parts.get(Kind.DIT)
        if dit is None:
            return False
        return dit.hidden_size != dit.entries[_ENCODER_NORM].shape[0]  # a norm is never packed

    def part(self, kind: Kind) -> Part:
        """The model of this kind.

        Raises:
            CheckpointError: the checkpoint holds other models only.
        """
        if kind in self.parts:
            return self.parts[kind]
        held = " and ".join(sorted(_described(part) for part in self.parts.values()))
        raise CheckpointError(
            f"{self.path}: this {self.layout.value} holds a {held}, but a {kind.value} is expected "
            f"here. {WHERE_TO_LOOK[kind]}"
        )


def _described(part: Part) -> str:
    if part.kind in (Kind.TEXT_ENCODER, Kind.LM):
        rows, hidden_size = part.entries["embed_tokens.weight"].shape
        return f"{part.kind.value} ({rows} tokens, hidden size {hidden_size})"
    return part.kind.value

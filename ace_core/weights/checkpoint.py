"""What a checkpoint is: which models it holds, in which layout, and where each tensor lies.

Made by `inspect`; these values know names, shapes and places, never the numbers themselves.
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
    """A model that a checkpoint may hold; the value is how an error calls it."""

    DIT = "diffusion model (DiT)"
    TEXT_ENCODER = "text encoder"
    LM = "5 Hz language model"
    VAE = "VAE"


class Layout(Enum):
    """Who wrote the files, which decides their names."""

    OFFICIAL = "official folder"
    COMFY = "single file"
    ALL_IN_ONE = "all-in-one file"
    DIFFUSERS = "diffusers folder"


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
    """One tensor on disk: which file, under which key, and what its header promises."""

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
    """One model of a checkpoint. `entries` are by official name (a VAE's are as stored, without
    the prefix: its weight norm must be folded before its names mean anything)."""

    kind: Kind
    entries: Mapping[str, Entry]
    config: Mapping[str, Any] = field(default_factory=dict)  # config.json beside it, else empty
    silence: Entry | None = None  # the silence latent that diffusers stores among the weights

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(entry.file for entry in self.entries.values()))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: entry.shape for name, entry in self.entries.items()}

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of most of its numbers; scales and norms may be stored otherwise."""
        sizes: Counter[torch.dtype] = Counter()
        for entry in self.entries.values():
            sizes[entry.dtype] += entry.elements
        return sizes.most_common(1)[0][0]

    @property
    def width(self) -> int | None:
        """Hidden size of a transformer (of the DiT's decoder); a VAE has none."""
        key = _WIDTH_KEYS.get(self.kind)
        return None if key is None else self.entries[key].shape[0]


_ENCODER_WIDTH = "encoder.lyric_encoder.layers.0.input_layernorm.weight"
_WIDTH_KEYS = {
    Kind.DIT: "decoder.layers.0.self_attn_norm.weight",
    Kind.TEXT_ENCODER: "norm.weight",
    Kind.LM: "norm.weight",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What lies at `path`. `variant` is None when neither config nor name tells it."""

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
        """XL checkpoints have a decoder of another width than their encoder."""
        dit = self.parts.get(Kind.DIT)
        if dit is None:
            return False
        return dit.width != dit.entries[_ENCODER_WIDTH].shape[0]  # a norm is never packed

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
        rows, width = part.entries["embed_tokens.weight"].shape
        return f"{part.kind.value} ({rows} tokens, width {width})"
    return part.kind.value

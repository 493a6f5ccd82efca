"""Which models to use, their fingerprints, and the loaded models. A choice is checked from headers.

A fingerprint is a hash of parts of a checkpoint's files: size, first bytes (the header) and evenly
spread blocks of each. Hashing twenty gigabytes before every batch would take minutes, and another
training of the same model changes all of these blocks.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import CheckpointError
from ..inference import AceStepHandler, LLMHandler
from ..inference.adapters import choices_of, read_adapters
from ..inference.find_models import find_model
from ..types import Variant
from ..weights import Checkpoint, Kind


class Models(NamedTuple):
    """The loaded models; `lm` None: no language model."""

    dit: AceStepHandler
    lm: LLMHandler | None


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The folder of models and what to take from it. `lm` None: no language model."""

    root: str
    dit: str
    lm: str | None
    device: str = "auto"
    dtype: str | None = None
    offload: bool = False
    variant: str | None = None  # for a checkpoint that does not store it
    tokenizer: str | None = None  # path, where none lies with the models
    vae: str | None = None  # name or path, where it is not the one that lies with the models
    quantization: str | None = None  # int8: the large weights take a byte each

    def dit_checkpoint(self) -> Checkpoint:
        """
        Raises:
            CheckpointError: there is no such diffusion model.
        """
        return find_model(self.root, self.dit, Kind.DIT)

    def known_variant(self) -> Variant:
        """The variant that requests are checked against; where none is stored, loading refuses it.

        Raises:
            CheckpointError: there is no such diffusion model.
        """
        stored = self.dit_checkpoint().variant
        return Variant(self.variant) if self.variant else stored or Variant.TURBO

    def check_adapters(self, lora: Sequence[str] | str | None) -> None:
        """Read the adapters of a request and compare them with the header of the model.

        Raises:
            AceStepError: one is not there, is broken, or was made for another model.
        """
        choices = choices_of(lora)
        if choices:
            shapes = self.dit_checkpoint().part(Kind.DIT).shapes
            read_adapters(choices, self.root, shapes)

    def describe(self) -> dict[str, Any]:
        """Name and fingerprint of each model, for the records of songs.

        Raises:
            CheckpointError: one is missing.
        """
        chosen = {"dit": self.dit_checkpoint()}
        if self.vae is not None:
            chosen["vae"] = find_model(self.root, self.vae, Kind.VAE)
        if self.lm is not None:
            chosen["lm"] = find_model(self.root, self.lm, Kind.LM)
        return {
            name: {"name": checkpoint.path.name, "fingerprint": fingerprint(checkpoint)}
            for name, checkpoint in chosen.items()
        }

    def load(self) -> Models:
        """
        Raises:
            CheckpointError: a model cannot be loaded.
        """
        return Models(self.load_dit(), self.load_lm())

    def load_dit(self) -> AceStepHandler:
        """The diffusion model alone, with text encoder and VAE.

        Raises:
            CheckpointError: it cannot be loaded.
        """
        dit = AceStepHandler()
        status, ready = dit.initialize_service(
            self.root,
            self.dit,
            device=self.device,
            offload_to_cpu=self.offload,
            dtype=self.dtype,
            quantization=self.quantization,
            variant=self.variant,
            tokenizer=self.tokenizer,
            vae=self.vae,
        )
        if not ready:
            raise CheckpointError(status)
        return dit

    def load_lm(self) -> LLMHandler | None:
        """The language model alone, if one was chosen.

        Raises:
            CheckpointError: it cannot be loaded.
        """
        if self.lm is None:
            return None
        lm = LLMHandler()
        status, ready = lm.initialize(
            self.root,
            self.lm,
            device=self.device,
            offload_to_cpu=self.offload,
            dtype=self.dtype,
            quantization=self.quantization,
            tokenizer=self.tokenizer,
        )
        if not ready:
            raise CheckpointError(status)
        return lm


BLOCK: Final = 2**16  # bytes
BLOCKS: Final = 64  # per file, beside the first


def fingerprint(checkpoint: Checkpoint) -> str:
    """16 hexadecimal digits that stay when the files are moved or renamed."""
    digest = hashlib.sha256()
    for file in sorted(checkpoint.files, key=lambda path: path.name):
        _add(digest, file)
    return digest.hexdigest()[:16]


def _add(digest: "hashlib._Hash", path: Path) -> None:
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "little"))
    with path.open("rb") as file:
        for number in range(BLOCKS + 1):
            file.seek(max(0, size - BLOCK) * number // BLOCKS)
            digest.update(file.read(BLOCK))

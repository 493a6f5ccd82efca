"""Which models to use, and those models loaded. A choice is checked from headers alone."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import CheckpointError
from ..inference import AceStepHandler, LLMHandler
from ..inference.find_models import find_model
from ..types import Variant
from ..weights import Checkpoint, Kind
from .fingerprint import fingerprint


class Models(NamedTuple):
    """Ready to make songs; without a language model there is no thinking."""

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
    variant: str | None = None  # for a checkpoint that does not tell it

    def dit_checkpoint(self) -> Checkpoint:
        """
        Raises:
            CheckpointError: there is no such diffusion model.
        """
        return find_model(self.root, self.dit, Kind.DIT)

    def trained_as(self) -> Variant:
        """The variant that requests are checked against; loading refuses one that nothing tells.

        Raises:
            CheckpointError: there is no such diffusion model.
        """
        told = self.dit_checkpoint().variant
        return Variant(self.variant) if self.variant else told or Variant.TURBO

    def facts(self) -> dict[str, Any]:
        """Name and fingerprint of each model, for the records of what they made.

        Raises:
            CheckpointError: one is missing.
        """
        chosen = {"dit": self.dit_checkpoint()}
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
        dit = AceStepHandler()
        status, ready = dit.initialize_service(
            self.root,
            self.dit,
            device=self.device,
            offload_to_cpu=self.offload,
            dtype=self.dtype,
            variant=self.variant,
        )
        if not ready:
            raise CheckpointError(status)
        return Models(dit, self.load_lm())

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
        )
        if not ready:
            raise CheckpointError(status)
        return lm

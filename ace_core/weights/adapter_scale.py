"""How strong an adapter is at strength 1: alpha and rank, from wherever its training left them.

A PEFT file holds no alpha: that lies in `adapter_config.json` beside it, diffusers writes it into
the file's header, LyCORIS and kohya beside each weight.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..errors import CheckpointError
from .adapter_keys import AdapterTensors
from .weight_delta import WeightDelta

CONFIG: Final = "adapter_config.json"
_DIFFUSERS: Final = "lora_adapter_metadata"  # in the file's header
_LYCORIS: Final = "lokr_config"  # in the header of what the official training writes
_TRAINED: Final = 2  # alpha / rank of the official training, unless it was told otherwise


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What is known beside the weights, and where it stands."""

    where: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alpha(self) -> Any:
        """PEFT's name for a LoRA's, or its name for all others'."""
        return self.facts.get("lora_alpha", self.facts.get("alpha"))


def adapter_config(folder: Path, notes: Mapping[str, str]) -> AdapterConfig:
    """What `adapter_config.json` in `folder` says, or else the `notes` of the file's header.

    Raises:
        CheckpointError: either is broken, or names no alpha.
    """
    config = folder / CONFIG
    if config.is_file():
        try:
            return _checked(
                AdapterConfig(CONFIG, _parsed(config.read_text(encoding="utf-8"))), config
            )
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{config} cannot be read: {error}. Download it again, or remove it to use the "
                "weights as they are."
            ) from error
    if _DIFFUSERS in notes:
        try:
            facts = _parsed(notes[_DIFFUSERS])
        except ValueError as error:
            raise CheckpointError(
                f"The header of the adapter's file cannot be read: {error}. Save it again."
            ) from error
        bare = {key.removeprefix("transformer."): value for key, value in facts.items()}
        return _checked(AdapterConfig("the file's header", bare), folder)
    return AdapterConfig()


def scale_of(found: AdapterTensors, known: AdapterConfig, notes: Mapping[str, str]) -> float | None:
    """What the product of one weight's parts is multiplied by; `None`: nothing says."""
    rank = WeightDelta(found.parts).rank
    if "alpha" in found.parts:
        whole = _lycoris_rank(notes) if rank is None else rank
        return float(found.parts["alpha"]) / whole if whole else 1.0
    if not known.facts:
        return 1.0 if rank is None else None
    facts = known.facts
    alpha = float(_pattern(facts.get("alpha_pattern"), found.path, known.alpha))
    if rank is None or "lora_up" not in found.parts:
        rank = int(_pattern(facts.get("rank_pattern"), found.path, facts.get("r") or rank or 1))
    return alpha / math.sqrt(rank) if facts.get("use_rslora") else alpha / rank


def scale_in_words(known: AdapterConfig, guessed: bool) -> str:
    """Where the strength came from."""
    if guessed:
        return (
            f"no alpha in the file and no {CONFIG} beside it: taken as alpha = rank. If it sounds "
            f"too weak, try strength {_TRAINED}, which is what the official training uses"
        )
    return f"alpha from {known.where or 'the file'}"


def _pattern(patterns: Mapping[str, Any] | None, path: str, otherwise: Any) -> Any:
    """The value of the first of PEFT's patterns that ends `path`."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", path):
            return value
    return otherwise


def _lycoris_rank(notes: Mapping[str, str]) -> int | None:
    """The rank that a LoKr was asked for whose factors both became whole."""
    try:
        return int(_parsed(notes[_LYCORIS])["linear_dim"])
    except (KeyError, ValueError, TypeError):
        return None


def _parsed(text: str) -> dict[str, Any]:
    facts = json.loads(text)
    if not isinstance(facts, dict):
        raise ValueError("it is not a table")
    return facts


def _checked(found: AdapterConfig, place: Path) -> AdapterConfig:
    if not isinstance(found.alpha, int | float):
        raise CheckpointError(
            f"{place} names no lora_alpha. Download it again, or remove it to use the weights as "
            "they are."
        )
    return found

"""The training settings of an adapter: alpha, rank and their exceptions for some layers.

PEFT writes `adapter_config.json` beside the weights; diffusers and LyCORIS write into the header of
their file.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import CheckpointError
from ..parsing import number_in, parse_json, quoted, read_json
from .name_patterns import NamePattern, compile_patterns

CONFIG: Final = "adapter_config.json"
_DIFFUSERS_CONFIG: Final = "lora_adapter_metadata"  # in the file's header
_LYCORIS: Final = "lokr_config"  # in the header of files of the official training


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """The training settings of an adapter, and where they were found."""

    source: str = ""
    alpha: float | None = None  # None: there are no settings
    rank: float = 0.0  # 0: not stored
    stabilised: bool = False  # alpha / sqrt(rank), PEFT's rank-stabilised scale
    alphas: Sequence[tuple[NamePattern, float]] = ()  # for some layers
    ranks: Sequence[tuple[NamePattern, float]] = ()

    @classmethod
    def of(cls, source: str, settings: Mapping[str, Any]) -> "AdapterConfig":
        """The settings of a table as PEFT or diffusers writes it.

        Raises:
            ValueError: alpha is missing, or something has another type or form.
        """
        if "lora_alpha" not in settings and "alpha" not in settings:
            raise ValueError("it names no lora_alpha")
        # under PEFT's name for LoRA or its name for the other kinds
        name = "lora_alpha" if "lora_alpha" in settings else "alpha"
        if settings[name] is None:
            raise ValueError("it names no lora_alpha")
        return cls(
            source,
            number_in(settings, name, 0),
            _rank(settings, "r"),
            _switch(settings, "use_rslora"),
            _numbers(settings.get("alpha_pattern")),
            _numbers(settings.get("rank_pattern"), least=1),
        )


def _switch(settings: Mapping[str, Any], name: str) -> bool:
    """False where it is missing."""
    value = settings.get(name)
    if not (value is None or isinstance(value, bool)):
        raise ValueError(f"{name} is {quoted(value)}, not true or false")
    return bool(value)


def _rank(settings: Mapping[str, Any], name: str) -> float:
    rank = number_in(settings, name, 0)
    if rank < 0:
        raise ValueError(f"{name} is {rank:g}, below 0")
    return rank


def _numbers(found: Any, least: float = -math.inf) -> list[tuple[NamePattern, float]]:
    """Patterns with a number from `least` each."""
    table = compile_patterns(found)
    for pattern, value in table:
        if number_in({pattern.text: value}, pattern.text, -math.inf) < least:
            raise ValueError(f"{pattern.text} is {quoted(value)}, below {least:g}")
        if value is None:
            raise ValueError(f"{pattern.text} has no number")
    return table


def adapter_config(folder: Path, metadata: Mapping[str, str]) -> AdapterConfig:
    """The settings in `adapter_config.json` in `folder`, else in the `metadata` of the header.

    Raises:
        CheckpointError: either cannot be read, or has no alpha.
    """
    config = folder / CONFIG
    if os.path.isfile(config):
        try:
            return AdapterConfig.of(CONFIG, _table(read_json(config)))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{config} cannot be read: {error}. Download it again, or remove it to use the "
                "weights as they are."
            ) from error
    if _DIFFUSERS_CONFIG in metadata:
        try:
            settings = _table(parse_json(metadata[_DIFFUSERS_CONFIG]))
            bare = {key.removeprefix("transformer."): value for key, value in settings.items()}
            return AdapterConfig.of("the file's header", bare)
        except ValueError as error:
            raise CheckpointError(
                f"{folder}: the header of the adapter's file cannot be read: {error}. Save it "
                "again."
            ) from error
    return AdapterConfig()


def value_for(path: str, patterns: Sequence[tuple[NamePattern, float]], otherwise: float) -> float:
    """The value of the first of PEFT's patterns that ends `path`."""
    return next((value for pattern, value in patterns if pattern.ends(path)), otherwise)


def lycoris_rank(metadata: Mapping[str, str]) -> int | None:
    """The requested rank of a LoKr, for one whose factors are both stored whole."""
    try:
        return int(_rank(_table(parse_json(metadata[_LYCORIS])), "linear_dim")) or None
    except (KeyError, ValueError):
        return None


def _table(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError("it is not a table")
    return content

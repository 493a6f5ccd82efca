"""Which variant a diffusion checkpoint is. No weight tells it: only a config or a name can."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..types import Variant

SHARD = re.compile(r"-\d{5}-of-\d{5}$")
FAMILY = re.compile(r"turbo|sft|(?<![a-z])base(?![a-z])")
CONTINUOUS = "continuous"  # turbo trained on any shift from 1 to 3


def variant_of(config: Mapping[str, Any], path: Path) -> Variant | None:
    """The variant by config, refined by the names of file and folder; None when neither tells.

    `is_turbo` decides, as in the official code: `model_version` has the default "turbo" there and
    may be left over in the config of another variant.
    """
    named = _variant_named(_names(path))
    version = _variant_named(str(config.get("model_version", "")).lower())
    distilled = config.get("is_turbo")
    if distilled is None:
        told = version or named
    else:
        agreeing = [v for v in (named, version) if v is not None and v.distilled == distilled]
        told = agreeing[0] if agreeing else (Variant.TURBO if distilled else None)
    continuous = told is Variant.TURBO and named is Variant.TURBO_CONTINUOUS
    return named if continuous else told


def _names(path: Path) -> str:
    """The words that people name a checkpoint by: a folder's name, a file's and its folder's."""
    if path.is_dir():
        return path.name.lower()
    stem = SHARD.sub("", path.stem).lower()
    generic = stem in ("model", "diffusion_pytorch_model", "pytorch_model")
    return path.parent.name.lower() if generic else stem


def _variant_named(names: str) -> Variant | None:
    families = set(FAMILY.findall(names))
    if len(families) != 1:  # nothing said, or a merge of two
        return None
    family = families.pop()
    if family == "turbo" and CONTINUOUS in names:
        return Variant.TURBO_CONTINUOUS
    return Variant(family)

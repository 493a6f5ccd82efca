"""What a file or folder is, from its headers and its config.json; it reads no weights.

No field of a weight file says what the model is, so names and shapes must tell. The rules are in
`layouts.py` (names) and here (shapes); the numbers in them are those of the published models.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..constants import LATENT_CHANNELS, LATENT_HOP
from ..errors import CheckpointError
from ..types import Variant
from .checkpoint import Checkpoint, Entry, Kind, Layout, Part
from .foreign_models import looks_like
from .layouts import (
    DIFFUSERS_DIT,
    DIT_MARKS,
    DIT_NAMINGS,
    QWEN_BUNDLED,
    QWEN_IGNORED,
    QWEN_MARKS,
    QWEN_PREFIXES,
    SILENCE_KEY,
    VAE_PREFIXES,
    Naming,
)
from .shards import (
    Shards,
    component_folders,
    has_weights,
    is_diffusers_folder,
    release_of,
    shards_of,
)
from .variants import variant_of

CODE_TOKENS: Final = 65_535  # rows that a language model adds to the text vocabulary
QWEN_ROWS: Final = range(151_643, 152_065)  # Qwen's text vocabulary, as trimmed or padded
STRIDES: Final = (10, 6, 4, 4, 2)  # of the VAE's decoder


def inspect(path: str | Path) -> Checkpoint:
    """What lies at `path`: a weight file, one shard of several, a model's folder or a release.

    Raises:
        CheckpointError: nothing usable is there; the message says what was found.
    """
    path = release_of(Path(path))
    if not path.exists():
        raise CheckpointError(
            f"{path}: there is no such file or folder. Check the name, or download it to that "
            "place."
        )
    if path.is_dir() and is_diffusers_folder(path):
        return _diffusers(path)
    if path.is_dir() and not has_weights(path) and component_folders(path):
        return _release(path)
    return _single(path)


def _single(path: Path) -> Checkpoint:
    group = shards_of(path)
    parts = {part.kind: part for part in _parts(group)}
    if not parts:
        raise CheckpointError(_stranger(path, group))
    if len(parts) > 1:
        layout = Layout.ALL_IN_ONE
    else:
        layout = Layout.OFFICIAL if path.is_dir() or group.config else Layout.COMFY
    return Checkpoint(path, layout, parts, _variant(parts, path))


def _release(path: Path) -> Checkpoint:
    """The folder of folders in which the official files are published."""
    parts: dict[Kind, Part] = {}
    for folder in component_folders(path):
        for part in _parts(shards_of(folder)):
            if part.kind in parts:
                raise CheckpointError(
                    f"{path}: the folder holds more than one {part.kind.value}, in "
                    f"'{parts[part.kind].files[0].parent.name}' and in '{folder.name}'. Choose one "
                    "of its folders."
                )
            parts[part.kind] = part
    if not parts:
        raise CheckpointError(
            f"{path}: none of its folders holds a model of ACE-Step 1.5. Choose the folder that "
            "holds the model's files."
        )
    return Checkpoint(path, Layout.OFFICIAL, parts, _variant(parts, path))


def _diffusers(path: Path) -> Checkpoint:
    parts: dict[Kind, Part] = {Kind.DIT: _diffusers_dit(path)}
    for folder in component_folders(path):
        if folder.name not in DIFFUSERS_DIT:
            parts.update({part.kind: part for part in _parts(shards_of(folder))})
    return Checkpoint(path, Layout.DIFFUSERS, parts, _variant(parts, path))


def _diffusers_dit(path: Path) -> Part:
    """The four folders that together are one official file."""
    entries: dict[str, Entry] = {}
    config: Mapping[str, Any] = {}
    silence: Entry | None = None
    for name, naming in DIFFUSERS_DIT.items():
        if not (path / name).is_dir():
            raise CheckpointError(
                f"{path}: the folder '{name}' is missing. This diffusers folder has no code "
                f"tokenizer; download {' and '.join(DIFFUSERS_DIT)} from one that has."
            )
        group = shards_of(path / name)
        entries.update(_named(group, naming))
        config = config or group.config
        silence = silence or group.tensors.get(SILENCE_KEY)
    if not all(mark in entries for mark in DIT_MARKS):
        raise CheckpointError(
            f"{path}: this diffusers folder is not ACE-Step 1.5: its transformer looks like "
            f"{looks_like(entries)}. Choose a folder '…acestep-v15-…-diffusers'."
        )
    return Part(Kind.DIT, entries, config, silence)


def _parts(group: Shards) -> Iterator[Part]:
    """Every model of ours in a group of files."""
    for naming in DIT_NAMINGS:
        if all(naming.prefix + mark in group.tensors for mark in DIT_MARKS):
            yield Part(Kind.DIT, _named(group, naming), group.config)
            break
    for prefix in _qwen_prefixes(group):
        naming = Naming(prefix=prefix, ignored=QWEN_IGNORED)
        kind = _qwen_kind(group.tensors[prefix + QWEN_MARKS[0]].shape[0])
        yield Part(kind, _named(group, naming), group.config)
    for prefix in VAE_PREFIXES:
        if _strides(group.tensors, prefix) == STRIDES:
            yield Part(Kind.VAE, _named(group, Naming(prefix=prefix)), group.config)
            break


def _named(group: Shards, naming: Naming) -> dict[str, Entry]:
    named = ((naming.official(key), entry) for key, entry in group.tensors.items())
    return {name: entry for name, entry in named if name is not None}


def _qwen_prefixes(group: Shards) -> list[str]:
    """What stands before the keys of each Qwen3 in the group."""
    bundled = {
        match.group()
        for match in (re.match(QWEN_BUNDLED, key) for key in group.tensors)
        if match is not None
    }
    candidates = [*QWEN_PREFIXES, *sorted(bundled)]
    return [p for p in candidates if all(p + mark in group.tensors for mark in QWEN_MARKS)]


def _qwen_kind(rows: int) -> Kind:
    """Text encoder and language model are one architecture; only the vocabulary tells them apart.

    A language model's table holds the text vocabulary and 65,535 codes: 217,204 rows as published.
    The text vocabulary of Qwen alone has 151,669 to 151,936. A miniature's has a few hundred, so
    there too whatever has room for the codes is a language model.
    """
    return Kind.LM if rows >= CODE_TOKENS and rows not in QWEN_ROWS else Kind.TEXT_ENCODER


def _strides(tensors: Mapping[str, Entry], prefix: str) -> tuple[int, ...]:
    """Strides of an Oobleck decoder, which tell its family; empty when there is none.

    A transposed convolution of stride s has a kernel of 2s, in either spelling of its name.
    """
    for block, first in (("decoder.block.{}.conv_t1.", 0), ("decoder.layers.{}.layers.1.", 1)):
        kernels = []
        for place in range(first, first + len(STRIDES) + 1):
            stem = prefix + block.format(place)
            shape = _convolution(tensors, stem)
            if len(shape) == 3:
                kernels.append(shape[2])
        if kernels:
            return tuple(kernel // 2 for kernel in kernels)
    return ()


def _convolution(tensors: Mapping[str, Entry], stem: str) -> tuple[int, ...]:
    for name in ("weight_v", "parametrizations.weight.original1", "weight"):
        if stem + name in tensors:
            return tensors[stem + name].shape
    return ()


def _variant(parts: Mapping[Kind, Part], path: Path) -> Variant | None:
    dit = parts.get(Kind.DIT)
    if dit is None:
        return None
    inside = dit.files[0]
    released = path.is_dir() and inside.parent != path and inside.parent.name not in DIFFUSERS_DIT
    return variant_of(dit.config, inside.parent if released else path)


def _stranger(path: Path, group: Shards) -> str:
    for prefix in VAE_PREFIXES:
        strides = _strides(group.tensors, prefix)
        if strides:
            hop = 1
            for stride in strides:
                hop *= stride
            return (
                f"{path}: this is an Oobleck VAE of another family: it makes {hop} audio samples "
                f"from a latent frame, ACE-Step 1.5's makes {LATENT_HOP} (and has "
                f"{LATENT_CHANNELS} channels). Choose 'ace_1.5_vae.safetensors' or the official "
                "'vae' folder."
            )
    return (
        f"{path}: this is not a model of ACE-Step 1.5: it looks like {looks_like(group.tensors)}. "
        "Choose a file named 'acestep_v1.5_…', 'qwen_…_ace15' or 'ace_1.5_vae…', or an official "
        "'acestep-v15-…' folder."
    )

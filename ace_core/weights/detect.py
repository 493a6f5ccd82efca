"""What a file or folder is, from its headers and its config.json; it reads no weights.

No field of a weight file says what the model is, so names and shapes decide. The names are in
`layouts.py`; the numbers here are those of the published models. The variant is only in config.json
or in the name of a file or folder. A model of another kind is named in the refusal.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..constants import LATENT_CHANNELS, LATENT_HOP
from ..errors import CheckpointError
from ..parsing import quoted
from ..texts import shown
from ..types import Variant
from . import gguf
from .checkpoint import Checkpoint, Entry, Kind, Layout, Part
from .layouts import (
    DIFFUSERS_DIT,
    DIT_KEY_MAPS,
    DIT_MARKS,
    QWEN_BUNDLED,
    QWEN_IGNORED,
    QWEN_MARKS,
    QWEN_PREFIXES,
    SILENCE_KEY,
    STABLE_AUDIO,
    VAE_PREFIXES,
    KeyMap,
)
from .shards import (
    Shards,
    component_folders,
    config_beside,
    has_weights,
    is_diffusers_folder,
    release_of,
    shards_of,
)

LARGEST_TEXT_VOCABULARY: Final = 2_048  # rows of a text encoder that is smaller than Qwen's
QWEN_ROWS: Final = range(151_643, 152_065)  # Qwen's text vocabulary, as trimmed or padded
CODE_KEYS: Final = ("fsq_input_levels", "fsq_input_num_quantizers")  # of the code tokenizer alone
STRIDES: Final = (10, 6, 4, 4, 2)  # of the VAE's decoder


def inspect(path: str | Path) -> Checkpoint:
    """What lies at `path`: a weight file, one shard of several, a model's folder or a release.

    Raises:
        CheckpointError: nothing usable is there; the message says what was found.
    """
    path = release_of(Path(path))
    if not os.path.exists(path):
        raise CheckpointError(
            f"{shown(path)}: there is no such file or folder. Check the name, or download it to "
            "that place."
        )
    if os.path.isdir(path) and is_diffusers_folder(path):
        return _diffusers(path)
    if os.path.isdir(path) and not has_weights(path) and component_folders(path):
        return _release(path)
    return _single(path)


def _single(path: Path) -> Checkpoint:
    group = shards_of(path)
    parts = {part.kind: part for part in _parts(group)}
    if not parts:
        raise CheckpointError(_foreign_message(path, group))
    if len(parts) > 1:
        layout = Layout.ALL_IN_ONE
    elif path.suffix == gguf.SUFFIX and os.path.isfile(path):
        layout = Layout.GGUF
    else:
        layout = Layout.OFFICIAL if os.path.isdir(path) or group.config else Layout.COMFY
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
    codes: dict[str, Any] = {}
    silence: Entry | None = None
    for name, key_map in DIFFUSERS_DIT.items():
        if not os.path.isdir(path / name):
            raise CheckpointError(
                f"{path}: the folder '{name}' is missing. This diffusers folder has no code "
                f"tokenizer; download {' and '.join(DIFFUSERS_DIT)} from one that has."
            )
        group = shards_of(path / name)
        entries.update(_official_entries(group, key_map))
        config = config or group.config
        codes.update({key: group.config[key] for key in CODE_KEYS if key in group.config})
        silence = silence or group.tensors.get(SILENCE_KEY)
    if not all(mark in entries for mark in DIT_MARKS):
        raise CheckpointError(
            f"{path}: this diffusers folder is not ACE-Step 1.5: its transformer looks like "
            f"{foreign_model(entries)}. Choose a folder '…acestep-v15-…-diffusers'."
        )
    return Part(Kind.DIT, entries, {**codes, **config}, silence)


def _parts(group: Shards) -> Iterator[Part]:
    """Every model of ACE-Step 1.5 in a group of files."""
    for key_map in DIT_KEY_MAPS:
        if all(key_map.prefix + mark in group.tensors for mark in DIT_MARKS):
            silence = group.tensors.get(SILENCE_KEY)
            config = group.config or config_beside(group.files[0])
            yield Part(Kind.DIT, _official_entries(group, key_map), config, silence)
            break
    for prefix in _qwen_prefixes(group):
        key_map = KeyMap(prefix=prefix, ignored=QWEN_IGNORED)
        table = group.tensors[prefix + QWEN_MARKS[0]]
        if len(table.shape) != 2:
            raise CheckpointError(
                f"{table.file}: {quoted(table.key)} is {list(table.shape)}, but a table of tokens "
                "has two dimensions. Download the file again."
            )
        kind = _qwen_kind(table.shape[0])
        yield Part(kind, _official_entries(group, key_map), group.config)
    for prefix in VAE_PREFIXES:
        if _strides(group.tensors, prefix) == STRIDES:
            yield Part(Kind.VAE, _official_entries(group, KeyMap(prefix=prefix)), group.config)
            break


def _official_entries(group: Shards, key_map: KeyMap) -> dict[str, Entry]:
    named = ((key_map.to_official(key), entry) for key, entry in group.tensors.items())
    return {name: entry for name, entry in named if name is not None}


def _qwen_prefixes(group: Shards) -> list[str]:
    """The key prefix of each Qwen3 in the group."""
    bundled = {
        match.group()
        for match in (re.match(QWEN_BUNDLED, key) for key in group.tensors)
        if match is not None
    }
    candidates = [*QWEN_PREFIXES, *sorted(bundled)]
    return [p for p in candidates if all(p + mark in group.tensors for mark in QWEN_MARKS)]


def _qwen_kind(rows: int) -> Kind:
    """Text encoder and language model have one architecture; only the vocabulary differs.

    The embedding of the language model has the text vocabulary and the codes: 217,204 rows as
    published. The text vocabulary of Qwen alone has 151,669 to 151,936 rows, a miniature's up to
    2,048, so an embedding of another size is a language model's.
    """
    text = rows <= LARGEST_TEXT_VOCABULARY or rows in QWEN_ROWS
    return Kind.TEXT_ENCODER if text else Kind.LM


def _strides(tensors: Mapping[str, Entry], prefix: str) -> tuple[int, ...]:
    """Strides of an Oobleck decoder, which differ between families; empty when there is none.

    A transposed convolution of stride s has a kernel of 2s, in either spelling of its name.
    """
    for block, first in (("decoder.block.{}.conv_t1.", 0), ("decoder.layers.{}.layers.1.", 1)):
        kernels = []
        for index in range(first, first + len(STRIDES) + 1):
            stem = prefix + block.format(index)
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
    released = (
        os.path.isdir(path) and inside.parent != path and inside.parent.name not in DIFFUSERS_DIT
    )
    return variant_of(dit.config, inside.parent if released else path)


def _foreign_message(path: Path, group: Shards) -> str:
    for prefix in VAE_PREFIXES:
        strides = _strides(group.tensors, prefix)
        if strides and prefix != STABLE_AUDIO:
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
        f"{path}: this is not a model of ACE-Step 1.5: it looks like "
        f"{foreign_model(group.tensors)}. Choose a file named 'acestep_v1.5_…', "
        "'qwen_…_ace15' or 'ace_1.5_vae…', or an official "
        "'acestep-v15-…' folder."
    )


SHARD = re.compile(r"-\d{5}-of-\d{5}$")
FAMILY = re.compile(r"turbo|sft|(?<![a-z])base(?![a-z])")
CONTINUOUS = "continuous"  # turbo trained on any shift from 1 to 3


def variant_of(config: Mapping[str, Any], path: Path) -> Variant | None:
    """The variant by config, refined by the names of file and folder; None where neither has it.

    `is_turbo` decides, as in the official code: `model_version` has the default "turbo" there and
    may be left over in the config of another variant. A name that holds two variants is a merge's:
    its config is that of one of the two, and the variant is not known.
    """
    if merged_variants(path):
        return None
    named = _variant_named(_names(path))
    version = _variant_named(str(config.get("model_version", "")).lower())
    distilled = config.get("is_turbo")
    if distilled is None:
        variant = version or named
    else:
        agreeing = [v for v in (named, version) if v is not None and v.distilled == distilled]
        variant = agreeing[0] if agreeing else (Variant.TURBO if distilled else None)
    continuous = variant is Variant.TURBO and named is Variant.TURBO_CONTINUOUS
    return named if continuous else variant


def _names(path: Path) -> str:
    """The name of a checkpoint: a folder's, a file's, or for a generic file name its folder's."""
    if os.path.isdir(path):
        return path.name.lower()
    stem = SHARD.sub("", path.stem).lower()
    generic = stem in ("model", "diffusion_pytorch_model", "pytorch_model")
    return path.parent.name.lower() if generic else stem


def merged_variants(path: Path) -> tuple[Variant, ...]:
    """The variants that the name of a merged checkpoint holds; empty when it holds one or none."""
    families = set(FAMILY.findall(_names(path)))
    return tuple(v for v in Variant if v.value in families) if len(families) > 1 else ()


def _variant_named(names: str) -> Variant | None:
    families = set(FAMILY.findall(names))
    if len(families) != 1:  # no name, or a merge of two
        return None
    family = families.pop()
    if family == "turbo" and CONTINUOUS in names:
        return Variant.TURBO_CONTINUOUS
    return Variant(family)


# (what it is, a pattern that some key matches); the first match wins
SIGNS: Final = (
    ("a LoRA", r"\.lora_(A|B|up|down)\b|\.lokr_w[12]"),
    ("a model that GPTQ or AWQ quantised", r"\.(qweight|qzeros)$"),
    ("an ACE-Step 1.0 checkpoint", r"(^|\.)(genre_embedder|speaker_embedder|lyric_embs)\."),
    ("a Stable Audio checkpoint", r"^(model\.model\.transformer|pretransform)\."),
    ("a Stable Diffusion UNet", r"(^|\.)(input_blocks\.0\.0|down_blocks\.0\.resnets\.0)\."),
    ("a Flux diffusion model", r"(^|\.)double_blocks\.0\."),
    ("a Stable Diffusion 3 diffusion model", r"(^|\.)joint_blocks\.0\."),
    ("a Wan video model", r"(^|\.)blocks\.0\.cross_attn\.(q|k)\.weight$"),
    ("an image VAE", r"(^|\.)decoder\.(up|up_blocks)\.0\.(block|resnets)\.0\."),
    ("an Oobleck VAE of another family", r"(^|\.)decoder\.(layers\.1\.layers\.0\.beta|block\.0\.)"),
    ("a T5 text encoder", r"(^|\.)encoder\.block\.0\.layer\.0\.SelfAttention\."),
    ("a CLIP model", r"(^|\.)text_model\.encoder\.layers\.0\."),
    ("a part of an ACE-Step diffusers folder", r"\.self_attn\.(to_q|norm_q)\.weight$"),
    ("a language model of another family", r"(^|\.)layers\.0\.self_attn\.q_proj\.(weight|bias)$"),
    ("a language model of another family", r"(^|\.)h\.0\.attn\."),
    ("a Whisper model", r"(^|\.)encoder\.conv1\.weight$"),
)


def foreign_model(keys: Iterable[str]) -> str:
    """What a file with these keys seems to be, to complete "it looks like …"."""
    names = list(keys)
    for what, pattern in SIGNS:
        if any(re.search(pattern, name) for name in names):
            return what
    if not names:
        return "an empty file"
    return f"an unknown model ({len(names)} tensors, the first {names[0]!r})"

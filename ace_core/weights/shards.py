"""Files that belong together: shards of a model, folders of a release, a tokenizer beside them."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import CheckpointError
from ..parsing import quoted, read_json
from . import gguf
from .checkpoint import Checkpoint, Entry, Kind
from .layouts import DIFFUSERS_DIT
from .tensor_files import PICKLED, read_header

SHARDED: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors")
SHARD_NAME: Final = re.compile(r"[^\x00-\x1f/\\]{1,200}\.safetensors")
STANDARD_STEMS: Final = ("model", "diffusion_pytorch_model", "pytorch_model")
SILENCE_FILE: Final = "silence_latent.pt"


@dataclass(frozen=True, slots=True)
class Shards:
    """The files of one model (or of one all-in-one file) and all their tensors by stored key."""

    files: tuple[Path, ...]
    tensors: dict[str, Entry]
    config: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.files[0].parent


def is_diffusers_folder(folder: Path) -> bool:
    return all(os.path.isdir(folder / name) for name in ("transformer", "condition_encoder"))


def release_of(path: Path) -> Path:
    """The diffusers folder where `path` is one component of its DiT, else `path`.

    A host lists files only, so a user may have to choose one file of the folder.
    """
    inside = path if os.path.isdir(path) else path.parent
    of_dit = inside.name in DIFFUSERS_DIT and is_diffusers_folder(inside.parent)
    return inside.parent if of_dit else path


def shards_of(path: Path) -> Shards:
    """The group that a file or a folder of one model stands for.

    Raises:
        CheckpointError: nothing is there, too much is, or a shard is missing.
    """
    files = _files_of_folder(path) if os.path.isdir(path) else _siblings(path)
    tensors: dict[str, Entry] = {}
    for file in files:
        tensors.update(read_header(file))
    return Shards(files, tensors, _config(path, files))


def component_folders(folder: Path) -> list[Path]:
    """The subfolders that hold weights, in the order of their names."""
    return [
        child for child in sorted(folder.iterdir()) if os.path.isdir(child) and has_weights(child)
    ]


def has_weights(folder: Path) -> bool:
    return any(_is_weight(file) for file in folder.iterdir())


def _is_weight(file: Path) -> bool:
    if file.name == SILENCE_FILE:
        return False
    return file.suffix == ".safetensors" or (file.suffix in PICKLED and file.stem in STANDARD_STEMS)


def _files_of_folder(folder: Path) -> tuple[Path, ...]:
    files = sorted(file for file in folder.iterdir() if _is_weight(file))
    safe = [file for file in files if file.suffix == ".safetensors"] or files
    standard = [file for file in safe if SHARDED.sub(r"\g<stem>", file.stem) in STANDARD_STEMS]
    chosen = standard or safe
    indexed = _indexed(folder, (f"{stem}.safetensors.index.json" for stem in STANDARD_STEMS))
    if indexed:
        return indexed
    if chosen and SHARDED.fullmatch(chosen[0].name):
        return _siblings(chosen[0])
    if len(chosen) == 1:
        return (chosen[0],)
    if not chosen:
        raise CheckpointError(
            f"{folder}: the folder holds no weights ('*.safetensors'). Choose the folder that "
            "holds the model's files, or download them into it."
        )
    raise CheckpointError(
        f"{folder}: the folder holds {len(chosen)} models ({', '.join(f.name for f in chosen[:5])}"
        f"{', …' if len(chosen) > 5 else ''}). Choose one of these files."
    )


def _siblings(file: Path) -> tuple[Path, ...]:
    """A file alone, or all the shards that its name counts."""
    match = SHARDED.fullmatch(file.name)
    if match is None:
        return (file,)
    count = int(match["count"])
    shards = [
        file.with_name(f"{match['stem']}-{number:05d}-of-{count:05d}.safetensors")
        for number in range(1, count + 1)
    ]
    return _present(shards)


def _indexed(folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """The files that an index in this folder lists, if there is one."""
    for name in names:
        index = folder / name
        if os.path.isfile(index):
            return _present([folder / file for file in _files_in(index)])
    return ()


def _files_in(index: Path) -> list[str]:
    """The names of files, without folders, that an index lists."""
    try:
        content = read_json(index)
        stored = content["weight_map"] if isinstance(content, dict) else None
        if not isinstance(stored, dict) or not all(isinstance(v, str) for v in stored.values()):
            raise ValueError(f"its weight_map is {quoted(stored)}")
        files = sorted({Path(file).name for file in stored.values()})
        if not files or not all(SHARD_NAME.fullmatch(file) for file in files):
            raise ValueError("it names no files of weights")
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{index}: this is not an index of shards ({error!r}). Download it again."
        ) from error
    return files


def _present(shards: list[Path]) -> tuple[Path, ...]:
    missing = [shard.name for shard in shards if not os.path.isfile(shard)]
    if missing:
        raise CheckpointError(
            f"{shards[0].parent}: {len(missing)} of {len(shards)} files of this model are missing "
            f"({', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}). Download them beside "
            "the others."
        )
    return tuple(shards)


def _config(path: Path, files: tuple[Path, ...]) -> dict[str, Any]:
    """config.json inside a GGUF file, or of the folder, when the folder is the model's own.

    In a folder of single files (models/diffusion_models) it may belong to another model.
    """
    if files[0].suffix == gguf.SUFFIX:
        return gguf.read_config(files[0])
    is_model_folder = (
        os.path.isdir(path)
        or SHARDED.sub(r"\g<stem>", files[0].name).split(".")[0] in STANDARD_STEMS
    )
    file = files[0].with_name("config.json")
    return _read_config(file) if is_model_folder and os.path.isfile(file) else {}


def config_beside(file: Path) -> dict[str, Any]:
    """`<file>.config.json` beside a single file of a diffusion model, for sizes that its weights
    do not tell; empty where there is none.

    Raises:
        CheckpointError: it holds no table.
    """
    path = file.with_name(f"{file.stem}.config.json")
    return _read_config(path) if os.path.isfile(path) else {}


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = read_json(file)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{file}: this is not a JSON file ({error}). Download it again."
        ) from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{file}: this is {quoted(config)}, not a table. Download it again.")
    return config


TOKENIZER_NAME = "tokenizer.json"


def tokenizer_file(checkpoint: Checkpoint, kind: Kind) -> Path | None:
    """The tokenizer of a text encoder or language model, or None: single files carry none, and
    the host then takes its own.

    Looked for in this order: `<file>.tokenizer.json` beside the file; `tokenizer.json` in its
    folder when the folder is the model's own; in diffusers' sibling folder `tokenizer`.

    Raises:
        CheckpointError: the checkpoint holds no such model.
    """
    file = checkpoint.part(kind).files[0]
    candidates = [file.with_name(f"{file.stem}.{TOKENIZER_NAME}")]
    if file.name.split(".")[0].split("-")[0] in STANDARD_STEMS:
        candidates += [
            file.with_name(TOKENIZER_NAME),
            file.parent.parent / "tokenizer" / TOKENIZER_NAME,
        ]
    return next((path for path in candidates if os.path.isfile(path)), None)

"""Checkpoints, their companions and tokenizers, found by the names that people use.

Official releases are folders in `checkpoints`; Comfy-Org's are single files in the folders of a
ComfyUI. Names are compared without their separators, so "acestep-v15-turbo" also finds
"acestep_v1.5_turbo.safetensors". Only headers are read.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ..errors import CheckpointError
from ..parsing import quoted
from ..texts import home_path, shown
from ..tokens import SOURCES, FolderTokenizer, holds_tokenizer, load_tokenizer
from ..weights import Checkpoint, Kind, inspect, tokenizer_file

FOLDERS: Final = (
    "",
    "checkpoints",
    "models",
    "diffusion_models",
    "text_encoders",
    "vae",
    "models/checkpoints",
    "models/diffusion_models",
    "models/text_encoders",
    "models/vae",
)
COMPANIONS: Final = {  # what a part is called: the official folder, the single file
    Kind.VAE: ("vae", "ace_1.5_vae*.safetensors"),
    Kind.TEXT_ENCODER: ("Qwen3-Embedding-0.6B", "qwen_0.6b_ace15*.safetensors"),
}
COMFYUI_TOKENIZER: Final = Path("comfy", "text_encoders", "qwen25_tokenizer")
MOST_FOLDERS: Final = 200  # of a root that are looked into
LEVELS: Final = 3  # from models/text_encoders/<folder> up to the ComfyUI
IGNORED_IN_NAMES: Final = r"v(?=1\.?5)|\.(safetensors|gguf)$|[-_.](bf16|fp16|fp32|aio)(?=\.|$)"


def find_model(root: str | Path, name: str, kind: Kind) -> Checkpoint:
    """The checkpoint called `name`, or at the path `name`, below `root`.

    Raises:
        CheckpointError: none is there, or it holds no such model.
    """
    root = home_path(root)
    exact = [path for path in _exact(root, name) if os.path.exists(path)]
    alike = [path for path in _entries(root) if _plain(path.name) == _plain(name)]
    sized = [path for path in _entries(root) if kind is Kind.LM and _same_lm(path, name)]
    for path in [*exact, *alike, *sized]:
        checkpoint = inspect(path)
        checkpoint.part(kind)
        return checkpoint
    raise CheckpointError(
        f"No {kind.value} called {quoted(name)} is below {shown(root.absolute())}. Download it to "
        f"{shown(root / 'checkpoints' / Path(name).name)}, or give the path of its folder or file."
        f"{_offered(root, kind)}"
    )


def find_companion(model: Checkpoint, root: str | Path, kind: Kind) -> Checkpoint:
    """The VAE or text encoder that goes with a diffusion model: in its own file or folder, beside
    it, or below `root`.

    Raises:
        CheckpointError: none is there.
    """
    if kind in model.kinds:
        return model
    folder, pattern = COMPANIONS[kind]
    base = model.path.parent
    roots = (base, base.parent, home_path(root))
    for path in _companions(roots, folder, pattern):
        if os.path.isdir(path) and not os.path.isfile(path / "config.json"):
            continue  # a tokenizer alone
        checkpoint = inspect(path)
        if kind in checkpoint.kinds:
            return checkpoint
    raise CheckpointError(
        f"No {kind.value} is beside {model.path} or below {Path(root).absolute()}. Put the "
        f"official folder {folder!r} beside it, or {pattern.replace('*', '')!r} into "
        f"models/{'vae' if kind is Kind.VAE else 'text_encoders'}."
    )


def find_tokenizer(
    model: Checkpoint, kind: Kind, root: str | Path, given: str | Path | None = None
) -> FolderTokenizer:
    """The tokenizer of a checkpoint: the one at `given`, else its own, else one of an official
    folder beside it or below `root`, of the ComfyUI around either, or beside the file.

    Raises:
        CheckpointError: there is none, or it is broken.
    """
    if given is not None:
        return load_tokenizer(home_path(given))
    own = tokenizer_file(model, kind)
    if own is not None:
        return load_tokenizer(own)
    base, root = model.path.parent.absolute(), home_path(root).absolute()
    roots = tuple(dict.fromkeys((base, base.parent, root)))
    official = _companions(roots, COMPANIONS[Kind.TEXT_ENCODER][0], "*5Hz-lm*")
    shared = [*_comfyui_tokenizers(base), *_comfyui_tokenizers(root)]
    for folder in [*official, *dict.fromkeys(shared), base]:
        if holds_tokenizer(folder):
            return load_tokenizer(folder)
    raise CheckpointError(
        f"{model.path} comes without a tokenizer, and none is in the official folders below "
        f"{', '.join(map(str, roots))}, nor in {', '.join(map(str, dict.fromkeys(shared)))}. Put "
        "one beside the model, or give its path: --tokenizer on the command line, `tokenizer` in "
        f"Python. {SOURCES}"
    )


def _comfyui_tokenizers(folder: Path) -> list[Path]:
    """Where a ComfyUI at `folder`, or with `folder` in its tree of models, has the tokenizer."""
    real = Path(os.path.realpath(folder))  # of a loop of links it is the folder itself
    above = [folder, *folder.parents[:LEVELS], real, *real.parents[:LEVELS]]
    return [each / COMFYUI_TOKENIZER for each in dict.fromkeys(above)]


def _exact(root: Path, name: str) -> list[Path]:
    path = home_path(name)
    return [path] if path.is_absolute() else [*(root / f / name for f in FOLDERS), path]


def _entries(root: Path) -> Iterator[Path]:
    """Candidates for checkpoints, in the order of the search: those of `root`, then those of the
    folders in it, for a ComfyUI or a project one level deeper."""
    below = (
        sorted(path for path in root.iterdir() if os.path.isdir(path))
        if os.path.isdir(root)
        else []
    )
    paths = [base / folder for base in (root, *below[:MOST_FOLDERS]) for folder in FOLDERS]
    for path in dict.fromkeys(paths):
        if os.path.isdir(path):
            yield from (p for p in sorted(path.iterdir()) if os.path.isdir(p) or _is_file(p))


def _is_file(path: Path) -> bool:
    return path.suffix in (".safetensors", ".gguf")


def _plain(name: str) -> str:
    """A name without separators, the v of versions, suffix and dtype."""
    return re.sub(r"[^a-z0-9]", "", re.sub(IGNORED_IN_NAMES, "", Path(name).name.lower()))


def _same_lm(path: Path, name: str) -> bool:
    """Whether a single file is the language model of the size that `name` says."""
    size = re.search(r"(0\.6|1\.7|4)b", name.lower())
    if size is None or "lm" not in name.lower() or not _is_file(path):
        return False
    return re.match(rf"qwen_{re.escape(size[0])}_ace15", path.name.lower()) is not None


def _companions(roots: Iterable[Path], folder: str, pattern: str) -> Iterator[Path]:
    for root in roots:
        for parent in FOLDERS:
            if os.path.isdir(root / parent / folder):
                yield root / parent / folder
            yield from sorted((root / parent).glob(pattern))
            yield from sorted((root / parent).glob(f"{folder}-*.gguf"))


def _offered(root: Path, kind: Kind) -> str:
    """A sentence with the names that exist."""
    found = []
    for path in _entries(root):
        if path.name in FOLDERS:
            continue
        try:
            kinds = inspect(path).kinds
        except CheckpointError:
            continue  # another program's folder
        if kind in kinds:
            found.append(path.name)
    return f" There are: {', '.join(dict.fromkeys(found))}." if found else ""

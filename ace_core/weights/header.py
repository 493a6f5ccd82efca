"""Names, shapes and dtypes of a weight file from its header alone: no tensor is read.

A safetensors file is 8 bytes of header length, the header as JSON, then the numbers. All that can
be wrong with it is found here, so that a broken download is refused before any work.
"""

import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from ..errors import CheckpointError
from .checkpoint import Entry

LONGEST_HEADER: Final = 100_000_000  # bytes; the format's own limit
PICKLED: Final = (".pt", ".pth", ".bin", ".ckpt")
_SMALL: Final = torch.uint8  # for formats that this torch has no name for
DTYPES: Final[Mapping[str, tuple[torch.dtype, int]]] = {  # and how many bits a number takes
    "F64": (torch.float64, 64),
    "F32": (torch.float32, 32),
    "F16": (torch.float16, 16),
    "BF16": (torch.bfloat16, 16),
    "F8_E4M3": (torch.float8_e4m3fn, 8),
    "F8_E5M2": (torch.float8_e5m2, 8),
    "F8_E4M3FNUZ": (torch.float8_e4m3fnuz, 8),
    "F8_E5M2FNUZ": (torch.float8_e5m2fnuz, 8),
    "F8_E8M0": (getattr(torch, "float8_e8m0fnu", _SMALL), 8),
    "F6_E2M3": (_SMALL, 6),
    "F6_E3M2": (_SMALL, 6),
    "F4": (getattr(torch, "float4_e2m1fn_x2", _SMALL), 4),
    "I64": (torch.int64, 64),
    "I32": (torch.int32, 32),
    "I16": (torch.int16, 16),
    "I8": (torch.int8, 8),
    "U64": (torch.uint64, 64),
    "U32": (torch.uint32, 32),
    "U16": (torch.uint16, 16),
    "U8": (torch.uint8, 8),
    "BOOL": (torch.bool, 8),
    "C64": (torch.complex64, 64),
}


def read_header(path: Path) -> dict[str, Entry]:
    """Every tensor of a weight file, by its key.

    Raises:
        CheckpointError: the file is missing, unreadable, cut short or of another format.
    """
    if not path.is_file():
        raise CheckpointError(
            f"{path}: there is no such file. Check the name, or download it to that place."
        )
    if path.suffix in PICKLED:
        return _pickled(path)
    header, room = _parsed(path)
    header.pop("__metadata__", None)
    return {key: _entry(path, key, facts, room) for key, facts in header.items()}


def read_notes(path: Path) -> dict[str, str]:
    """What whoever saved a safetensors file wrote into its header beside the tensors."""
    if path.suffix in PICKLED:
        return {}
    notes = _parsed(path)[0].get("__metadata__")
    return notes if isinstance(notes, dict) else {}


def _parsed(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and how many bytes of numbers follow it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8:
            raise CheckpointError(_not_safetensors(path, f"it has only {size} bytes"))
        if length > LONGEST_HEADER or file.read(1) not in (b"{", b""):
            raise CheckpointError(_not_safetensors(path, _guess(path)))
        if 8 + length > size:
            raise CheckpointError(
                f"{path}: the file is cut short: its header alone has {length} bytes, but the file "
                f"has {size}. Download it again."
            )
        file.seek(8)
        text = file.read(length)
    try:
        header = json.loads(text)
    except ValueError:  # covers JSON and UTF-8
        raise CheckpointError(_not_safetensors(path, _guess(path))) from None
    if not isinstance(header, dict):
        raise CheckpointError(_not_safetensors(path, "its header is not a table of tensors"))
    return header, size - 8 - length


def _entry(path: Path, key: str, facts: Any, room: int) -> Entry:
    try:
        shape = tuple(int(size) for size in facts["shape"])
        begin, end = facts["data_offsets"]
        name = facts["dtype"]
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(_not_safetensors(path, f"its entry {key!r} is malformed")) from None
    if not 0 <= begin <= end:
        raise CheckpointError(_not_safetensors(path, f"its entry {key!r} is malformed"))
    if end > room:
        raise CheckpointError(
            f"{path}: the file is cut short: tensor {key!r} ends at byte {end} of the data, but "
            f"only {room} bytes are there. Download it again."
        )
    if name not in DTYPES:
        raise CheckpointError(
            f"{path}: tensor {key!r} has dtype {name}, which is not supported. Choose a file in "
            "BF16, F16, F32 or F8."
        )
    dtype, bits = DTYPES[name]
    if 8 * (end - begin) != math.prod(shape) * bits:
        raise CheckpointError(
            f"{path}: tensor {key!r} has shape {list(shape)} in {name} but {end - begin} bytes. "
            "The file is damaged: download it again."
        )
    return Entry(path, key, shape, dtype)


def _not_safetensors(path: Path, found: str) -> str:
    return (
        f"{path}: this is not a safetensors file: {found}. Choose a '.safetensors' file, or "
        "download it again if its name already ends so."
    )


def _guess(path: Path) -> str:
    """What the first bytes look like."""
    with path.open("rb") as file:
        start = file.read(16)
    for mark, meaning in (
        (b"GGUF", "it is a GGUF file"),
        (b"PK", "it is a zip archive or a PyTorch file"),
        (b"<", "it is a web page, as a failed download leaves behind"),
        (b"version https", "it is a Git LFS pointer; the weights themselves were not fetched"),
    ):
        if start.startswith(mark):
            return meaning
    return f"it begins with {start[:8]!r}"


def _pickled(path: Path) -> dict[str, Entry]:
    return {
        key: Entry(path, key, tuple(tensor.shape), tensor.dtype)
        for key, tensor in pickled_tensors(path).items()
    }


def pickled_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a PyTorch file, memory-mapped; nothing in it is executed.

    A file that is a single tensor answers under the empty key.

    Raises:
        CheckpointError: the file is not one that can be opened safely.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{path}: this PyTorch file cannot be opened safely ({str(error).splitlines()[0]}). "
            "Choose a '.safetensors' file."
        ) from error
    if isinstance(content, torch.Tensor):
        return {"": content}
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise CheckpointError(
            f"{path}: the file holds a {type(content).__name__}, not a table of tensors. Choose a "
            "'.safetensors' file."
        )
    return {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}

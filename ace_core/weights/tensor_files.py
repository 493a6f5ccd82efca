"""Weight files: their headers, their tensors memory-mapped, and the check for NaN and infinity.

A safetensors file is 8 bytes of header length, the header as JSON, then the data. Faults of a
header are found before any tensor is read. Tensors have the file's dtype, are not copied, and are
read once for the check: a floating-point tensor is finite when its minimum and maximum are (a NaN
makes both NaN); the one-byte formats have no such reduction and are checked as bytes.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import CheckpointError
from ..parsing import LARGEST_JSON, parse_json, quoted
from ..texts import shown
from . import gguf
from .checkpoint import Checkpoint, Entry, Kind
from .oobleck import from_stable_audio

LONGEST_HEADER: Final = LARGEST_JSON  # bytes; the format's own limit
LONGEST_KEY: Final = 500  # characters; messages repeat keys
MOST_SIZES: Final = 8  # of a shape
MOST_ELEMENTS: Final = 2**62  # so that the strides of any shape are 64-bit numbers
PICKLED: Final = (".pt", ".pth", ".bin", ".ckpt")
_SMALL: Final = torch.uint8  # for formats that torch does not have
DTYPES: Final[Mapping[str, tuple[torch.dtype, int]]] = {  # and bits per number
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
    if not os.path.isfile(path):
        raise CheckpointError(
            f"{shown(path)}: there is no such file. Check the name, or download it to that place."
        )
    if path.suffix in PICKLED:
        return _pickled(path)
    if path.suffix == gguf.SUFFIX:
        return gguf.read_entries(path)
    header, data_bytes = _parsed(path)
    _metadata(path, header.pop("__metadata__", None))
    return {key: _entry(path, key, facts, data_bytes) for key, facts in header.items()}


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata in the header of a safetensors file, beside the tensors."""
    if path.suffix in (*PICKLED, gguf.SUFFIX):
        return {}
    return _metadata(path, _parsed(path)[0].get("__metadata__"))


def _metadata(path: Path, found: Any) -> dict[str, str]:
    metadata = {} if found is None else found
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise CheckpointError(_not_safetensors(path, "its metadata is not a table of texts"))
    return metadata


def _parsed(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and the bytes of data after it."""
    try:
        return _parsed_header(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    lines = str(error).splitlines() or [type(error).__name__]
    return CheckpointError(
        f"{path}: the file cannot be read ({lines[0][:200]}). Check that it may be read, or "
        "download it again."
    )


def _parsed_header(path: Path) -> tuple[dict[str, Any], int]:
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
        header = parse_json(text, unique=True)
    except ValueError as error:
        found = f"its header is faulty: {error}" if text[:1] == b"{" else _guess(path)
        raise CheckpointError(_not_safetensors(path, found)) from None
    if not isinstance(header, dict):
        raise CheckpointError(_not_safetensors(path, "its header is not a table of tensors"))
    return header, size - 8 - length


def _entry(path: Path, key: str, facts: Any, data_bytes: int) -> Entry:
    facts = facts if isinstance(facts, dict) else {}
    name, shape = facts.get("dtype"), _whole_numbers(facts.get("shape"), MOST_SIZES)
    offsets = _whole_numbers(facts.get("data_offsets"), 2)
    if (
        len(key) > LONGEST_KEY
        or not isinstance(name, str)
        or shape is None
        or math.prod(size for size in shape if size) > MOST_ELEMENTS
        or offsets is None
        or len(offsets) != 2
        or offsets[0] > offsets[1]
    ):
        found = f"its entry {quoted(key)} is malformed ({quoted(facts)})"
        raise CheckpointError(_not_safetensors(path, found))
    begin, end = offsets
    if end > data_bytes:
        raise CheckpointError(
            f"{path}: the file is cut short: tensor {quoted(key)} ends at byte {end} of the data, "
            f"but only {data_bytes} bytes are there. Download it again."
        )
    if name not in DTYPES:
        raise CheckpointError(
            f"{path}: tensor {quoted(key)} has dtype {name[:20]}, which is not supported. Choose a "
            "file in BF16, F16, F32 or F8."
        )
    dtype, bits = DTYPES[name]
    if 8 * (end - begin) != math.prod(shape) * bits:
        raise CheckpointError(
            f"{path}: tensor {quoted(key)} has shape {list(shape)} in {name} but {end - begin} "
            "bytes. The file is damaged: download it again."
        )
    return Entry(path, key, shape, dtype)


def _whole_numbers(found: Any, most: int) -> tuple[int, ...] | None:
    """`found` where it is a list of at most `most` whole numbers from 0."""
    if not isinstance(found, list) or len(found) > most:
        return None
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in found):
        return None
    return tuple(found)


def _not_safetensors(path: Path, found: str) -> str:
    return (
        f"{path}: this is not a safetensors file: {found}. Choose a '.safetensors' file, or "
        "download it again if its name already ends so."
    )


def _guess(path: Path) -> str:
    """What the first bytes of the file suggest."""
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

    A file that is a single tensor has the empty key.

    Raises:
        CheckpointError: the file cannot be opened safely.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a damaged pickle may raise anything
        lines = str(error).splitlines() or [type(error).__name__]
        raise CheckpointError(
            f"{path}: this PyTorch file cannot be opened safely ({lines[0][:200]}). Choose a "
            "'.safetensors' file."
        ) from error
    if isinstance(content, torch.Tensor):
        content = {"": content}
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise CheckpointError(
            f"{path}: the file holds a {type(content).__name__}, not a table of tensors. Choose a "
            "'.safetensors' file."
        )
    tensors = {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}
    size = path.stat().st_size
    odd = [key for key, tensor in tensors.items() if not _is_stored(key, tensor, size)]
    if odd:
        raise CheckpointError(
            f"{path}: its tensor {quoted(odd[0])} is not stored as plain numbers under a name. "
            "Choose a '.safetensors' file."
        )
    return tensors


def _is_stored(key: Any, tensor: Tensor, size: int) -> bool:
    """Whether a tensor of a PyTorch file of `size` bytes lies there number by number: one that is
    sparse, quantised or repeats its numbers may stand for any amount of memory."""
    plain = tensor.layout is torch.strided and not tensor.is_quantized
    return (
        isinstance(key, str)
        and len(key) <= LONGEST_KEY
        and plain
        and tensor.device.type == "cpu"
        and tensor.numel() * tensor.element_size() <= size
    )


def read(checkpoint: Checkpoint, kind: Kind) -> dict[str, Tensor]:
    """The weights of one model of a checkpoint, and no others, by official name.

    A VAE's come with its weight norm folded under diffusers' names, which makes new tensors.

    Raises:
        CheckpointError: the checkpoint holds no such model, or its values are not finite.
    """
    part = checkpoint.part(kind)
    weights: dict[str, Tensor] = {}
    for file in part.files:
        keys = {name: entry.key for name, entry in part.entries.items() if entry.file == file}
        weights.update(read_tensors(file, keys))
    if kind is not Kind.VAE:
        return weights
    try:
        return from_stable_audio(weights)
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error


def read_tensors(file: Path, keys: dict[str, str]) -> dict[str, Tensor]:
    """For each name the tensor under its key, a view into the mapped file unless dequantised.

    Raises:
        CheckpointError: a value is NaN or infinite.
    """
    if file.suffix in PICKLED:
        mapped = pickled_tensors(file)
        tensors = {name: mapped[key] for name, key in keys.items()}
    elif file.suffix == gguf.SUFFIX:
        tensors = gguf.read_stored(file, keys)
    else:
        try:
            with safe_open(file, framework="pt") as opened:
                tensors = {name: opened.get_tensor(key) for name, key in keys.items()}
        except (SafetensorError, OSError, RuntimeError, ValueError, TypeError) as error:
            raise _unreadable(file, error) from error
    check_finite(file, {key: tensors[name] for name, key in keys.items()})
    return tensors


_FOUR_BITS: Final = getattr(torch, "float4_e2m1fn_x2", None)  # all of its values are finite
_CHUNK: Final = 1 << 22  # values that are counted at once


def check_finite(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """`tensors` are those of `file` by its own keys; integers are passed over.

    Raises:
        CheckpointError: some hold NaN or infinite values: how many tensors, and the first by key.
    """
    broken = [key for key, tensor in tensors.items() if not _is_finite(tensor)]
    if broken:
        first = tensors[broken[0]]
        raise CheckpointError(
            f"{file}: {len(broken)} of its {len(tensors)} tensors hold values that are not finite. "
            f"The first is {broken[0]!r} with {_counted(first)} among {first.numel()}. A model "
            "with such weights gives noise or silence. Download the file again; if it was trained "
            "or merged here, take an earlier state of it."
        )


def _is_finite(tensor: Tensor) -> bool:
    if tensor.numel() == 0 or not tensor.is_floating_point() or tensor.dtype is _FOUR_BITS:
        return True
    if tensor.element_size() == 1:
        return _byte_is_finite(tensor)
    least, greatest = torch.aminmax(tensor)
    return bool(torch.isfinite(least) & torch.isfinite(greatest))


def _byte_is_finite(tensor: Tensor) -> bool:
    """`_is_finite` for a one-byte format: no byte is one that stands for NaN or infinity."""
    every = torch.arange(256, dtype=torch.uint8)
    bad = every[~torch.isfinite(every.view(tensor.dtype).float())].to(torch.int16).tolist()
    positive, negative = [b for b in bad if b < 128], [b for b in bad if b >= 128]
    unsigned, signed = tensor.view(torch.uint8), tensor.view(torch.int8)
    if negative == [128]:  # formats whose only NaN is the negative zero
        return int(signed.min()) > -128
    if positive and int(signed.max()) >= positive[0]:
        return False
    return not negative or int(unsigned.max()) < negative[0]


def _counted(tensor: Tensor) -> str:
    """The numbers of NaN and infinite values, for a message."""
    nan = infinite = 0
    for part in tensor.flatten().split(_CHUNK):
        values = part.float() if part.element_size() == 1 else part
        nan += int(torch.isnan(values).sum())
        infinite += int(torch.isinf(values).sum())
    counts = ((nan, "NaN"), (infinite, "infinite"))
    return " and ".join(f"{count} {what}" for count, what in counts if count)

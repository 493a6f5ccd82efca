"""GGUF files, versions 2 and 3, as acestep.cpp's converter writes them: header, config, tensors.

The header is counted and bounded before anything is allocated for it. A file keeps the safetensors
names of its tensors (with `model.` before all of a language model's), its config.json as one text,
and the silence latent of a DiT as a tensor. Sizes are stored with the fastest first and are turned
round here. F64, F32, F16 and BF16 are views into the mapped file. Quantised blocks become bfloat16:
Q8_0 here, the others with the optional package `gguf`.

Source of the format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import importlib
import math
import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..parsing import parse_json, quoted
from .checkpoint import Entry

SUFFIX: Final = ".gguf"
CONFIG_KEY: Final = "acestep.config_json"
ALIGNMENT_KEY: Final = "general.alignment"
LONGEST_NAME: Final = 500  # bytes; messages repeat names
LONGEST_TEXT: Final = 1_000_000  # bytes of a text that is kept; a config has some 3,000
MOST_VALUES: Final = 5_000_000  # texts and arrays of the metadata; a vocabulary has 150,000
MOST_TENSORS: Final = 65_536
DEEPEST: Final = 4  # arrays inside each other
MOST_SIZES: Final = 4  # of a shape
MOST_ELEMENTS: Final = 2**62
BLOCKS_AT_ONCE: Final = 1 << 16  # that are dequantised together, in float32
DEQUANTISED: Final = torch.bfloat16  # the dtype of the models that were quantised

_TEXT: Final = 8
_ARRAY: Final = 9
_SCALARS: Final = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_PLAIN: Final = {
    0: torch.float32,
    1: torch.float16,
    24: torch.int8,
    25: torch.int16,
    26: torch.int32,
    27: torch.int64,
    28: torch.float64,
    30: torch.bfloat16,
}
_Q8_0: Final = 8
_BLOCKS: Final = {  # type: its name, numbers of a block, bytes of a block
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    _Q8_0: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
}


@dataclass(frozen=True, slots=True)
class _Stored:
    """A tensor of the file: its shape as torch has it, its type, and its bytes from the start."""

    shape: tuple[int, ...]
    type: int
    begin: int

    @property
    def dtype(self) -> torch.dtype:
        return _PLAIN.get(self.type, DEQUANTISED)

    @property
    def bytes(self) -> int:
        if self.type in _PLAIN:
            return math.prod(self.shape) * _PLAIN[self.type].itemsize
        _, numbers, size = _BLOCKS[self.type]
        return math.prod(self.shape) // numbers * size


@dataclass(slots=True)
class _Header:
    """What has been read of the header; `at` is the byte that comes next."""

    path: Path
    content: mmap.mmap
    at: int = 0
    values: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, _Stored] = field(default_factory=dict)

    def refuse(self, found: str) -> CheckpointError:
        return CheckpointError(
            f"{self.path}: this GGUF file cannot be read: {found}. Download it again, or convert "
            "the model again."
        )

    def skip(self, size: int) -> int:
        """The place of the next `size` bytes, which are passed over."""
        begin, self.at = self.at, self.at + size
        if self.at > len(self.content):
            raise self.refuse(f"it is cut short, its {len(self.content)} bytes end in the header")
        return begin

    def number(self, code: str) -> Any:
        size = struct.calcsize("<" + code)
        if code == "?":
            return self.content[self.skip(size)] != 0
        return struct.unpack_from("<" + code, self.content, self.skip(size))[0]

    def count(self) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            raise self.refuse(f"its metadata has more than {MOST_VALUES} values")

    def text(self, most: int) -> str:
        length = self.number("Q")
        if length > most:
            raise self.refuse(f"a text of {length} bytes is where at most {most} are allowed")
        begin = self.skip(length)
        try:
            return self.content[begin : begin + length].decode()
        except UnicodeDecodeError:
            raise self.refuse("a text in its header is not UTF-8") from None

    def value(self, kind: int, depth: int = 0) -> Any:
        """A number, a text, or None for an array, which is passed over."""
        self.count()
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == _TEXT:
            return self.text(LONGEST_TEXT)
        if kind != _ARRAY or depth == DEEPEST:
            raise self.refuse(f"its metadata has a value of kind {kind} at depth {depth}")
        inner, length = self.number("I"), self.number("Q")
        if inner in _SCALARS:
            self.skip(length * struct.calcsize("<" + _SCALARS[inner]))
            return None
        for _ in range(length):
            self.value(inner, depth + 1)
        return None


def read_entries(path: Path) -> dict[str, Entry]:
    """Every tensor of a GGUF file, by its key; a quantised one with the dtype that it is read in.

    Raises:
        CheckpointError: the file is unreadable, cut short or malformed, or has a type that is
            not supported.
    """
    tensors = _parsed(path).tensors
    return {key: Entry(path, key, each.shape, each.dtype) for key, each in tensors.items()}


def read_config(path: Path) -> dict[str, Any]:
    """The config.json that was stored in a GGUF file, empty where none was.

    Raises:
        CheckpointError: as `read_entries`, or the config is not a table in JSON.
    """
    header = _parsed(path)
    if CONFIG_KEY not in header.metadata:
        return {}
    text = header.metadata[CONFIG_KEY]
    try:
        config = parse_json(text) if isinstance(text, str) else None
    except ValueError as error:
        raise header.refuse(f"its {CONFIG_KEY} is not JSON ({error})") from None
    if not isinstance(config, dict):
        raise header.refuse(f"its {CONFIG_KEY} is {quoted(config)}, not a table")
    return config


def read_stored(path: Path, keys: dict[str, str]) -> dict[str, Tensor]:
    """For each name the tensor under its key: a view into the mapped file, or dequantised.

    Raises:
        CheckpointError: as `read_entries`; a block needs the package `gguf`, which is missing.
    """
    header = _parsed(path)
    stored = {name: header.tensors[key] for name, key in keys.items()}
    for kind in sorted({each.type for each in stored.values()} - set(_PLAIN)):
        _decoder(path, kind)  # refused before any tensor is read
    try:
        mapped = torch.from_file(str(path), False, path.stat().st_size, dtype=torch.uint8)
    except (OSError, RuntimeError, ValueError) as error:
        raise header.refuse(f"it cannot be mapped ({quoted(str(error))})") from error
    return {name: _tensor(path, mapped, each) for name, each in stored.items()}


def _tensor(path: Path, mapped: Tensor, stored: _Stored) -> Tensor:
    raw = mapped[stored.begin : stored.begin + stored.bytes]
    if stored.type in _PLAIN:
        return raw.view(stored.dtype).view(stored.shape)
    _, numbers, size = _BLOCKS[stored.type]
    decode, blocks = _decoder(path, stored.type), raw.view(len(raw) // size, size)
    values = torch.empty(len(blocks), numbers, dtype=DEQUANTISED)
    for begin in range(0, len(blocks), BLOCKS_AT_ONCE):
        part = slice(begin, begin + BLOCKS_AT_ONCE)
        values[part] = decode(blocks[part])
    return values.view(stored.shape)


def _from_q8_0(blocks: Tensor) -> Tensor:
    """float32 [N, 32] of blocks [N, 34]: a scale in float16, then 32 numbers in int8."""
    scale = blocks[:, :2].contiguous().view(torch.float16).float()
    return scale * blocks[:, 2:].view(torch.int8).float()


def _decoder(path: Path, kind: int) -> Callable[[Tensor], Tensor]:
    """Blocks [N, bytes] -> numbers [N, numbers of a block] in float32."""
    if kind == _Q8_0:
        return _from_q8_0
    try:
        package, quants = importlib.import_module("gguf"), importlib.import_module("gguf.quants")
    except ImportError as error:
        raise CheckpointError(
            f"{path}: its tensors in {_BLOCKS[kind][0]} are read with the package 'gguf', which is "
            f"not installed ({error}). Run `pip install gguf`, or choose the file in Q8_0 or BF16."
        ) from error
    named = package.GGMLQuantizationType(kind)
    return lambda blocks: torch.from_numpy(quants.dequantize(blocks.numpy(), named))


def _parsed(path: Path) -> _Header:
    try:
        if path.stat().st_size < 24:
            raise CheckpointError(f"{path}: this is not a GGUF file: it is too short for one.")
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            header = _Header(path, content)
            _read_header(header)
            return header
    except OSError as error:
        raise CheckpointError(
            f"{path}: the file cannot be read ({quoted(str(error))}). Check that it may be read."
        ) from error


def _read_header(header: _Header) -> None:
    begin = header.skip(4)
    magic, version = header.content[begin : header.at], header.number("I")
    if magic != b"GGUF" or version not in (2, 3):
        raise header.refuse(f"it begins with {magic!r}, version {version}, not with GGUF, 2 or 3")
    tensors, pairs = header.number("Q"), header.number("Q")
    if tensors > MOST_TENSORS:
        raise header.refuse(f"it counts {tensors} tensors, more than {MOST_TENSORS}")
    for _ in range(pairs):
        key = header.text(LONGEST_NAME)
        value = header.value(header.number("I"))
        if key in (CONFIG_KEY, ALIGNMENT_KEY):
            header.metadata[key] = value
    alignment = header.metadata.get(ALIGNMENT_KEY, 32)
    if not isinstance(alignment, int) or alignment < 8 or alignment % 8 or alignment > 1 << 20:
        raise header.refuse(f"its alignment is {quoted(alignment)}, not a multiple of 8")
    found = [_read_tensor(header, alignment) for _ in range(tensors)]
    data = -(-header.at // alignment) * alignment
    for key, (shape, kind, offset) in found:
        stored = _Stored(shape, kind, data + offset)
        if key in header.tensors:
            raise header.refuse(f"it has two tensors named {quoted(key)}")
        if stored.begin + stored.bytes > len(header.content):
            raise header.refuse(
                f"it is cut short, tensor {quoted(key)} ends at byte {stored.begin + stored.bytes} "
                f"but the file has {len(header.content)}"
            )
        header.tensors[key] = stored


def _read_tensor(header: _Header, alignment: int) -> tuple[str, tuple[tuple[int, ...], int, int]]:
    """The name of a tensor, and its shape, type and offset in the data."""
    key, count = header.text(LONGEST_NAME), header.number("I")
    if count > MOST_SIZES:
        raise header.refuse(f"tensor {quoted(key)} has {count} dimensions, more than {MOST_SIZES}")
    sizes = tuple(header.number("Q") for _ in range(count))
    kind, offset = header.number("I"), header.number("Q")
    if math.prod(size for size in sizes if size) > MOST_ELEMENTS:
        raise header.refuse(f"tensor {quoted(key)} has the sizes {list(sizes)}")
    if offset % alignment:
        raise header.refuse(f"tensor {quoted(key)} is at {offset}, no multiple of {alignment}")
    if kind not in _PLAIN and kind not in _BLOCKS:
        raise header.refuse(f"tensor {quoted(key)} has type {kind}, which is not supported")
    if kind in _BLOCKS and (not sizes or sizes[0] % _BLOCKS[kind][1]):
        name, numbers, _ = _BLOCKS[kind]
        raise header.refuse(f"rows of {quoted(key)} in {name} are no multiple of {numbers} long")
    return key, (sizes[::-1], kind, offset)

"""Miniature GGUF files, written from the format's document, for tests of the reader."""

import struct
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

PLAIN: Final = {0: torch.float32, 1: torch.float16, 28: torch.float64, 30: torch.bfloat16}
ALIGNMENT: Final = 32


def gguf(
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, Any] | None = None,
    kinds: Mapping[str, str] | None = None,
    as_type: int | None = None,
    version: int = 3,
) -> bytes:
    """A whole file; `kinds` says which tensors are stored as Q8_0, `as_type` what all claim to be
    whatever they are."""
    metadata, kinds = metadata or {}, kinds or {}
    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        header += _text(key) + _value(value)
    data = b""
    for key, tensor in tensors.items():
        kind, content = _content(tensor, kinds.get(key))
        sizes = tuple(tensor.shape)[::-1]
        header += _text(key) + struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
        header += struct.pack("<IQ", kind if as_type is None else as_type, len(data))
        data += content + bytes(-len(content) % ALIGNMENT)
    return header + bytes(-len(header) % ALIGNMENT) + data


def to_q8_0(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Scales [N, 1] in float16 and numbers [N, 32] in int8."""
    rows = tensor.float().reshape(tensor.numel() // 32, 32)
    scale = (rows.abs().amax(1, keepdim=True) / 127).half()
    whole = torch.where(scale > 0, rows / scale.float(), torch.zeros(()))
    return scale, whole.round().clamp(-127, 127).to(torch.int8)


def _content(tensor: Tensor, kind: str | None) -> tuple[int, bytes]:
    if kind == "Q8_0" and tensor.numel() == 0:
        return 8, b""
    if kind == "Q8_0":
        scale, numbers = to_q8_0(tensor)
        return 8, _bytes(torch.cat([scale.view(torch.uint8), numbers.view(torch.uint8)], dim=1))
    return next(n for n, dtype in PLAIN.items() if dtype is tensor.dtype), _bytes(tensor)


def _bytes(tensor: Tensor) -> bytes:
    flat = tensor.contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: Any) -> bytes:
    """The kind and the value; lists are arrays of texts."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, list):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    return struct.pack("<II", 4, value)

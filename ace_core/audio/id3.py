"""ID3v2.4, the little of it that carries text: one frame a field, UTF-8. Bytes in, bytes out.

Values end in a zero byte, because ComfyUI's page looks for `workflow`, zero, JSON, zero.
Source: id3.org, "ID3 tag version 2.4.0", main structure and native frames.
"""

from collections.abc import Mapping
from typing import Final

HEADER: Final = 10  # bytes of a tag's header, and of a frame's
UTF8: Final = b"\x03"
OWN_FRAMES: Final = {"title": b"TIT2", "artist": b"TPE1", "bpm": b"TBPM"}  # else TXXX
OWN_FIELDS: Final = {frame: field for field, frame in OWN_FRAMES.items()}


def pack(fields: Mapping[str, str]) -> bytes:
    """A whole tag; nothing for no fields."""
    if not fields:
        return b""
    frames = b"".join(_frame(field, text) for field, text in fields.items())
    return b"ID3\x04\x00\x00" + _syncsafe(len(frames)) + frames


def unpack(tag: bytes) -> dict[str, str]:
    """The fields of a tag that `pack` wrote; frames of other kinds are passed over."""
    fields: dict[str, str] = {}
    place, end = HEADER, tag_length(tag)
    while place + HEADER <= end and tag[place] != 0:  # zeros are padding
        name = tag[place : place + 4]
        size = _plain(tag[place + 4 : place + 8])
        body = tag[place + HEADER : place + HEADER + size]
        place += HEADER + size
        if body[:1] != UTF8:
            continue
        parts = body[1:].removesuffix(b"\0").decode("utf-8").split("\0", 1)
        if name == b"TXXX" and len(parts) == 2:
            fields[parts[0]] = parts[1]
        elif name in OWN_FIELDS:
            fields[OWN_FIELDS[name]] = parts[0]
    return fields


def tag_length(start: bytes) -> int:
    """Bytes of the tag at the start of a file, 0 where there is none. Ten bytes are enough."""
    return HEADER + _plain(start[6:HEADER]) if start[:3] == b"ID3" else 0


def _frame(field: str, text: str) -> bytes:
    own = OWN_FRAMES.get(field)
    described = b"" if own else field.encode("utf-8") + b"\0"
    body = UTF8 + described + text.encode("utf-8") + b"\0"
    return (own or b"TXXX") + _syncsafe(len(body)) + b"\0\0" + body


def _syncsafe(size: int) -> bytes:
    """28 bits in four bytes with the high bit clear, so that no size looks like audio."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _plain(size: bytes) -> int:
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))

"""Text inside audio files: FLAC's Vorbis comment, and ID3 in MP3 and WAV.

The audio itself is copied byte for byte. ComfyUI's page finds `workflow` and `prompt` in FLAC and
MP3 when a file is dropped on its canvas (it reads no WAV); it takes one byte for one character,
so the JSON of these two is written in ASCII, which changes nothing in what it says.
Source: xiph.org, "FLAC format" and "Vorbis comment"; Microsoft's RIFF.
"""

import re
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from ..errors import InvalidAudioError, SaveError
from . import id3

GRAPHS: Final = ("workflow", "prompt")  # fields that hold JSON for ComfyUI
VENDOR: Final = b"acestep15"
LARGEST: Final = 2**24 - 1  # bytes of a FLAC block; ID3 has room for more
VORBIS_COMMENT: Final = 4  # FLAC block type
LAST_BLOCK: Final = 0x80
TIMED_CHUNK: Final = b"PEAK"  # of float WAVs: holds the hour of writing, and nobody reads it


def write(source: BinaryIO, target: BinaryIO, tags: Mapping[str, str]) -> None:
    """Copy the audio file `source` (from its start) to `target` with `tags` in place of its own.

    Raises:
        SaveError: a tag's name cannot be written, or the tags are too large.
    """
    _check(tags)
    fields = {name: _ascii(text) if name in GRAPHS else text for name, text in tags.items()}
    _copier(source)(source, target, fields)


def read(path: Path) -> dict[str, str]:
    """The tags of a FLAC, MP3 or WAV file that this project wrote.

    Raises:
        InvalidAudioError: it is none of these.
    """
    with path.open("rb") as file:
        start = file.read(12)
        file.seek(0)
        if start[:4] == b"fLaC":
            comments = [body for kind, body in _flac_blocks(file) if kind == VORBIS_COMMENT]
            return _uncomment(comments[0]) if comments else {}
        if start[:4] == b"RIFF":
            tagged = [file.read(size) for name, size in _wav_chunks(file) if name == b"id3 "]
            return id3.unpack(tagged[0]) if tagged else {}
        if _is_mp3(start):
            return id3.unpack(file.read(id3.tag_length(start))) if start[:3] == b"ID3" else {}
    raise InvalidAudioError(
        f"{path.name} is not a FLAC, MP3 or WAV file, so it has no tags to read."
    )


def _copier(source: BinaryIO) -> Callable[[BinaryIO, BinaryIO, Mapping[str, str]], None]:
    source.seek(0)
    known = {b"fLaC": _copy_flac, b"RIFF": _copy_wav}
    return known.get(source.read(4), _copy_mp3)


def _is_mp3(start: bytes) -> bool:
    return start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")


def _copy_flac(source: BinaryIO, target: BinaryIO, fields: Mapping[str, str]) -> None:
    blocks = [block for block in _flac_blocks(source) if block[0] != VORBIS_COMMENT]
    blocks.insert(1, (VORBIS_COMMENT, _comment(fields)))  # stream info is always the first
    target.write(b"fLaC")
    for place, (kind, body) in enumerate(blocks):
        last = LAST_BLOCK if place == len(blocks) - 1 else 0
        target.write(struct.pack(">I", (kind | last) << 24 | len(body)) + body)
    shutil.copyfileobj(source, target)


def _flac_blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each metadata block's type and content; leaves `file` at the first frame of audio."""
    file.seek(4)
    head = 0
    while not head & LAST_BLOCK << 24:
        (head,) = struct.unpack(">I", file.read(4))
        yield head >> 24 & 0x7F, file.read(head & 0xFFFFFF)


def _comment(fields: Mapping[str, str]) -> bytes:
    lines = [f"{name}={text}".encode() for name, text in fields.items()]
    return _counted(VENDOR) + struct.pack("<I", len(lines)) + b"".join(map(_counted, lines))


def _counted(part: bytes) -> bytes:
    return struct.pack("<I", len(part)) + part


def _uncomment(body: bytes) -> dict[str, str]:
    parts: list[bytes] = []
    place = 4 + struct.unpack_from("<I", body)[0]
    (count,) = struct.unpack_from("<I", body, place)
    place += 4
    for _ in range(count):
        (size,) = struct.unpack_from("<I", body, place)
        parts.append(body[place + 4 : place + 4 + size])
        place += 4 + size
    return dict(part.decode("utf-8").split("=", 1) for part in parts)


def _copy_mp3(source: BinaryIO, target: BinaryIO, fields: Mapping[str, str]) -> None:
    source.seek(0)
    source.seek(id3.tag_length(source.read(id3.HEADER)))
    target.write(id3.pack(fields))
    shutil.copyfileobj(source, target)


def _copy_wav(source: BinaryIO, target: BinaryIO, fields: Mapping[str, str]) -> None:
    chunks = [(name, source.tell(), size) for name, size in _wav_chunks(source)]
    chunks = [chunk for chunk in chunks if chunk[0] not in (TIMED_CHUNK, b"id3 ")]
    tag = id3.pack(fields)
    own = b"id3 " + _counted(tag) + b"\0" * (len(tag) % 2) if tag else b""
    length = 4 + sum(8 + size + size % 2 for _, _, size in chunks) + len(own)
    target.write(b"RIFF" + struct.pack("<I", length) + b"WAVE")
    for name, place, size in chunks:
        target.write(name + struct.pack("<I", size))
        source.seek(place)
        _copy_bytes(source, target, size)
        target.write(b"\0" * (size % 2))
    target.write(own)


def _wav_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each chunk's name and size, with `file` at its content."""
    place = 12
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, size
        place += 8 + size + size % 2


def _copy_bytes(source: BinaryIO, target: BinaryIO, count: int) -> None:
    while count:
        piece = source.read(min(count, 2**20))
        if not piece:
            raise SaveError("The encoded audio ended early. Save it again.")
        target.write(piece)
        count -= len(piece)


def _check(tags: Mapping[str, str]) -> None:
    for name, text in tags.items():
        if not re.fullmatch(r"[ -<>-}]+", name):
            raise SaveError(
                f"{name!r} cannot be the name of a tag. Use plain letters and digits, without '='."
            )
        if "\0" in text:
            raise SaveError(f"The tag {name!r} has a zero byte in it. Remove it.")
    size = sum(len(name) + 5 + len(_ascii(text)) for name, text in tags.items())
    if size > LARGEST - 64:
        raise SaveError(
            f"The tags have {size} bytes, but an audio file takes {LARGEST - 64}. Save without the "
            "workflow, or a smaller one."
        )


def _ascii(text: str) -> str:
    r"""JSON with every character beyond ASCII as \uXXXX; it means the same."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (units[place] << 8 | units[place + 1] for place in range(0, len(units), 2))
    return (
        text
        if text.isascii()
        else "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
    )

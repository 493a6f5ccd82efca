"""Text in audio files: Vorbis comments in FLAC, ID3v2.4 in MP3 and WAV, and the tags of a song.

The audio itself is copied byte for byte. FFmpeg writes those of Opus and M4A, which are read here.
Fields have the names that players expect (`tag_names`).
ComfyUI's page finds `workflow` and `prompt` in FLAC, MP3 and Ogg when a file is dropped on its
canvas, and web/dropped_files.js in WAV and M4A. It takes one byte for one character, so
the JSON of these two is written in ASCII, which is the same JSON. In ID3 it searches for the text
`workflow`, a zero byte, JSON, a zero byte, so these values end in a zero byte. In Ogg it reads to
the second page of comments, so they come first.
Source: xiph.org, "FLAC format" and "Vorbis comment"; Microsoft's RIFF; id3.org, "ID3 tag version
2.4.0", main structure and native frames.
"""

import json
import re
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final

import av
import av.error

from ..errors import InvalidAudioError, SaveError
from ..texts import shown, text_fault
from ..types import Song
from .tag_names import FROM_ID3, ID3, WITH_LANGUAGE, field_of_vorbis, song_fields, vorbis_name

GRAPHS: Final = ("workflow", "prompt")  # fields that hold JSON for ComfyUI
VENDOR: Final = b"acestep15"
LARGEST: Final = 2**24 - 1  # bytes of a FLAC block; an ID3 tag may be larger
VORBIS_COMMENT: Final = 4  # FLAC block type
LAST_BLOCK: Final = 0x80
MPEG4_BRANDS: Final = ("major_brand", "minor_version", "compatible_brands")  # of every file
TIMED_CHUNK: Final = b"PEAK"  # in float WAVs: holds the time of writing; dropped


def write(source: BinaryIO, target: BinaryIO, tags: Mapping[str, str]) -> None:
    """Copy the audio file `source` (from its start) to `target` with `tags` in place of its own.

    Raises:
        SaveError: a tag's name cannot be written, or the tags are too large.
    """
    check(tags)
    _copier(source)(source, target, fields_of(tags))


def fields_of(tags: Mapping[str, str]) -> dict[str, str]:
    """`tags` as they are written: the graphs first, in ASCII."""
    graphs = {name: _ascii(tags[name]) for name in GRAPHS if name in tags}
    return graphs | {name: text for name, text in tags.items() if name not in GRAPHS}


def comments_of(tags: Mapping[str, str]) -> dict[str, str]:
    """`tags` as Vorbis comments, for FFmpeg, which writes those of Opus."""
    return {vorbis_name(field): text for field, text in fields_of(tags).items()}


def read(path: Path) -> dict[str, str]:
    """The tags of a FLAC, MP3, WAV, Opus or M4A file that this project wrote.

    Raises:
        InvalidAudioError: it is none of these, cannot be read, or its tags are damaged.
    """
    try:
        return _read(path)
    except (OSError, struct.error, ValueError, IndexError, av.error.FFmpegError) as error:
        raise InvalidAudioError(
            f"{path}: its tags cannot be read ({shown(str(error))}). Save the file again."
        ) from error


def _read(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        start = file.read(12)
        file.seek(0)
        if start[:4] == b"fLaC":
            comments = [body for kind, body in _flac_blocks(file) if kind == VORBIS_COMMENT]
            return _unpack_comment(comments[0]) if comments else {}
        if start[:4] == b"RIFF":
            tagged = [file.read(size) for name, size in _wav_chunks(file) if name == b"id3 "]
            return unpack_id3(tagged[0]) if tagged else {}
        if _is_mp3(start):
            return unpack_id3(file.read(id3_length(start))) if start[:3] == b"ID3" else {}
        if start[:4] == b"OggS" or start[4:8] == b"ftyp":
            return _read_by_ffmpeg(file)
    raise InvalidAudioError(
        f"{path.name} is not a FLAC, MP3, WAV, Opus or M4A file, so it has no tags to read."
    )


def _read_by_ffmpeg(file: BinaryIO) -> dict[str, str]:
    """The comments of an Ogg stream, or the metadata of an MPEG-4 file."""
    with av.open(file) as container:
        found = dict(container.metadata)
        for stream in container.streams.audio if "ogg" in container.format.name else ():
            found |= stream.metadata
    if "comment" in found:  # FFmpeg's name of a Vorbis comment "description"
        found["description"] = found.pop("comment")
    return {field_of_vorbis(name): text for name, text in found.items() if name not in MPEG4_BRANDS}


def _copier(source: BinaryIO) -> Callable[[BinaryIO, BinaryIO, Mapping[str, str]], None]:
    source.seek(0)
    known = {b"fLaC": _copy_flac, b"RIFF": _copy_wav}
    return known.get(source.read(4), _copy_mp3)


def _is_mp3(start: bytes) -> bool:
    return start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")


def _copy_flac(source: BinaryIO, target: BinaryIO, fields: Mapping[str, str]) -> None:
    blocks = [block for block in _flac_blocks(source) if block[0] != VORBIS_COMMENT]
    blocks.insert(1, (VORBIS_COMMENT, _pack_comment(fields)))  # stream info is always the first
    target.write(b"fLaC")
    for index, (kind, body) in enumerate(blocks):
        last = LAST_BLOCK if index == len(blocks) - 1 else 0
        target.write(struct.pack(">I", (kind | last) << 24 | len(body)) + body)
    shutil.copyfileobj(source, target)


def _flac_blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each metadata block's type and content; leaves `file` at the first frame of audio."""
    file.seek(4)
    head = 0
    while not head & LAST_BLOCK << 24:
        (head,) = struct.unpack(">I", file.read(4))
        yield head >> 24 & 0x7F, file.read(head & 0xFFFFFF)


def _pack_comment(fields: Mapping[str, str]) -> bytes:
    lines = [f"{vorbis_name(field)}={text}".encode() for field, text in fields.items()]
    return _with_length(VENDOR) + struct.pack("<I", len(lines)) + b"".join(map(_with_length, lines))


def _with_length(part: bytes) -> bytes:
    return struct.pack("<I", len(part)) + part


def _unpack_comment(body: bytes) -> dict[str, str]:
    parts: list[bytes] = []
    offset = 4 + struct.unpack_from("<I", body)[0]
    (count,) = struct.unpack_from("<I", body, offset)
    offset += 4
    for _ in range(count):
        (size,) = struct.unpack_from("<I", body, offset)
        parts.append(body[offset + 4 : offset + 4 + size])
        offset += 4 + size
    pairs = (part.decode("utf-8").partition("=") for part in parts)
    return {field_of_vorbis(name): text for name, _, text in pairs}


def _copy_mp3(source: BinaryIO, target: BinaryIO, fields: Mapping[str, str]) -> None:
    source.seek(0)
    source.seek(id3_length(source.read(ID3_HEADER)))
    target.write(pack_id3(fields))
    shutil.copyfileobj(source, target)


def _copy_wav(source: BinaryIO, target: BinaryIO, fields: Mapping[str, str]) -> None:
    chunks = [(name, source.tell(), size) for name, size in _wav_chunks(source)]
    chunks = [c for c in chunks if c[0] not in (TIMED_CHUNK, b"id3 ")]
    tag = pack_id3(fields)
    chunk = b"id3 " + _with_length(tag) + b"\0" * (len(tag) % 2) if tag else b""
    length = 4 + sum(8 + size + size % 2 for _, _, size in chunks) + len(chunk)
    target.write(b"RIFF" + struct.pack("<I", length) + b"WAVE")
    for name, offset, size in chunks:
        target.write(name + struct.pack("<I", size))
        source.seek(offset)
        _copy_bytes(source, target, size)
        target.write(b"\0" * (size % 2))
    target.write(chunk)


def _wav_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each chunk's name and size, with `file` at its content."""
    offset = 12
    while True:
        file.seek(offset)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, size
        offset += 8 + size + size % 2


def _copy_bytes(source: BinaryIO, target: BinaryIO, count: int) -> None:
    while count:
        part = source.read(min(count, 2**20))
        if not part:
            raise SaveError("The encoded audio ended early. Save it again.")
        target.write(part)
        count -= len(part)


def check(tags: Mapping[str, str]) -> None:
    """
    Raises:
        SaveError: a tag's name or text cannot be written, or the tags are too large.
    """
    for name, text in tags.items():
        if not re.fullmatch(r"[ -<>-}]+", name):
            raise SaveError(
                f"{shown(name)!r} cannot be the name of a tag. Use plain letters and digits, "
                "without '='."
            )
        fault = text_fault(text)
        if fault and (name not in GRAPHS or "\0" in text):  # graphs are written in ASCII
            raise SaveError(f"The tag {shown(name)!r} {fault}. Remove it.")
    size = sum(len(name) + 5 + len(_ascii(text)) for name, text in tags.items())
    if size > LARGEST - 64:
        raise SaveError(
            f"The tags have {size} bytes, but an audio file takes {LARGEST - 64}. Save without the "
            "workflow, or a smaller one."
        )


def _ascii(text: str) -> str:
    r"""JSON with every character beyond ASCII as \uXXXX, which is the same JSON."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (units[i] << 8 | units[i + 1] for i in range(0, len(units), 2))
    return (
        text
        if text.isascii()
        else "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
    )


ID3_HEADER: Final = 10  # bytes of a tag's header, and of a frame's
ID3_UTF8: Final = b"\x03"
ID3_LANGUAGE: Final = b"XXX"  # not known


def pack_id3(fields: Mapping[str, str]) -> bytes:
    """An ID3v2.4 tag with one UTF-8 text frame per field; empty for no fields."""
    if not fields:
        return b""
    frames = b"".join(_id3_frame(field, text) for field, text in fields.items())
    return b"ID3\x04\x00\x00" + _syncsafe(len(frames)) + frames


def unpack_id3(tag: bytes) -> dict[str, str]:
    """The fields of a tag that `pack_id3` wrote; frames of other kinds are skipped."""
    fields: dict[str, str] = {}
    offset, end = ID3_HEADER, id3_length(tag)
    while offset + ID3_HEADER <= end and tag[offset] != 0:  # zeros are padding
        name = tag[offset : offset + 4]
        size = _from_syncsafe(tag[offset + 4 : offset + 8])
        body = tag[offset + ID3_HEADER : offset + ID3_HEADER + size]
        offset += ID3_HEADER + size
        if body[:1] != ID3_UTF8:
            continue
        if name in WITH_LANGUAGE:
            fields[FROM_ID3[name]] = body[4:].decode("utf-8").partition("\0")[2]
            continue
        parts = body[1:].removesuffix(b"\0").decode("utf-8").split("\0", 1)
        if name == b"TXXX" and len(parts) == 2:
            fields[parts[0]] = parts[1]
        elif name in FROM_ID3:
            fields[FROM_ID3[name]] = parts[0]
    return fields


def id3_length(start: bytes) -> int:
    """Bytes of the ID3 tag at the start of a file, from its first ten; 0 where there is none."""
    return ID3_HEADER + _from_syncsafe(start[6:ID3_HEADER]) if start[:3] == b"ID3" else 0


def _id3_frame(field: str, text: str) -> bytes:
    name, words = ID3.get(field, b"TXXX"), text.encode("utf-8")
    if name in WITH_LANGUAGE:
        body = ID3_LANGUAGE + b"\0" + words  # without a description
    elif name == b"TXXX":
        body = field.encode("utf-8") + b"\0" + words + b"\0"
    else:
        body = words + b"\0"
    return name + _syncsafe(1 + len(body)) + b"\0\0" + ID3_UTF8 + body


def _syncsafe(size: int) -> bytes:
    """28 bits in four bytes with the high bit clear, so that a size is never an MPEG sync word."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _from_syncsafe(size: bytes) -> int:
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def song_tags(song: Song) -> dict[str, str]:
    """Tags of `song` for `files.save`: those that players show, and all of it as JSON."""
    given = {name: value for name, value in asdict(song).items() if value is not None}
    return {**song_fields(song), "ace_step_song": json.dumps(given)}

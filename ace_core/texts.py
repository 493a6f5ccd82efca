"""Texts that come from outside: what no text may hold, names that every system can hold, how a
text is quoted in a message, and how inputs are named that are not used."""

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

QUOTED: Final = 200  # characters of a foreign text in a message
NAME_BYTES: Final = 200  # of one part of a path; file systems take 255, numbers and endings follow
DEVICES: Final = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"
}  # of Windows: no file may be named so, whatever follows a dot
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def shown(text: object) -> str:
    """`text` for a message: at most 200 characters on one line, the middle left out."""
    plain = "".join(each if each.isprintable() else _escaped(each) for each in str(text))
    half = (QUOTED - 1) // 2
    return plain if len(plain) <= QUOTED else f"{plain[:half]}…{plain[-half:]}"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def has_surrogates(text: str) -> bool:
    """Whether `text` holds half a character (a lone surrogate), which no file can hold."""
    return _SURROGATE.search(text) is not None


def text_fault(text: str) -> str | None:
    """What makes `text` unusable for tokenizers, files and tags; None when nothing does."""
    if "\0" in text:
        return f"has a zero byte at character {text.index(chr(0)) + 1}"
    half = _SURROGATE.search(text)
    if half is None:
        return None
    return f"has half a character (U+{ord(half[0]):04X}) at character {half.start() + 1}"


def first_fault(values: Mapping[str, object]) -> str | None:
    """Which of the texts in `values`, or in lists there, is unusable, by its name, and why; None
    when none is."""
    for name, value in values.items():
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and (fault := text_fault(text)):
                return f"`{shown(name)}` {fault}. Remove it."
    return None


def home_path(path: str | Path) -> Path:
    """`path` with the folder of a user in place of a leading `~`; of an unknown one it stays."""
    return Path(os.path.expanduser(path))  # Path.expanduser raises there


def name_fault(name: str) -> str | None:
    """What is wrong with one part of a path on some system; None when every system can hold it."""
    if fault := text_fault(name):
        return fault
    if found := _FORBIDDEN.search(name):
        return f"has {_escaped(found[0]) if not found[0].isprintable() else found[0]}"
    if name != name.rstrip(". "):
        return "ends in a dot or a space"
    if name.split(".")[0].rstrip().upper() in DEVICES:
        return "is the name of a device"
    size = len(name.encode())
    return f"has {size} bytes, more than {NAME_BYTES}" if size > NAME_BYTES else None


def file_name(text: str) -> str:
    """`text` without what a file's name cannot hold on some system; "_" where nothing is left."""
    name = re.sub(r"[\s_]+", "_", _SURROGATE.sub("_", _FORBIDDEN.sub("_", text)))
    name = name.encode()[: NAME_BYTES // 2].decode(errors="ignore").strip("._ ")
    return f"_{name}" if name_fault(name) or not name else name


def distinct(names: Sequence[str]) -> list[str]:
    """`names`, with a number behind each that some system would take for an earlier one: many
    distinguish neither capitals nor the ways to write an accent."""
    taken = {_folded(name) for name in names}
    given: set[str] = set()
    found = []
    for name in names:
        free, number = name, 2
        while _folded(free) in given or (free != name and _folded(free) in taken):
            free, number = f"{name}_{number}", number + 1
        given.add(_folded(free))
        found.append(free)
    return found


def not_used(names: Sequence[str], reason: str) -> str:
    """The sentence that says that the inputs `names` are not read, and why."""
    quoted = [f"`{name}`" for name in names]
    listed = " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
    return f"{listed} {'is' if len(names) == 1 else 'are'} not used: {reason}."


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())

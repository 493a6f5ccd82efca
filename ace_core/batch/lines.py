"""A prompts file: JSON lines, each the wish for one song. It knows JSON, ids and names of fields;
whether a value can be sung is decided where the requests live.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import PromptsError

ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
Check = Callable[[Mapping[str, Any]], Iterable[str]]  # the faults of one request


@dataclass(frozen=True, slots=True)
class Line:
    """One song to make. `request` holds the fields as written, all but the id."""

    id: str
    number: int  # in the file, from 1
    request: Mapping[str, Any]


def read_lines(path: Path, check: Check) -> tuple[Line, ...]:
    """Every line of the file at `path`; empty ones are skipped, but counted.

    A line without an id is called by its number.

    Raises:
        PromptsError: the file cannot be read, or lines are wrong; the message lists all of them.
    """
    lines: list[Line] = []
    faults: list[str] = []
    ids: dict[str, int] = {}
    for number, text in enumerate(_texts(path), start=1):
        if not text.strip():
            continue
        found, line = _line(number, text, check)
        if line is not None:
            found += _taken(line, ids)
            lines.append(line)
        faults += [f"  line {number}: {fault}" for fault in found]
    if faults:
        raise PromptsError(f"{path}: {_counted(faults)}\n" + "\n".join(faults))
    if not lines:
        raise PromptsError(f"{path}: the file asks for no song. Write one JSON object a line.")
    return tuple(lines)


def _texts(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise PromptsError(
            f"{path}: the prompts cannot be read ({error.strerror}). Give a file of JSON lines."
        ) from error
    except UnicodeDecodeError as error:
        raise PromptsError(
            f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8 text."
        ) from error


def _line(number: int, text: str, check: Check) -> tuple[list[str], Line | None]:
    """What is wrong with one line, and the line if it can at least be named."""
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    except ValueError as error:
        return [f"not JSON: {error}"], None
    if not isinstance(content, dict):
        return [f'a {type(content).__name__}, not an object like {{"caption": "calm piano"}}'], None
    name = content.pop("id", f"{number:04d}")
    if not isinstance(name, str) or not ID.fullmatch(name):
        return [
            f"the id {name!r} cannot be a file's name. Use letters, digits, - and _, at most 100."
        ], None
    return list(check(content)), Line(name, number, content)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(twice)} is given twice")
    return content


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number that JSON has")


def _taken(line: Line, ids: dict[str, int]) -> list[str]:
    """Ids that differ in case only are one file on some systems."""
    first = ids.setdefault(line.id.lower(), line.number)
    return [] if first == line.number else [f"the id {line.id!r} is that of line {first}, too"]


def _counted(faults: list[str]) -> str:
    return f"{len(faults)} fault{'s' if len(faults) > 1 else ''}; no model was loaded"


def unknown_fields(request: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """A fault for every field that is not `known`, with the nearest name that is."""
    names = list(known)
    faults = []
    for name in request:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            faults.append(f"{name!r} is no field{f'; is it {near[0]!r}?' if near else ''}")
    return faults

"""JSON and numbers that others wrote, read with limits on size, depth and length.

Whatever is wrong with a text is a `ValueError` with a short reason; who reads a file makes an error
of it that names the file. Nothing here names a host or a model.
"""

import io
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from .texts import has_surrogates

LARGEST_JSON: Final = 100_000_000  # bytes; also the limit of a safetensors header
MOST_VALUES: Final = 5_000_000  # a tokenizer of 217,000 tokens has some 2 million
DEEPEST: Final = 64  # containers inside each other
MOST_DIGITS: Final = 30  # of a whole number in JSON; tokenizers write 1e30 as one
MOST_SHOWN: Final = 100  # characters of a foreign text that a message repeats

_CONTAINERS: Final = (dict, list)  # told apart in half the time that `dict | list` takes
_ESCAPED_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class FileSizeError(ValueError):
    """A file is longer than what is read of it."""


class JSONError(ValueError):
    """A text is not JSON, or exceeds a limit."""


def quoted(value: object) -> str:
    """`value` as code, cut to a length that a message can hold."""
    try:
        text = ascii(value) if isinstance(value, str) and has_surrogates(value) else repr(value)
    except (RecursionError, ValueError):  # too deep, or a number too long to be written
        text = f"a {type(value).__name__}"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def whole_number(text: str, most_digits: int = MOST_DIGITS) -> int:
    """The whole number that `text` is, in decimal digits with an optional sign.

    Raises:
        ValueError: it is none, or has more than `most_digits` digits.
    """
    if len(text) > most_digits + 1:
        raise ValueError(f"{quoted(text)} has more than {most_digits} digits")
    return int(text)


def read_json(path: Path, most: int = LARGEST_JSON) -> Any:
    """The content of the JSON file at `path`.

    Raises:
        OSError: it cannot be read.
        JSONError: see `parse_json`.
    """
    try:
        return parse_json(read_bytes(path, most))
    except FileSizeError as error:
        raise JSONError(str(error)) from error


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a file that may be a pipe or a device without an end.

    Raises:
        OSError: it cannot be read.
        FileSizeError: it is longer than `most` bytes; no more than that is read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size  # 0 of a pipe or a device
        content = b"" if size > most else file.read(most + 1)
    if max(size, len(content)) > most:
        held = f"{size} bytes" if size else "no end in sight"
        raise FileSizeError(f"it has {held}, but at most {most} bytes are read")
    return content


def read_text(path: Path, most: int) -> str:
    """The text of a UTF-8 file, with the line ends of any system, as `read_bytes` reads it."""
    return io.TextIOWrapper(io.BytesIO(read_bytes(path, most)), encoding="utf-8-sig").read()


def parse_json(text: str | bytes, unique: bool = False, halves: bool = False) -> Any:
    """The value that `text` holds; no NaN, no infinity, no half characters.

    `unique` refuses an object with a name given twice; `halves` keeps escaped half characters, for
    who checks its texts by name.

    Raises:
        JSONError: it is not JSON, too large, too deep, or holds what is not allowed.
    """
    try:
        content = text.encode() if isinstance(text, str) else text
        check_size(content)
        value = json.loads(
            content.decode("utf-8-sig"),
            parse_int=whole_number,
            parse_float=_finite,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique if unique else None,
        )
    except RecursionError:
        raise JSONError(f"more than {DEEPEST} lists or tables lie inside each other") from None
    except UnicodeError:
        raise JSONError("it is not UTF-8 text") from None
    except JSONError:
        raise
    except ValueError as error:
        raise JSONError(str(error)) from None
    _check_depth(value)
    if not halves and _ESCAPED_SURROGATE.search(content):
        _check_texts(value)
    return value


def check_size(content: bytes) -> None:
    """
    Raises:
        JSONError: a JSON text is longer, or has more values, than is read.
    """
    if len(content) > LARGEST_JSON:
        raise JSONError(f"it has {len(content)} bytes, but at most {LARGEST_JSON} are read")
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MOST_VALUES:
        raise JSONError(f"it has more than {MOST_VALUES} values")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JSONError(f"the number {quoted(text)} is too large")
    return number


def _refuse_constant(constant: str) -> Any:
    raise JSONError(f"{constant} is not a number that JSON has")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        seen: set[str] = set()
        twice = {name for name, _ in pairs if name in seen or seen.add(name)}
        raise JSONError(f"{', '.join(sorted(twice))[:MOST_SHOWN]} is given twice")
    return content


def _inside(values: Iterable[Any]) -> list[Any]:
    """The values directly inside those of `values` that are containers."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, dict):
            found += value.values()
        elif isinstance(value, list):
            found += value
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [each for each in _inside(level) if isinstance(each, _CONTAINERS)]
        if not level:
            return
    raise JSONError(f"more than {DEEPEST} lists or tables lie inside each other")


def _check_texts(value: Any) -> None:
    level = [value]
    while level:
        for each in level:
            names = each if isinstance(each, dict) else [each] if isinstance(each, str) else ()
            if any(has_surrogates(name) for name in names):
                raise JSONError("a text holds half a character (a lone surrogate)")
        level = _inside(level)


def number_in(settings: Mapping[str, Any], name: str, default: float) -> float:
    """The finite number under `name`; `default` where there is none, or null.

    Raises:
        ValueError: something else is there.
    """
    value = settings.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {quoted(value)}, not a number")
    return value

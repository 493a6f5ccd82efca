"""What a host gives of a name, read from its modules, and which names a build of the page has."""

import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from tools.hosts.checkout import import_checkout

ABSENT: Final = "absent"


def import_all(checkout: Path, base_directory: Path) -> str:
    """Make all of the checkout's modules importable here, its server too; its version.

    The host's nodes put a folder on the path that hides its package `utils`, so that comes first.
    """
    sys.path.insert(0, str(checkout))
    importlib.import_module("utils.install_util")
    version = importlib.import_module("comfyui_version").__version__
    sys.path.remove(str(checkout))
    import_checkout(checkout, base_directory)
    return version


def given(symbol: str, checkout: Path) -> str:
    """How `symbol` is defined: its parameters, `attribute` (set on the object), `value`, `key`
    (which a file reads) or `absent`."""
    file, _, key = symbol.partition(": ")
    if key:
        text = (checkout / file).read_text(encoding="utf-8")
        return "key" if re.search(rf"""["']{re.escape(key)}["']""", text) else ABSENT
    found, rest = _module_of(symbol)
    for place, name in enumerate(rest):
        if not hasattr(found, name):
            last = place == len(rest) - 1
            return "attribute" if last and _sets(found, name) else ABSENT
        found = getattr(found, name)
    return _written(found)


def _module_of(symbol: str) -> tuple[Any, list[str]]:
    """The innermost module of a dotted name, and what is left of the name."""
    parts = symbol.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            return importlib.import_module(".".join(parts[:count])), parts[count:]
        except ModuleNotFoundError as error:
            if not symbol.startswith(error.name or os.sep):
                raise
    return None, parts


def _sets(kind: Any, name: str) -> bool:
    """Whether the class, or one that it is made from, names such an attribute of its objects."""
    pattern = re.compile(rf"\.{name}\b|^\s+{name}\s*:", re.MULTILINE)
    return any(pattern.search(_source(each)) for each in getattr(kind, "__mro__", ()))


@cache  # it is found by parsing the whole file
def _source(kind: type) -> str:
    """The text of a class, "" for one that is built in."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""


def _written(found: Any) -> str:
    """The parameters of a function or class, with `=` behind those that may be left out."""
    if not callable(found):
        return "value"
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return "callable"
    return f"({', '.join(_parameters(parameters))})"


def _parameters(parameters: Iterable[inspect.Parameter]) -> Iterable[str]:
    starred = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or each.kind in (each.VAR_POSITIONAL, each.KEYWORD_ONLY)
        stars = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        yield f"{stars}{each.name}{'' if each.default is each.empty else '='}"


def page_has(static: Path, names: Iterable[str]) -> dict[str, bool]:
    """Whether the scripts of a build of the page name each attribute; builds keep such names."""
    words: set[str] = set()
    for script in static.glob("assets/*.js"):
        words |= set(re.findall(r"[A-Za-z_$][\w$]*", script.read_text(encoding="utf-8")))
    return {name: name.rpartition(".")[2] in words for name in names}

"""The tables of `docs/api.md` from the code: `python -m tools.docs.api_document`.

What stands above the mark on that page is written by hand.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final

from ace_core import inference
from tools.hosts.checkout import ROOT

from . import api_words as words

FILE: Final = ROOT / "docs" / "api.md"

MARK: Final = "<!-- from here on: written by python -m tools.docs.api_document -->"


def document(page: str) -> str:
    """`page` with what follows the mark made anew."""
    above, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"{FILE} has lost its line {MARK}")
    parts = [f"{above}{MARK}\n"]
    for name, said in (
        ("GenerationParams", words.PARAMS),
        ("GenerationConfig", words.CONFIG),
        ("GenerationResult", words.RESULT),
        ("UnderstandResult", words.SONG),
        ("CreateSampleResult", words.SONG),
        ("FormatSampleResult", words.SONG),
    ):
        parts.append(_class(getattr(inference, name), said))
    for name in (
        "AceStepHandler.initialize_service",
        "LLMHandler.initialize",
        "generate_music",
        "understand_music",
        "create_sample",
        "format_sample",
    ):
        parts.append(_function(name))
    return "\n".join(parts)


def _class(kind: type, said: Mapping[str, str]) -> str:
    rows = [
        f"| `{field.name}` | `{_written(field.type)}` | `{_default(field)}` | {said[field.name]} |"
        for field in fields(kind)  # pyright: ignore[reportArgumentType]
    ]
    head = ["| field | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {kind.__name__}", "", _summary(kind), "", *head, *rows, ""])


def _function(name: str) -> str:
    function: Any = inference
    for part in name.split("."):
        function = getattr(function, part)
    signature = inspect.signature(function)
    rows = [
        f"| `{p.name}` | {_given(p.default, p.empty)} | {words.ARGUMENTS[p.name]} |"
        for p in signature.parameters.values()
        if p.name != "self"
    ]
    head = ["| argument | default | meaning |", "|---|---|---|"]
    return "\n".join([f"## {name}", "", _summary(function), "", *head, *rows, ""])


def _summary(thing: Callable[..., Any] | type) -> str:
    return inspect.getdoc(thing) or ""


def _given(default: object, empty: object) -> str:
    return "required" if default is empty else f"`{default!r}`"


def _default(field: Any) -> str:
    return repr(field.default if field.default is not MISSING else field.default_factory())


def _written(kind: Any) -> str:
    plain = kind.__name__ if isinstance(kind, type) and "[" not in str(kind) else str(kind)
    return plain.replace("typing.", "").replace("|", r"\|")


def main() -> None:
    FILE.write_text(document(FILE.read_text(encoding="utf-8")), encoding="utf-8")
    print(FILE)


if __name__ == "__main__":
    main()

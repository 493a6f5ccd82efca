"""The text that stands on a node: what it did, and what of its inputs was not read.

A node returns it as `ui=node_text(...)`. It is in the history of the run, where a caller of the API
finds it, and web/node_text.js shows it.
"""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

from comfy_api.latest import io

from .unused import unused_notes

TEXT: Final = "ace_step_text"  # the key in web/node_text.js
WARNING: Final = "warning: "  # begins the line of one; web/warnings.js shows it as a toast

logger = logging.getLogger(__name__)


def node_text(lines: Iterable[str]) -> dict[str, list[str]]:
    """The `ui` of a node that shows these lines, warnings first; empty where there are none."""
    text = "\n".join(warnings_first(lines))
    return {TEXT: [text]} if text else {}


def warning_lines(warnings: Iterable[str]) -> list[str]:
    return [f"{WARNING}{warning}" for warning in warnings]


def warnings_first(lines: Iterable[str]) -> list[str]:
    """The lines of a report, with each warning once and before the rest."""
    every = "\n".join(lines).split("\n")
    warnings = [line for line in every if line.startswith(WARNING)]
    return [*dict.fromkeys(warnings), *(line for line in every if not line.startswith(WARNING))]


def with_notes(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """`node`, whose text has what of its inputs was not read; the log has that, too."""
    run: Callable[..., Any] = node.execute.__func__  # pyright: ignore[reportFunctionMemberAccess]

    @wraps(run)
    def execute(cls: type[io.ComfyNode], *given: Any, **named: Any) -> io.NodeOutput:
        from . import host

        made = run(cls, *given, **named)
        schema = node.define_schema()  # `cls` is the host's copy for this run, which may not change
        notes = unused_notes(schema, named)
        for note in notes:
            logger.warning("%s: %s", schema.display_name, note)
        shown = _values(made.ui)
        said = node_text([*notes, *shown.get(TEXT, ())])
        if not said:
            return made
        host.send_text(said[TEXT][0], cls.hidden)
        return io.NodeOutput(*made.args, ui={**shown, **said})

    node.execute = classmethod(execute)  # pyright: ignore[reportAttributeAccessIssue]
    return node


def _values(ui: Any) -> dict[str, Any]:
    """A node's `ui` as a table."""
    if ui is None:
        return {}
    return ui if isinstance(ui, dict) else ui.as_dict()

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

logger = logging.getLogger(__name__)


def node_text(lines: Iterable[str]) -> dict[str, list[str]]:
    """The `ui` of a node that shows these lines; empty where there are none."""
    text = "\n".join(lines)
    return {TEXT: [text]} if text else {}


def with_notes(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """`node`, whose text ends with what of its inputs was not read; the log has that, too."""
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
        said = node_text([*shown.get(TEXT, ()), *notes])
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

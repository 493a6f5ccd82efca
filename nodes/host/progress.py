"""The bar on a node, for work that comes in steps."""

import sys
from collections.abc import Callable
from typing import Any

import comfy.model_management
import comfy.utils


def counted() -> Callable[[int, int], None]:
    """Moves the node's bar at each step, and stops there when the user asked for it."""
    bar = None

    def report(done: int, total: int) -> None:
        nonlocal bar
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar = bar or comfy.utils.ProgressBar(total)
        bar.update_absolute(done, total)

    return report


def show(text: str, hidden: Any) -> None:
    """Writes `text` on the node while the page is open. Without a page, or in a script that calls
    the node itself, `hidden` is None and there is nowhere to write."""
    server = getattr(sys.modules.get("server"), "PromptServer", None)
    page = getattr(server, "instance", None)
    if page is not None and hidden is not None:
        page.send_progress_text(text, hidden.unique_id)

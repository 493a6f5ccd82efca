"""The bar on a node, for work that comes in steps."""

from collections.abc import Callable

import comfy.model_management
import comfy.utils


def progress_bar() -> Callable[[int, int], None]:
    """Moves the node's bar at each step, and stops there when the user asked for it."""
    bar = None

    def report(done: int, total: int) -> None:
        nonlocal bar
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar = bar or comfy.utils.ProgressBar(total)
        bar.update_absolute(done, total)

    return report

"""Out-of-memory errors of a node, whatever it was doing, as one error that says what to do."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from comfy_api.latest import io

from ..ace_core.memory import memory_for

ADVICE = (
    "Free memory: other models, other programs. Or ask for less: a shorter song, fewer at once, "
    "models with a smaller dtype."
)


def explain_memory_errors(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """`node`, whose `execute` raises `NotEnoughMemoryError` where the device or the machine has no
    memory left. The host knows it as its own out-of-memory error, and unloads all models."""
    run: Callable[..., Any] = node.execute.__func__  # pyright: ignore[reportFunctionMemberAccess]

    @wraps(run)
    def execute(cls: type[io.ComfyNode], *given: Any, **named: Any) -> io.NodeOutput:
        with memory_for("This node", ADVICE):
            return run(cls, *given, **named)

    node.execute = classmethod(execute)  # pyright: ignore[reportAttributeAccessIssue]
    return node

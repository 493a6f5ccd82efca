"""What every host has in common: it runs prompts in API format and gives an `Outcome`.

There are three: a real ComfyUI with its own server (`server.py`), a real ComfyUI in this process
(`in_process.py`) and the stand-in (`standin/`). `local.py` chooses the one of this process.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

Prompt = dict[str, dict[str, Any]]  # node id -> {"class_type": ..., "inputs": {...}}
OnProgress = Callable[[str, int, int], None]  # (node id, done, of how many)


@dataclass(frozen=True)
class Outcome:
    """What became of a prompt.

    `status` is "success", "refused" (nothing ran), "error" or "interrupted". `node_errors` may be
    filled beside "success": a host runs the valid branches of a prompt with an invalid one.
    """

    status: str
    node_errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: dict[str, Any] | None = None  # the prompt's (refused), or that of the node that raised
    ui: dict[str, dict[str, Any]] = field(default_factory=dict)  # by node id, as in /history
    ran: tuple[str, ...] = ()  # nodes that were executed, not taken from the cache
    values: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # in-process hosts only

    @property
    def complete(self) -> bool:
        """Everything was valid and everything ran."""
        return self.status == "success" and not self.node_errors

    def why(self) -> str:
        """The errors, one per line."""
        lines = [
            f"node {node_id} ({found['class_type']}): {error['message']}: {error['details']}"
            for node_id, found in self.node_errors.items()
            for error in found["errors"]
        ]
        if self.error is not None:
            lines.append("; ".join(f"{name}: {value}" for name, value in self.error.items()))
        return "\n".join(lines)


class Host(Protocol):
    """Something that knows node classes and runs prompts."""

    name: str
    nodes: dict[str, Any]  # node id of the schema -> class

    def run(
        self,
        prompt: Prompt,
        on_progress: OnProgress | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
    ) -> Outcome: ...

    def forget(self) -> None: ...  # the kept results: the next prompt runs from its loaders on


def error_types(node_errors: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The kinds of errors by node id, for comparing hosts."""
    return {
        node_id: sorted(error["type"] for error in found["errors"])
        for node_id, found in node_errors.items()
    }


def failure_of(event: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Status and error of a host's failure message."""
    where = {"node_id": data["node_id"], "node_type": data["node_type"]}
    if event == "execution_interrupted":
        return "interrupted", where
    said = {"exception_type": data["exception_type"]}
    return "error", where | said | {"exception_message": data["exception_message"].strip()}

"""Run a workflow in API format on the host that is active in this process.

A real ComfyUI runs it with its own `execution` module; the stand-in with `tools.hosts.standin`.
Both give the same `Outcome`. `tools.hosts.server` runs workflows on a server in its own process.
"""

import importlib.util
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
    error: dict[str, Any] | None = None  # of the prompt (refused) or of the node that raised
    ui: dict[str, dict[str, Any]] = field(default_factory=dict)  # by node id, as in /history
    ran: tuple[str, ...] = ()  # nodes that were executed, not taken from the cache
    values: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # in-process hosts only

    @property
    def complete(self) -> bool:
        """Everything was valid and everything ran."""
        return self.status == "success" and not self.node_errors

    def why(self) -> str:
        """The errors, one a line."""
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


def local_host() -> Host:
    """The host of this process: the stand-in if it was activated, else a real ComfyUI.

    Raises:
        RuntimeError: neither is importable.
    """
    from tools.hosts import standin

    if standin.is_active():
        from tools.hosts.standin.executor import StandinHost

        return StandinHost()
    if importlib.util.find_spec("comfy_api") is None:
        raise RuntimeError(
            "No host: call tools.hosts.standin.activate(folder), or import a ComfyUI."
        )
    from tools.hosts.in_process import InProcessHost

    return InProcessHost()


def error_types(node_errors: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The kinds of errors by node id, for comparing hosts."""
    return {
        node_id: sorted(error["type"] for error in found["errors"])
        for node_id, found in node_errors.items()
    }

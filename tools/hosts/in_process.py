"""Runs prompts inside this process with a real ComfyUI's own `execution` module."""

import asyncio
import copy
import importlib
import uuid
from pathlib import Path
from typing import Any

from tools.hosts.host import OnProgress, Outcome, Prompt, failure_of

_STOCK_EXTRAS = (
    "nodes_audio",
    "nodes_custom_sampler",
    "nodes_mask",
    "nodes_model_advanced",
    "nodes_preview_any",
    "nodes_video",
)

# `ram_inactive` is read from 0.33 on; an older host passes over it.
_CACHE = {"lru": 0, "ram": 0, "ram_inactive": 0}


class _Messages:
    """What the executor needs of a server: somewhere to send its messages."""

    client_id: str | None = "in-process"
    last_node_id: str | None = None

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def send_sync(self, event: Any, data: Any, client_id: str | None = None) -> None:
        self.sent.append((event, data))


class InProcessHost:
    """A real ComfyUI's nodes and executor without its web server."""

    name = "ComfyUI, in this process"

    def __init__(self) -> None:
        nodes: Any = importlib.import_module("nodes")  # the host's, see `import_checkout`
        execution = importlib.import_module("execution")
        self.module = nodes
        self.execution = execution
        self.nodes: dict[str, Any] = nodes.NODE_CLASS_MAPPINGS
        self.messages = _Messages()
        self.executor = execution.PromptExecutor(self.messages, cache_args=_CACHE)
        self._load_extras()

    def run(
        self,
        prompt: Prompt,
        on_progress: OnProgress | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
    ) -> Outcome:
        prompt = copy.deepcopy(prompt)
        prompt_id = uuid.uuid4().hex
        self.messages.sent.clear()
        validated = asyncio.run(self.execution.validate_prompt(prompt_id, prompt, None))
        valid, error, outputs, node_errors = validated
        if not valid:
            return Outcome("refused", node_errors, error)
        comfy_utils = importlib.import_module("comfy.utils")
        comfy_utils.set_progress_bar_global_hook(_hook(on_progress))
        extra = {"client_id": "in-process", "extra_pnginfo": extra_pnginfo}
        try:
            self.executor.execute(prompt, prompt_id, extra, outputs)
        finally:
            comfy_utils.set_progress_bar_global_hook(None)
        return self._outcome(node_errors, list(prompt))

    def forget(self) -> None:
        """Drop the kept results."""
        self.executor.reset()

    def _outcome(self, node_errors: dict[str, Any], node_ids: list[str]) -> Outcome:
        sent = self.messages.sent
        ran = tuple(data["node"] for event, data in sent if event == "executing" and data["node"])
        status, error = "success", None
        for event, data in self.executor.status_messages:
            if event in ("execution_error", "execution_interrupted"):
                status, error = failure_of(event, data)
        ui = {data["node"]: data["output"] for event, data in sent if event == "executed"}
        shown = {node_id: found for node_id, found in ui.items() if found}
        return Outcome(status, node_errors, error, shown, ran, self._values(node_ids))

    def _values(self, node_ids: list[str]) -> dict[str, tuple[Any, ...]]:
        cache = self.executor.caches.outputs
        kept: dict[str, Any] = {}

        async def read() -> None:  # what `asyncio.run` returns it also writes out, tensors in full
            for node_id in node_ids:
                kept[node_id] = await cache.get(node_id)

        asyncio.run(read())
        return {
            node_id: tuple(slot[0] for slot in entry.outputs)
            for node_id, entry in kept.items()
            if entry is not None and entry.outputs is not None
        }

    def _load_extras(self) -> None:
        """Only the stock node files that workflows of this pack touch; all of them take seconds."""
        folder = Path(self.module.__file__).parent / "comfy_extras"
        for name in _STOCK_EXTRAS:
            path = str(folder / f"{name}.py")
            asyncio.run(self.module.load_custom_node(path, module_parent="comfy_extras"))


def _hook(on_progress: OnProgress | None) -> Any:
    context = importlib.import_module("comfy_execution.utils").get_executing_context
    management = importlib.import_module("comfy.model_management")

    def report(value: int, total: int, preview: Any = None, node_id: Any = None, **_: Any) -> None:
        management.throw_exception_if_processing_interrupted()
        current = node_id or (context().node_id if context() else "")
        if on_progress is not None:
            on_progress(current, int(value), int(total))

    return report

"""Runs prompts on the stand-in: outputs in dependency order, results kept by what made them."""

import copy
import json
from typing import Any

import comfy.utils
import torch
from comfy_api.latest.dynamic import flatten, nest
from comfy_api.latest.node import Hidden, HiddenHolder, NodeOutput

from tools.hosts.host import OnProgress, Outcome, Prompt
from tools.hosts.standin.validation import RefusedPrompt, validate

Result = tuple[tuple[Any, ...], dict[str, Any] | None]  # (outputs, ui)


class StandinHost:
    """A stand-in for ComfyUI's prompt executor. Results of the last prompt are kept."""

    name = "a stand-in for ComfyUI (this Python can run no real ComfyUI)"

    def __init__(self) -> None:
        from tools.hosts.standin import custom_sampling, picture_nodes, stock_nodes

        self.nodes: dict[str, Any] = {
            **stock_nodes.NODES,
            **custom_sampling.NODES,
            **picture_nodes.NODES,
        }
        self.kept: dict[str, Result] = {}  # by signature

    def run(
        self,
        prompt: Prompt,
        on_progress: OnProgress | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
    ) -> Outcome:
        prompt = copy.deepcopy(prompt)
        try:
            outputs, node_errors = validate(prompt, self.nodes)
        except RefusedPrompt as refusal:
            return Outcome("refused", refusal.node_errors, refusal.error)
        run = _Run(self, prompt, extra_pnginfo)
        comfy.utils.set_progress_bar_global_hook(run.hook(on_progress))
        error, status = None, "success"
        try:
            with torch.inference_mode():
                for node_id in outputs:
                    run.result(node_id)
        except Exception as failure:  # noqa: BLE001  the server reports whatever a node raises
            status = "error"
            kind = type(failure)
            module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
            error = run.where() | {
                "exception_type": module + kind.__qualname__,
                "exception_message": str(failure),
            }
        finally:
            comfy.utils.set_progress_bar_global_hook(None)
            self.kept = run.results()
        return Outcome(status, node_errors, error, run.ui(), tuple(run.ran), run.values())

    def forget(self) -> None:
        """Drop the kept results."""
        self.kept = {}


class _Run:
    """One pass over one prompt."""

    def __init__(self, host: StandinHost, prompt: Prompt, extra_pnginfo: Any) -> None:
        self.host = host
        self.prompt = prompt
        self.hidden = {Hidden.prompt: prompt, Hidden.extra_pnginfo: extra_pnginfo}
        self.done: dict[str, Result] = {}
        self.signatures: dict[str, str] = {}
        self.ran: list[str] = []
        self.current = ""

    def result(self, node_id: str) -> Result:
        if node_id not in self.done:
            self.current = node_id
            if not self._recall(node_id):
                self.done[node_id] = self._execute(node_id)
        return self.done[node_id]

    def _recall(self, node_id: str) -> bool:
        """Whether a result is kept; what it was made of then stays kept too, as on the server."""
        kept = self.host.kept.get(self.signature(node_id))
        if kept is None:
            return False
        self.done[node_id] = kept
        links = [value[0] for value in self.prompt[node_id]["inputs"].values() if is_link(value)]
        for source in links:
            if source not in self.done:
                self._recall(source)
        return True

    def signature(self, node_id: str) -> str:
        """What a result depends on: class, values, and the signatures of what is linked."""
        if node_id not in self.signatures:
            node = self.prompt[node_id]
            inputs = {
                key: [self.signature(value[0]), value[1]] if is_link(value) else value
                for key, value in node["inputs"].items()
            }
            parts = [node["class_type"], inputs]
            self.signatures[node_id] = json.dumps(parts, sort_keys=True, default=str)
        return self.signatures[node_id]

    def hook(self, on_progress: OnProgress | None) -> Any:
        def report(value: int, total: int, preview: Any = None, node_id: Any = None, **_: Any):
            if on_progress is not None:
                on_progress(node_id or self.current, int(value), int(total))

        return report

    def where(self) -> dict[str, Any]:
        return {"node_id": self.current, "node_type": self.prompt[self.current]["class_type"]}

    def ui(self) -> dict[str, dict[str, Any]]:
        return {node_id: shown for node_id, (_, shown) in self.done.items() if shown}

    def values(self) -> dict[str, tuple[Any, ...]]:
        return {node_id: outputs for node_id, (outputs, _) in self.done.items()}

    def results(self) -> dict[str, Result]:
        return {self.signatures[node_id]: result for node_id, result in self.done.items()}

    def _execute(self, node_id: str) -> Result:
        node = self.prompt[node_id]
        node_class = self.host.nodes[node["class_type"]]
        schema = node_class.GET_SCHEMA()
        known = {key for key, _, _ in flatten(schema.inputs, node["inputs"])}
        values = {
            key: self.result(value[0])[0][value[1]] if is_link(value) else value
            for key, value in node["inputs"].items()
            if key in known
        }
        self.current = node_id
        hidden = {name: self.hidden.get(name) for name in schema.hidden}
        if Hidden.unique_id in hidden:
            hidden[Hidden.unique_id] = node_id
        clone = type(node_class.__name__, (node_class,), {"hidden": HiddenHolder(hidden)})
        returned = clone.execute(**nest(schema.inputs, values))
        self.ran.append(node_id)
        return _result(returned)


def is_link(value: Any) -> bool:
    """`[node id, slot]`; a list of two texts is a value."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
    )


def _result(returned: NodeOutput) -> Result:
    """The outputs, and the ui dictionary with a list under each key."""
    shown = returned.ui
    if shown is not None and not isinstance(shown, dict):
        shown = shown.as_dict()
    return returned.args, {key: list(value) for key, value in shown.items()} if shown else None

"""Checks a prompt before anything runs, with the error types of ComfyUI's server.

It finds what a wrong workflow or schema causes: unknown nodes, missing inputs, links between types
that do not fit, values out of range. It expects well-formed prompts without cycles.
"""

import inspect
from typing import Any

from comfy_api.latest.dynamic import flatten, nest

from tools.hosts.host import Prompt

Error = dict[str, Any]
_CONVERT = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


class RefusedPrompt(Exception):  # noqa: N818  a result of validation, not a failure of it
    """The prompt as a whole cannot run."""

    def __init__(self, error: Error, node_errors: dict[str, Any] | None = None) -> None:
        super().__init__(error["message"])
        self.error = error
        self.node_errors = node_errors or {}


def validate(prompt: Prompt, nodes: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The output nodes that can run, and the errors of the others.

    Values are converted in place to what their inputs take, as on the server.

    Raises:
        RefusedPrompt: an unknown class, no output node, or none that is valid.
    """
    outputs = _output_nodes(prompt, nodes)
    checker = _Checker(prompt, nodes)
    node_errors: dict[str, Any] = {}
    good = []
    for output in outputs:
        if checker.accepts(output):
            good.append(output)
        else:
            checker.collect(output, node_errors)
    if not good:
        details = "\n".join(
            f"{error['message']}: {error['details']}"
            for output in outputs
            for error in checker.errors[output]
        )
        kind = "prompt_outputs_failed_validation"
        raise RefusedPrompt(_error(kind, "Prompt outputs failed validation", details), node_errors)
    return good, node_errors


def _output_nodes(prompt: Prompt, nodes: dict[str, Any]) -> list[str]:
    outputs = []
    for node_id, node in prompt.items():
        node_class = nodes.get(node.get("class_type", ""))
        if node_class is None:
            title = node.get("_meta", {}).get("title", node.get("class_type", f"ID #{node_id}"))
            message = f"Node '{title}' not found. The custom node may not be installed."
            raise RefusedPrompt(_error("missing_node_type", message, f"Node ID '#{node_id}'"))
        if node_class.GET_SCHEMA().is_output_node:
            outputs.append(node_id)
    if not outputs:
        raise RefusedPrompt(_error("prompt_no_outputs", "Prompt has no outputs", ""))
    return outputs


class _Checker:
    """Walks the prompt from its outputs; every node is checked once."""

    def __init__(self, prompt: Prompt, nodes: dict[str, Any]) -> None:
        self.prompt = prompt
        self.nodes = nodes
        self.errors: dict[str, list[Error]] = {}  # its own, by node id
        self.valid: dict[str, bool] = {}  # with everything it depends on

    def accepts(self, node_id: str) -> bool:
        if node_id in self.valid:
            return self.valid[node_id]
        self.errors[node_id], sound = self._check(node_id)
        self.valid[node_id] = sound and not self.errors[node_id]
        return self.valid[node_id]

    def collect(self, output: str, node_errors: dict[str, Any]) -> None:
        for node_id, errors in self.errors.items():
            if errors:
                found = {"errors": errors, "dependent_outputs": []}
                found["class_type"] = self.prompt[node_id]["class_type"]
                node_errors.setdefault(node_id, found)["dependent_outputs"].append(output)

    def _check(self, node_id: str) -> tuple[list[Error], bool]:
        node = self.prompt[node_id]
        node_class = self.nodes[node["class_type"]]
        inputs = node["inputs"]
        own_check = node_class.__dict__.get("validate_inputs")
        judged = inspect.signature(own_check.__func__).parameters if own_check else {}
        errors: list[Error] = []
        sound = True
        flat = flatten(node_class.GET_SCHEMA().inputs, inputs)
        for key, spec, required in flat:
            if key not in inputs:
                if required:
                    errors.append(_missing(key))
            elif isinstance(inputs[key], list):
                found, branch = self._link(node_id, key, spec)
                errors += found
                sound = sound and branch
            else:
                errors += _value(inputs, key, spec, key in judged)
        if judged:
            errors += _custom(node_class, judged, inputs, [key for key, _, _ in flat])
        return errors, sound

    def _link(self, node_id: str, key: str, spec: Any) -> tuple[list[Error], bool]:
        source, slot = self.prompt[node_id]["inputs"][key]
        source_class = self.nodes[self.prompt[source]["class_type"]]
        given = source_class.GET_SCHEMA().outputs[slot].io_type
        wanted = spec.get_io_type()
        if not _fits(given, wanted):
            details = f"{key}, received_type({given}) mismatch input_type({wanted})"
            message = "Return type mismatch between linked nodes"
            return [_error("return_type_mismatch", message, details, input_name=key)], True
        return [], self.accepts(source)


def _value(inputs: dict[str, Any], key: str, spec: Any, judged: bool) -> list[Error]:
    """Convert a widget's value in place and check its range or membership."""
    value = inputs[key]
    kind = spec.get_io_type()
    if kind in _CONVERT:
        try:
            value = inputs[key] = _CONVERT[kind](value)
        except (TypeError, ValueError) as failure:
            message = f"Failed to convert an input value to a {kind} value"
            details = f"{key}, {value}, {failure}"
            return [_error("invalid_input_type", message, details, input_name=key)]
    return [] if judged else _range(key, value, spec)


def _range(key: str, value: Any, spec: Any) -> list[Error]:
    low, high = getattr(spec, "min", None), getattr(spec, "max", None)
    if low is not None and value < low:
        message = f"Value {value} smaller than min of {low}"
        return [_error("value_smaller_than_min", message, key, input_name=key)]
    if high is not None and value > high:
        message = f"Value {value} bigger than max of {high}"
        return [_error("value_bigger_than_max", message, key, input_name=key)]
    if spec.get_io_type() != "COMBO":
        return []
    options = spec.as_dict().get("options", [])
    if value not in options:
        shown = options if len(options) <= 20 else f"(list of length {len(options)})"
        details = f"{key}: {value!r} not in {shown}"
        return [_error("value_not_in_list", "Value not in list", details, input_name=key)]
    return []


def _custom(node_class: Any, judged: Any, inputs: dict[str, Any], known: list[str]) -> list[Error]:
    """The node's own check; linked inputs are None, as on the server."""
    values = {
        key: None if isinstance(inputs[key], list) else inputs[key]
        for key in inputs
        if key in known and key.split(".")[0] in judged
    }
    answer = node_class.validate_inputs(**nest(node_class.GET_SCHEMA().inputs, values))
    if answer is True:
        return []
    message = "Custom validation failed for node"
    said = "" if answer is False else f" - {answer}"
    return [
        _error("custom_validation_failed", message, f"{key}{said}", input_name=key)
        for key in values
    ]


def _fits(given: str, wanted: str) -> bool:
    kinds = set(given.split(",")), set(wanted.split(","))
    return any("*" in each for each in kinds) or bool(kinds[0] & kinds[1])


def _missing(key: str) -> Error:
    message = "Required input is missing"
    return _error("required_input_missing", message, key.split(".")[-1], input_name=key)


def _error(kind: str, message: str, details: str, **extra: Any) -> Error:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}

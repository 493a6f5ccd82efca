"""Workflows in API format: read them, and put the miniature in the published files' place."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path

from tools.hosts.checkout import ROOT
from tools.hosts.host import Prompt

API_WORKFLOWS = ROOT / "workflows" / "api"
_MODEL_FILE = ".safetensors"
_STANDS_FOR = {"acestep_v1.5_xl_base": "acestep_v1.5_base"}  # the miniature of XL is a turbo


def read_prompt(name: str) -> Prompt:
    """`workflows/api/<name>.json`."""
    return json.loads((API_WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))


def with_miniature(prompt: Prompt) -> Prompt:
    """A copy that names `x_miniature.safetensors` wherever a widget names `x.safetensors`."""
    changed = copy.deepcopy(prompt)
    for node in changed.values():
        for key, value in node["inputs"].items():
            if isinstance(value, str) and value.endswith(_MODEL_FILE):
                node["inputs"][key] = miniature_name(value)
    return changed


def miniature_name(file: str) -> str:
    """The file of the miniature that stands for a published one."""
    stem = Path(file).stem.removesuffix("_bf16")
    return f"{_STANDS_FOR.get(stem, stem)}_miniature{_MODEL_FILE}"


def with_input(prompt: Prompt, name: str, value: object) -> Prompt:
    """A copy in which every widget called `name` has `value`.

    Raises:
        KeyError: no node has such an input.
    """
    changed = copy.deepcopy(prompt)
    found = [node["inputs"] for node in changed.values() if name in node["inputs"]]
    if not found:
        raise KeyError(f"no node of the workflow has an input {name!r}")
    for inputs in found:
        inputs[name] = value
    return changed


def with_inputs(prompt: Prompt, kind: str, values: Mapping[str, object]) -> Prompt:
    """A copy in which every node of the class `kind` has `values`.

    Raises:
        KeyError: there is none, or it has no such input.
    """
    changed = copy.deepcopy(prompt)
    nodes = [node["inputs"] for node in changed.values() if node["class_type"] == kind]
    lacking = [name for name in values if any(name not in inputs for inputs in nodes)]
    if not nodes or lacking:
        raise KeyError(f"the workflow has {len(nodes)} nodes {kind}, without the inputs {lacking}")
    for inputs in nodes:
        inputs.update(values)
    return changed


def input_of(prompt: Prompt, name: str) -> object:
    """What the first widget called `name` has."""
    return next(node["inputs"][name] for node in prompt.values() if name in node["inputs"])

"""Where a saved take comes from: the seeds above its node, and the list of the node's takes."""

from collections.abc import Mapping
from typing import Any

KEY = "ace_step_takes"  # the property in web/waveform/take_store.js
SEEDS = ("seed", "noise_seed", "retake_seed")
Prompt = Mapping[str, Mapping[str, Any]]


def origin_of(hidden: Any) -> dict[str, Any]:
    """`list`, the page's key of the node's takes, and `seeds` as in {"12": {"seed": 7}}.

    What the page did not send, as a script does not, is left out.
    """
    if hidden is None or hidden.unique_id is None:
        return {}
    node = str(hidden.unique_id)
    found: dict[str, Any] = {}
    if hidden.prompt:
        found["seeds"] = seeds_above(hidden.prompt, node)
    key = _key_of((hidden.extra_pnginfo or {}).get("workflow") or {}, node.split(":"))
    return found | ({"list": key} if key else {})


def seeds_above(prompt: Prompt, node: str) -> dict[str, dict[str, int]]:
    """The seeds of all nodes that `node` is made from, by number and input."""
    found: dict[str, dict[str, int]] = {}
    waiting, met = [node], {node}
    while waiting:
        number = waiting.pop()
        inputs = prompt.get(number, {}).get("inputs", {})
        seeds = {name: inputs[name] for name in SEEDS if isinstance(inputs.get(name), int)}
        if seeds:
            found[number] = seeds
        above = {str(each[0]) for each in inputs.values() if isinstance(each, list) and each}
        waiting += sorted(above - met)
        met |= above
    return found


def _key_of(workflow: Mapping[str, Any], path: list[str]) -> str | None:
    """Of the node at `path`: its number, behind those of the subgraphs around it."""
    subgraphs = {s["id"]: s for s in workflow.get("definitions", {}).get("subgraphs", [])}
    place: Mapping[str, Any] = workflow
    node: Mapping[str, Any] = {}
    for number in path:
        nodes = {str(each["id"]): each for each in place.get("nodes", [])}
        node = nodes.get(number, {})
        place = subgraphs.get(node.get("type"), {})
    key = node.get("properties", {}).get(KEY)
    return key if isinstance(key, str) else None

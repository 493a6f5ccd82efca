"""Where a saved take comes from: the seeds above its node, its source, the list it belongs to."""

from collections.abc import Mapping
from typing import Any

KEY = "ace_step_takes"  # the property in web/waveform/take_store.js
SEEDS = ("seed", "noise_seed", "retake_seed")
LOADERS = ("LoadAudio", "AceStep15LoadRecording")  # as in web/waveform/graph.js
KEEP_TIME = {  # nodes whose sound begins with that of their input
    "AceStep15SaveAudio": "audio",
    "AceStep15StemLevel": "audio",
    "AceStep15KeepBest": "latent",
    "AceStep15DecodeAudio": "latent",
    "AceStep15Sampler": "latent",
    "AceStep15TryUntilFit": "latent",
    "VAEDecodeAudio": "samples",
    "VAEDecodeAudioTiled": "samples",
    "KSampler": "latent_image",
    "KSamplerAdvanced": "latent_image",
    "SamplerCustom": "latent_image",
    "SamplerCustomAdvanced": "latent_image",
}
Prompt = Mapping[str, Mapping[str, Any]]


def origin_of(hidden: Any) -> dict[str, Any]:
    """`list`, the page's key of the node's takes, `seeds` as in {"12": {"seed": 7}}, and `source`
    as in {"file": "song.wav", "start": 0.0}: what a take was made of, and its time where the take
    begins, in seconds.

    What the page did not send, as a script does not, is left out.
    """
    if hidden is None or hidden.unique_id is None:
        return {}
    node = str(hidden.unique_id)
    found: dict[str, Any] = {}
    if hidden.prompt:
        found["seeds"] = seeds_above(hidden.prompt, node)
        source = source_above(hidden.prompt, node)
        found |= {"source": source} if source else {}
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


def source_above(prompt: Prompt, node: str) -> dict[str, Any] | None:
    """The recording that a task above `node` starts from, if both are on one clock."""
    met: set[str] = set()
    while node not in met:
        met.add(node)
        kind, inputs = _kind_of(prompt, node), prompt.get(node, {}).get("inputs", {})
        wire = inputs.get("source")
        if isinstance(wire, list):
            return _recording(prompt, str(wire[0]), _start_of(kind, inputs))
        wire = inputs.get(KEEP_TIME.get(kind, ""))
        node = str(wire[0]) if isinstance(wire, list) else node
    return None


def _recording(prompt: Prompt, loader: str, start: float) -> dict[str, Any] | None:
    file = prompt.get(loader, {}).get("inputs", {}).get("audio")
    if _kind_of(prompt, loader) not in LOADERS or not isinstance(file, str):
        return None
    return {"file": file, "start": start}


def _start_of(kind: str, inputs: Mapping[str, Any]) -> float:
    """Below 0 where Repaint puts new music before its source."""
    start = inputs.get("start")
    if kind != "AceStep15Repaint" or "mask" in inputs or not isinstance(start, int | float):
        return 0.0
    return min(0.0, float(start))


def _kind_of(prompt: Prompt, node: str) -> str:
    return str(prompt.get(node, {}).get("class_type", ""))


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

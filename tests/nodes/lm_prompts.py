"""Prompts for the language model's nodes, on the miniature."""

from collections.abc import Callable
from typing import Any

from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

Run = Callable[..., Outcome]

LM_FILE = "qwen_1.7b_ace15_miniature.safetensors"
SAMPLING = {
    "temperature": 0.85,
    "top_p": 0.9,
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "trace": False,
}
TEXT = {
    "seed": 20,
    **SAMPLING,
    "constrained_decoding": True,
}  # the miniature is brief with this seed
CODES = {
    "batch_size": 1,
    "seed": 1,
    "cfg": 2.0,
    **SAMPLING,
    "negative_prompt": "",
    "legacy_prompt": False,
    "chunk_size": 8,
}
SONG = {
    "caption": "calm piano",
    "lyrics": "[Verse]\nla",
    "seconds": 10.0,
    "bpm": 0,
    "key": "auto",
    "time_signature": "auto",
    "language": "auto",
    "instrumental": False,
}


def node(kind: str, /, **inputs: Any) -> dict[str, Any]:
    return {"class_type": f"AceStep15{kind}", "inputs": inputs}


def shown(*link: Any) -> dict[str, Any]:
    """An output node, so that what it is linked to runs."""
    return {"class_type": "PreviewAny", "inputs": {"source": list(link)}}


def song(**changes: Any) -> dict[str, Any]:
    return node("Song", **SONG | changes)


def load_lm(file: str = LM_FILE) -> dict[str, Any]:
    return node("LoadLM", file=file, dtype="fp32")


def think(source: str = "song", **changes: Any) -> dict[str, Any]:
    switches = {"metadata": True, "caption": True, "language": True}
    return node("Think", lm=["lm", 0], song=[source, 0], **switches | TEXT | changes)


def compose(source: str = "song", **changes: Any) -> dict[str, Any]:
    return node("ComposeCodes", lm=["lm", 0], song=[source, 0], **CODES | changes)


def create(**changes: Any) -> dict[str, Any]:
    given = {"query": "rain", "instrumental": False, "language": "auto", "seconds": 10.0}
    return node("CreateSample", lm=["lm", 0], **given | TEXT | changes)


def codes_of(text: str) -> dict[str, Any]:
    return node("TextToCodes", text=text)


def runner(pack: Pack) -> Run:
    """Runs the nodes that are given by name, with a language model called `lm` beside them."""

    def run(out: str, slot: int = 0, **nodes: dict[str, Any]) -> Outcome:
        prompt = {"lm": load_lm(), **nodes, "out": shown(out, slot)}
        return pack.host.run(prompt)

    return run


def value(outcome: Outcome, name: str, slot: int = 0) -> Any:
    assert outcome.complete, outcome.why()
    return outcome.values[name][slot]


def complaint(outcome: Outcome) -> str:
    """What a node says, before anything runs or when it runs."""
    if outcome.status == "refused":
        return outcome.why()
    assert outcome.status == "error", (outcome.status, outcome.why())
    assert outcome.error is not None
    return outcome.error["exception_message"]

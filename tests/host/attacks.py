"""Prompts that a server must survive: each input of each node at, below and above its limits, of
other types, and missing, made from /object_info.

A prompt may succeed, be refused, or end in an error of ours; `Found` counts them and keeps the
rest. After a literal in the place of a link only the server must be alive: a node of any pack gets
it as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from ace_core import errors
from tools.hosts.host import Outcome, Prompt

OURS: Final = "AceStep15"
NAMES: Final = {name for name in vars(errors) if name.endswith("Error")} | {"NotEnoughMemoryError"}
WIDGETS: Final = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3")
DYNAMIC: Final = WIDGETS[-1]
NO_LINK: Final = [
    "none",
    0,
]  # to a node that is not there: in the place of a dynamic combo's option
# no ComfyUI checks it, whosever the node is, and its worker ends
OTHER_TYPES: Final[tuple[Any, ...]] = (None, [], {}, "text", 1.5, True, NO_LINK, [["x"]])
NUMBERS: Final[tuple[Any, ...]] = (0, -1, 2**31, 2**64, -(2**64), 1e308, float("nan"), float("inf"))
TEXTS: Final[tuple[Any, ...]] = (
    *("", " ", "\0", "half \ud83c", "../up", "/tmp/x", "CON", "%", "a" * 20_000, "9" * 5_000),
    *("1, 2", "nan", "1e-320", "<|audio_code_99999999999|>", "[verse]\n" * 500, 7),
)


@dataclass(frozen=True)
class Attack:
    """One prompt with one odd value."""

    kind: str  # of the node
    name: str  # of the input
    value: Any
    prompt: Prompt
    literal: bool = False  # a value where only a link makes sense, which hosts hand on unchecked


@dataclass
class Found:
    """What became of the prompts."""

    outcomes: dict[str, int] = field(default_factory=dict)  # by status
    faults: list[str] = field(default_factory=list)

    def count(self, attack: Attack, outcome: Outcome) -> None:
        self.outcomes[outcome.status] = self.outcomes.get(outcome.status, 0) + 1
        error = outcome.error or {}
        kind = str(error.get("exception_type", "")).rpartition(".")[2]
        raised = outcome.status == "error" and str(error.get("node_type")).startswith(OURS)
        if raised and kind not in NAMES and not attack.literal:
            value = repr(attack.value)[:60]
            self.faults.append(f"{attack.kind}.{attack.name} = {value}: {outcome.why()[:300]}")


def attacks(info: Mapping[str, Any], prompts: Iterable[Prompt]) -> Iterator[Attack]:
    """Every attack on the nodes of ours that one of `prompts` has, the shortest one."""
    for kind in sorted(name for name in info if name.startswith(OURS)):
        places = [
            (prompt, node_id)
            for prompt in sorted(prompts, key=len)
            for node_id, node in prompt.items()
            if node["class_type"] == kind
        ]
        if places:
            yield from _attacks_on(kind, *places[0], info)


def _attacks_on(
    kind: str, whole: Prompt, node_id: str, info: Mapping[str, Any]
) -> Iterator[Attack]:
    prompt = _with_end(_ancestors(whole, node_id), node_id, info)
    declared = {
        **info[kind]["input"].get("required", {}),
        **info[kind]["input"].get("optional", {}),
    }
    for name in {**declared, **prompt[node_id]["inputs"]}:
        for value in _values(declared.get(name, ["*"])):
            if value == NO_LINK and declared.get(name, ["*"])[0] == DYNAMIC:
                continue
            changed = deepcopy(prompt)
            changed[node_id]["inputs"][name] = value
            literal = _is_socket(declared.get(name)) and not isinstance(value, list)
            yield Attack(kind, name, value, changed, literal)
        without = deepcopy(prompt)
        if without[node_id]["inputs"].pop(name, None) is not None:
            yield Attack(kind, name, "(missing)", without)


def _is_socket(declared: list[Any] | None) -> bool:
    """Whether an input takes links only; those of dynamic combos are not declared by themselves."""
    return declared is not None and isinstance(declared[0], str) and declared[0] not in WIDGETS


def _values(declared: list[Any]) -> Iterator[Any]:
    """Values for an input as /object_info declares it."""
    kind, settings = declared[0], declared[1] if len(declared) > 1 else {}
    limits = [settings[name] for name in ("min", "max") if name in settings]
    step = settings.get("step", 1)
    for limit, outwards in zip(limits, (-step, step), strict=False):
        yield from (limit, limit + outwards)
    options = kind if isinstance(kind, list) else settings.get("options", [])
    yield from (each for each in options[:3] if isinstance(each, str))
    if kind in ("INT", "FLOAT", "*"):
        yield from NUMBERS
    if kind in ("STRING", "*") or options:
        yield from TEXTS
    yield from OTHER_TYPES


def _ancestors(prompt: Prompt, node_id: str) -> Prompt:
    """The part of `prompt` that the node needs."""
    kept: Prompt = {}
    waiting = [node_id]
    while waiting:
        current = waiting.pop()
        if current in kept:
            continue
        kept[current] = prompt[current]
        waiting += [
            value[0]
            for value in prompt[current]["inputs"].values()
            if isinstance(value, list) and value and value[0] in prompt
        ]
    return kept


def _with_end(prompt: Prompt, node_id: str, info: Mapping[str, Any]) -> Prompt:
    """`prompt` with a node that shows the first output, where the node itself ends nothing."""
    if info[prompt[node_id]["class_type"]].get("output_node"):
        return prompt
    shown = {"class_type": "PreviewAny", "inputs": {"source": [node_id, 0]}}
    return {**prompt, "end": shown}

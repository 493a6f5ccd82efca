"""The schema of a node and the class that carries it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from .dynamic import DynamicInput, input_dict
from .kinds import Input, Output


class Hidden(str, Enum):
    """What a node may ask the executor for besides its inputs."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"


class HiddenHolder:
    """Hidden values by name; one that was not asked for is None."""

    def __init__(self, values: dict[Hidden, Any]) -> None:
        for name, value in values.items():
            setattr(self, name.name, value)

    def __getattr__(self, name: str) -> None:
        return None


@dataclass
class Schema:
    """The fields of the real schema that this pack can use; others are a TypeError."""

    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    description: str = ""
    search_aliases: list[str] = field(default_factory=list)
    is_output_node: bool = False

    def validate(self) -> None:
        flat = [each for each in self.inputs if not isinstance(each, DynamicInput)]
        _refuse_twins("Input", [each.id for each in flat])
        _refuse_twins("Output", [str(each.id) for each in self.outputs])

    def finalize(self) -> None:
        if self.is_output_node:
            wanted = (Hidden.prompt, Hidden.extra_pnginfo)
            self.hidden += [each for each in wanted if each not in self.hidden]
        for place, output in enumerate(self.outputs):
            output.id = output.id or f"_{place}_{output.io_type}_"


class NodeOutput:
    """What `execute` returns: values for the outputs, and something to show."""

    def __init__(self, *args: Any, ui: Any = None) -> None:
        self.args = args
        self.ui = ui

    @property
    def result(self) -> tuple[Any, ...] | None:
        return self.args or None

    def __getitem__(self, index: int) -> Any:
        return self.args[index]


class ComfyNode:
    """Base of every V3 node."""

    RELATIVE_PYTHON_MODULE: ClassVar[str | None] = None
    hidden: ClassVar[Any] = None

    @classmethod
    def define_schema(cls) -> Schema:
        raise NotImplementedError

    @classmethod
    def execute(cls, **inputs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def GET_SCHEMA(cls) -> Schema:  # noqa: N802  the host's name
        schema = cls.FINALIZE_SCHEMA()
        schema.validate()
        return schema

    @classmethod
    def FINALIZE_SCHEMA(cls) -> Schema:  # noqa: N802  the host's name
        schema = cls.define_schema()
        schema.finalize()
        return schema

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  the host's name
        schema = cls.FINALIZE_SCHEMA()
        types = input_dict(schema.inputs)
        if schema.hidden:
            types["hidden"] = {each.name: (each.value,) for each in schema.hidden}
        return types


def _refuse_twins(what: str, ids: list[str]) -> None:
    twins = [name for name, count in Counter(ids).items() if count > 1]
    if twins:
        raise ValueError(f"{what} ids must be unique, but {twins} are not.")

"""`DynamicCombo`, an input that stands for several: flat `a.b` keys in a prompt."""

from collections.abc import Sequence
from typing import Any

from .kinds import ComfyTypeIO, Input


class DynamicInput(Input):
    """`expand` says which flat inputs exist for the values a prompt gives."""

    def expand(self, prefix: str, live: dict[str, Any]) -> list[tuple[str, Input, bool]]:
        raise NotImplementedError


class DynamicCombo(ComfyTypeIO):
    """A choice that brings its own inputs: `task`, then `task.start`, ..."""

    io_type = "COMFY_DYNAMICCOMBO_V3"

    class Option:
        def __init__(self, key: str, inputs: list[Input]) -> None:
            self.key = key
            self.inputs = inputs

    class Input(DynamicInput):
        io_type = "COMFY_DYNAMICCOMBO_V3"
        fields = (*Input.fields, "options")
        options: list["DynamicCombo.Option"]
        positional = "options"

        def expand(self, prefix: str, live: dict[str, Any]) -> list[tuple[str, Input, bool]]:
            """Nothing when the choice is missing or unknown: so does the real host."""
            for option in self.options:
                if option.key == live.get(prefix):
                    own = [(prefix, self, not self.optional)]
                    return own + flatten(option.inputs, live, f"{prefix}.")
            return []

        def as_dict(self) -> dict[str, Any]:
            options = [{"key": o.key, "inputs": input_dict(o.inputs)} for o in self.options]
            return super().as_dict() | {"options": options}

        def get_all(self) -> list[Input]:
            return [self, *(inner for option in self.options for inner in option.inputs)]


def flatten(
    inputs: Sequence[Input], live: dict[str, Any], prefix: str = ""
) -> list[tuple[str, Input, bool]]:
    """(flat key, input, required) of every input that exists for the values `live`."""
    flat: list[tuple[str, Input, bool]] = []
    for each in inputs:
        name = f"{prefix}{each.id}"
        if isinstance(each, DynamicInput):
            flat += each.expand(name, live)
        else:
            flat.append((name, each, not each.optional))
    return flat


def nest(inputs: Sequence[Input], values: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments for `execute`: `{"task.start": 1}` becomes `{"task": {"start": 1}}`."""
    nested: dict[str, Any] = {}
    for key, value in values.items():
        first, *rest = key.split(".")
        if any(isinstance(i, DynamicCombo.Input) and i.id == key for i in inputs):
            nested.setdefault(key, {})[key] = value
        elif rest:
            nested.setdefault(first, {})[".".join(rest)] = value
        else:
            nested[key] = value
    return nested


def input_dict(inputs: Sequence[Input]) -> dict[str, dict[str, Any]]:
    """`{"required": {id: (type, settings)}, "optional": ...}`, as `INPUT_TYPES` gives it."""
    types: dict[str, dict[str, Any]] = {"required": {}}
    for each in inputs:
        settings = each.as_dict()
        settings.pop("optional", None)
        place = "optional" if each.optional else "required"
        types.setdefault(place, {})[each.id] = (each.get_io_type(), settings)
    return types

"""The fields of a request as a table: which types each takes. Read from the request's own class."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

WORDS: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its default, the plain types it takes, and those it takes a list of."""

    name: str
    default: Any
    plain: tuple[type, ...]
    listed: tuple[type, ...] = ()

    def fault(self, value: Any) -> str | None:
        """Why `value` is none of them; None when it is one."""
        several = isinstance(value, list) and bool(self.listed)
        if several and all(_is(item, self.listed) for item in value):
            return None
        if not several and _is(value, self.plain):
            return None
        allowed = [WORDS[each] for each in self.plain]
        allowed += [f"a list, each {WORDS[each]}" for each in self.listed]
        return f"{self.name} is {value!r}, but must be {' or '.join(allowed)}"


def fields_of(request: type) -> dict[str, Field]:
    """Every field of the dataclass `request`, in its order."""
    hints = typing.get_type_hints(request)
    return {
        field.name: Field(field.name, field.default, *_types(hints[field.name]))
        for field in dataclasses.fields(request)
    }


def _types(hint: Any) -> tuple[tuple[type, ...], tuple[type, ...]]:
    """The plain types of an annotation, and the types of its lists' items."""
    origin = typing.get_origin(hint)
    choices = typing.get_args(hint) if origin in (typing.Union, types.UnionType) else (hint,)
    plain = tuple(choice for choice in choices if typing.get_origin(choice) is not list)
    listed = tuple(
        typing.get_args(choice)[0] for choice in choices if typing.get_origin(choice) is list
    )
    return plain, listed


def _is(value: Any, allowed: tuple[type, ...]) -> bool:
    """JSON has one kind of number: 30 is a length in seconds, too. True is no number."""
    if isinstance(value, bool):
        return bool in allowed
    return isinstance(value, allowed) or (isinstance(value, int) and float in allowed)

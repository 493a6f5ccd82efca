"""The fields of a request as a table: the default and the types of each, read from its class."""

import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its default, the plain types it takes, and those it takes a list of."""

    name: str
    default: Any
    plain: tuple[type, ...]
    listed: tuple[type, ...] = ()


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

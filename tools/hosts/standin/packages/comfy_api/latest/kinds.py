"""Inputs, outputs and socket types. An unknown keyword is a TypeError, as on the real host."""

from enum import Enum
from typing import Any, ClassVar

_INPUT_FIELDS = (
    "display_name",
    "optional",
    "tooltip",
    "lazy",
    "extra_dict",
    "raw_link",
    "advanced",
)
_WIDGET_FIELDS = ("default", "socketless", "widget_type", "force_input")
_WIRE_NAMES = {
    "dynamic_prompts": "dynamicPrompts",
    "display_mode": "display",
    "force_input": "forceInput",
    "raw_link": "rawLink",
    "widget_type": "widgetType",
}


class Input:
    """One input of a schema; `as_dict` is what /object_info shows."""

    io_type: ClassVar[str] = "*"
    fields: ClassVar[tuple[str, ...]] = _INPUT_FIELDS
    positional: ClassVar[str] = "display_name"
    fixed: ClassVar[dict[str, Any]] = {}

    def __init__(self, id: str, *more: Any, **settings: Any) -> None:
        if len(more) > 1:
            raise TypeError(f"{id}: the stand-in takes the id and `{self.positional}` by place")
        settings.update(zip((self.positional,), more, strict=False))
        unknown = sorted(set(settings) - set(self.fields))
        if unknown:
            raise TypeError(f"{self.io_type}.Input got unexpected keywords {unknown}")
        self.id = id
        self.optional = False
        for name in self.fields:
            if name != "optional" or name in settings:
                setattr(self, name, settings.get(name))
        for name, value in self.fixed.items():
            setattr(self, name, value)
        self.extra_dict = settings.get("extra_dict") or {}

    def as_dict(self) -> dict[str, Any]:
        names = [name for name in (*self.fields, *self.fixed) if name not in ("extra_dict",)]
        values = {_WIRE_NAMES.get(name, name): getattr(self, name) for name in names}
        upload = values.pop("upload", None)
        if upload is not None:
            values[upload.value] = True
        plain = {name: _plain(value) for name, value in values.items() if value is not None}
        return plain | self.extra_dict

    def get_io_type(self) -> str:
        return getattr(self, "widget_type", None) or self.io_type

    def get_all(self) -> list["Input"]:
        return [self]


class WidgetInput(Input):
    """An input that is a widget until something is linked to it."""

    fields = (*_INPUT_FIELDS, *_WIDGET_FIELDS)


class Output:
    """One output of a schema."""

    io_type: ClassVar[str] = "*"

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
    ) -> None:
        self.id = id
        self.display_name = display_name or id
        self.tooltip = tooltip


class ComfyTypeIO:
    """A socket type: its name on the wire, its `Input` and its `Output`."""

    Type: ClassVar[Any] = Any
    io_type: ClassVar[str] = "*"
    Input: ClassVar[Any] = Input
    Output: ClassVar[Any] = Output


def Custom(io_type: str) -> type[ComfyTypeIO]:  # noqa: N802  the host's name
    """A socket type of one's own, or any type without a widget."""
    return _socket(io_type, Input, {})


def widget_type(
    io_type: str, fields: tuple[str, ...], positional: str = "display_name", **fixed: Any
) -> type[ComfyTypeIO]:
    """A socket type whose input is a widget with these settings."""
    names = {"fields": (*WidgetInput.fields, *fields), "positional": positional, "fixed": fixed}
    return _socket(io_type, WidgetInput, names)


def _socket(io_type: str, base: type[Input], names: dict[str, Any]) -> type[ComfyTypeIO]:
    """Real sockets subclass the plain `Input` and `Output`, so isinstance works on both hosts."""
    members = {
        "io_type": io_type,
        "Input": type("Input", (base,), {"io_type": io_type, **names}),
        "Output": type("Output", (Output,), {"io_type": io_type}),
    }
    return type(io_type, (ComfyTypeIO,), members)


def _plain(value: Any) -> Any:
    """An enumeration's members become their values, as the host sends them."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, type) and issubclass(value, Enum):
        return [member.value for member in value]
    return value

"""Parameters as people give them, in the form of their fields: one meaning of "not given", plain
Python numbers, paths as text. What has no such form is left for the checks that follow.
"""

import os
import re
import types
import typing
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

import numpy as np

from .audio_start import with_one_source
from .types import GenerationConfig, GenerationParams

Values = TypeVar("Values", GenerationParams, GenerationConfig)

OPEN_FIELDS: Final = frozenset(  # left to the model or to chance where they are -1 or "unknown"
    [
        *("bpm", "keyscale", "timesignature", "duration", "vocal_language", "seed", "seeds"),
        "retake_seed",
        *("cot_bpm", "cot_keyscale", "cot_timesignature", "cot_duration", "cot_vocal_language"),
    ]
)
EMPTY_IS_GIVEN: Final = ("lora",)  # an empty list is no adapter; None is those of the handler
METERS: Final = ("timesignature", "cot_timesignature")  # text that is usually a number
NUMBER: Final = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")


def normalized(values: Values) -> Values:
    """A copy of `values` in which `None`, a blank text or an empty list, and for what the model
    chooses -1 and "unknown", are the field's default, whatever the field. Only an empty `lora` is
    a value: no adapter.

    Whole numbers may be 128.0 or "128", numbers may be numpy's, a path may be a `Path`, and a time
    signature a number. A recording may have its name of another tool.

    Raises:
        InvalidRequestError: two names of one recording that differ.
    """
    hints = typing.get_type_hints(type(values))
    changes = {
        field.name: _normalized(field.name, getattr(values, field.name), hints[field.name])
        for field in fields(values)
    }
    defaults = {field.name: field.default for field in fields(values)}
    given = {name: value for name, value in changes.items() if value is not None}
    made = replace(values, **{**defaults, **given})
    return with_one_source(made) if isinstance(made, GenerationParams) else made


def _normalized(name: str, value: Any, hint: Any) -> Any:
    """`value` in a type of `hint`; None for not given."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if _is_open(name, value):
        return None
    if isinstance(value, (list, tuple)):
        value = [os.fspath(v) if isinstance(v, os.PathLike) else v for v in value]
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    value = _in_kind(value, kinds)
    is_number = type(value) is int or (type(value) is float and value.is_integer())
    return str(int(value)) if name in METERS and is_number else value


def _is_open(name: str, value: Any) -> bool:
    if isinstance(value, str):
        words = ("", "unknown", "-1") if name in OPEN_FIELDS else ("",)
        return value.strip().lower() in words
    if isinstance(value, (list, tuple)):
        return not value and name not in EMPTY_IS_GIVEN
    return name in OPEN_FIELDS and not isinstance(value, bool) and value == -1


def _in_kind(value: Any, kinds: tuple[Any, ...]) -> Any:
    """A number written as text, or as a float though it is whole, in the number's own type."""
    if isinstance(value, bool) or any(isinstance(value, k) for k in kinds if isinstance(k, type)):
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()) and {int, float} & set(kinds):
        value = float(value) if "." in value else int(value)
    if isinstance(value, float) and int in kinds and value.is_integer():
        return int(value)
    return value

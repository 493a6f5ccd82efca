"""Refusals of what was typed into a widget, at the widget and before anything runs."""

from collections.abc import Callable
from typing import Any

from ..ace_core.errors import AceStepError, InvalidRequestError


def checked(check: Callable[[Any], object], value: Any) -> bool | str:
    """The answer of `validate_inputs` for one widget: True, or what `check` raised, as text.

    A value that is wired is None there; the run checks it.
    """
    if value is None:
        return True
    try:
        check(value)
    except AceStepError as error:
        return str(error)
    return True


def check_zero_or(name: str, value: float, limits: tuple[float, float], zero: str) -> None:
    """Refuse a `value` of the widget `name` that is outside of `limits` and not 0, for `zero`.

    Raises:
        InvalidRequestError: it is none of them.
    """
    least, most = limits
    if value == 0 or least <= value <= most:
        return
    raise InvalidRequestError(f"`{name}` is {value:g}. Set {least:g} to {most:g}, or 0: {zero}.")

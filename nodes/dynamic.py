"""Inputs of dynamic combos, which hosts hand on without a check of the chosen option."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..ace_core.errors import InvalidRequestError


def chosen(values: Mapping[str, Any] | None, name: str, options: Sequence[str]) -> dict[str, Any]:
    """The values of the dynamic combo `name`: its option under that name, and the option's inputs.

    Raises:
        InvalidRequestError: no option was chosen, or one that there is not.
    """
    option = values.get(name) if isinstance(values, Mapping) else None
    if values is None or option not in options:
        raise InvalidRequestError(
            f"`{name}` has no option of this node. Choose one of {', '.join(options)}."
        )
    return dict(values)

"""The oldest supported versions of packages, and a warning where an older one is installed."""

import logging
import re
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Final

# The minimum versions of ComfyUI 0.20.1.
OLDEST: Final[Mapping[str, str]] = {
    "torch": "2.4",
    "transformers": "4.50",
    "numpy": "1.25",
    "safetensors": "0.4.3",
    "av": "14.2",
}

logger = logging.getLogger(__name__)


def warn_outdated() -> None:
    """Log a line where a package is too old. Nothing is refused: most of it may work."""
    line = outdated()
    if line is not None:
        logger.warning("%s", line)


def outdated(installed: Callable[[str], str] = metadata.version) -> str | None:
    """One line that names each package older than `OLDEST` allows; `None` where none is.

    A package without a recorded version counts as new enough.
    """
    old = [
        f"{name} {installed(name)} ({oldest} or newer is needed)"
        for name, oldest in OLDEST.items()
        if is_older(name, oldest, installed)
    ]
    if not old:
        return None
    return f"ACE-Step 1.5 may fail with these packages, please update them: {', '.join(old)}."


def is_older(name: str, version: str, installed: Callable[[str], str] = metadata.version) -> bool:
    """Whether the package `name` is older than `version`; False where none is recorded."""
    try:
        return _numbers(installed(name)) < _numbers(version)
    except metadata.PackageNotFoundError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    """`2.4.1+cu121` as (2, 4, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0]))

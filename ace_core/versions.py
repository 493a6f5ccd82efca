"""The oldest packages that the library works with, and what to say where one is older."""

import logging
import re
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Final

# The first three are what ComfyUI 0.20.1 asks for at least; soundfile is ours to install.
OLDEST: Final[Mapping[str, str]] = {
    "torch": "2.4",
    "transformers": "4.50",
    "numpy": "1.25",
    "safetensors": "0.4.3",
    "soundfile": "0.13",
}

logger = logging.getLogger(__name__)


def warn_outdated() -> None:
    """One line in the log where a package is too old. Nothing is refused: most of it may work."""
    line = outdated()
    if line is not None:
        logger.warning("%s", line)


def outdated(installed: Callable[[str], str] = metadata.version) -> str | None:
    """One line that names each package older than `OLDEST` allows; `None` where none is.

    A package without a version on record is taken for new enough: importing it tells more.
    """
    old = []
    for name, oldest in OLDEST.items():
        try:
            version = installed(name)
        except metadata.PackageNotFoundError:
            continue
        if _numbers(version) < _numbers(oldest):
            old.append(f"{name} {version} ({oldest} or newer is needed)")
    if not old:
        return None
    return f"ACE-Step 1.5 may fail with these packages, please update them: {', '.join(old)}."


def _numbers(version: str) -> tuple[int, ...]:
    """`2.4.1+cu121` as (2, 4, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0]))

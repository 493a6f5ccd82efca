"""The pack's files in ComfyUI's temp folder, which ComfyUI empties only when it starts and ends.

The page plays them, so one is removed when no page can still show it: a Sampler shows the newest
preview of its node alone, and a source is written again when it is used again. Which file is whose
is in its name, so nothing is held in memory.
"""

import contextlib
import hashlib
import os
from pathlib import Path
from uuid import uuid4

from . import folders

NODE_PREVIEWS = 4  # of one node of one page: the newest, and those that may be on their way to it
PREVIEWS = 64  # of all nodes of all pages, those that were closed included; 0.4 MB each at most
SOURCES = 32
SOURCE_BYTES = 512 * 2**20  # of all of them; ten minutes are 115 MB at most


def preview_file(client: str | None, node: str | None) -> Path:
    """A new name for a preview on a `node` of the page `client`.

    Raises:
        SaveError: the temp folder cannot be made.
    """
    return folders.temporary_file(f"{_preview_prefix(client, node)}{uuid4().hex}.flac")


def remove_old_previews(client: str | None, node: str | None) -> None:
    """Remove the previews that newer ones of the same node, or of all nodes, took the place of."""
    folder = folders.temporary_file("")
    keep_newest(folder, f"{_preview_prefix(client, node)}*.flac", NODE_PREVIEWS)
    keep_newest(folder, "ace_step_preview_*.flac", PREVIEWS)


def source_file(digest: str) -> tuple[Path, bool]:
    """The name for a source with that digest, and whether it is there; it then counts as new.

    Raises:
        SaveError: the temp folder cannot be made.
    """
    path = folders.temporary_file(f"ace_step_source_{digest}.flac")
    try:
        os.utime(path)
    except OSError:
        return path, False
    return path, True


def remove_old_sources() -> None:
    """Remove the sources that were not used for longest, if there are too many or too large."""
    keep_newest(folders.temporary_file(""), "ace_step_source_*.flac", SOURCES, SOURCE_BYTES)


def _preview_prefix(client: str | None, node: str | None) -> str:
    return f"ace_step_preview_{hashlib.sha256(repr((client, node)).encode()).hexdigest()[:16]}_"


def keep_newest(folder: Path, pattern: str, count: int, size: float = float("inf")) -> None:
    """At most `count` files and `size` bytes of them, and the newest in any case."""
    found = []
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # another run has just removed it
            state = path.stat()
            found.append((state.st_mtime_ns, state.st_size, path))
    used = 0
    for number, (_, bytes_of, path) in enumerate(sorted(found, reverse=True)):
        used += bytes_of
        if number and (number >= count or used > size):
            with contextlib.suppress(OSError):  # on Windows while it is played: at the next call
                path.unlink()

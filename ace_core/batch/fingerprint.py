"""Which weights made a song: a short name for the contents of a checkpoint's files.

Hashing twenty gigabytes before every batch would take minutes, so a part of each file is hashed:
its size, its first bytes (the header) and blocks spread evenly over the numbers. Another training
of the same model changes all of them.
"""

import hashlib
from pathlib import Path
from typing import Final

from ..weights import Checkpoint

BLOCK: Final = 2**16  # bytes
BLOCKS: Final = 64  # of a file, beside its first


def fingerprint(checkpoint: Checkpoint) -> str:
    """16 hexadecimal digits that stay when the files are moved or renamed."""
    digest = hashlib.sha256()
    for file in sorted(checkpoint.files, key=lambda path: path.name):
        _add(digest, file)
    return digest.hexdigest()[:16]


def _add(digest: "hashlib._Hash", path: Path) -> None:
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "little"))
    with path.open("rb") as file:
        for number in range(BLOCKS + 1):
            file.seek(max(0, size - BLOCK) * number // BLOCKS)
            digest.update(file.read(BLOCK))

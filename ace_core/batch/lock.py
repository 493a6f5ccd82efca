"""One process a folder: a lock that the system drops when its holder dies, however it dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import BatchError

NAME: Final = ".lock"
WHO: Final = 1  # where the holder's number stands; the byte before it is what is locked


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. The file stays behind; only its lock means anything.

    Raises:
        BatchError: another process holds it.
    """
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o666)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if not _take(file.fileno()):
            file.seek(WHO)
            holder = file.read(32).decode("ascii", "replace").strip()
            raise BatchError(
                f"{folder}: another batch{f' (process {holder})' if holder else ''} is writing "
                "here. Wait until it ends, or choose another folder with --out."
            )
        file.truncate(WHO)
        file.seek(WHO)
        file.write(f"{os.getpid()}\n".encode())
        yield


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

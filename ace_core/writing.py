"""The one writer of files: each is whole or not there, and takes a name that no other file has.

A file is written as `.<32 hexadecimal digits>.partial` in its own folder, brought to the disk, and
named by a hard link, which fails where the name is taken (a rename on Windows, and where the file
system has no links). Its writer holds a lock on it, which the system drops when a process ends, so
that a later writer knows and removes what dead processes left.
"""

import errno
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from uuid import uuid4

from .errors import SaveError
from .parallel import in_parallel
from .texts import name_fault, shown

ABANDONED: Final = 3600.0  # seconds without a change until an unlocked partial is removed
NO_LINKS: Final = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
WINDOWS: Final = sys.platform == "win32"

Content = Callable[[BinaryIO], object]  # writes a file's bytes to the file that it is given
_Paths = TypeVar("_Paths", bound=Sequence[Path])
_PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial")


def write_file(path: Path, content: Content, replace: bool = False, durable: bool = True) -> None:
    """Write a new file. With `replace` one that is there gives way to it, in one step.

    Not `durable`: a crash of the whole machine may lose it, for files that end with the process.

    Raises:
        SaveError: it cannot be written, or the name is taken; the folder is then as it was.
    """
    _check(path)
    with save_errors(path), Draft(path.parent) as draft:
        draft.write(content, durable)
        if replace:
            draft.path.replace(path)
        else:
            name_all([draft.path], [path])
        if durable:
            flush_folder(path.parent)


def bytes_content(content: bytes) -> Content:
    """What writes these bytes."""
    return lambda file: file.write(content)


def write_set(contents: Sequence[Content], names: Iterable[_Paths]) -> _Paths:
    """Write a set of new files under the first of `names`, in one folder, that is free for all. The
    contents are written at the same time.

    Raises:
        SaveError: they cannot be written; none of them is then there.
    """
    candidates = iter(names)
    paths = next(candidates)
    folder = paths[0].parent
    _check(paths[0])
    with save_errors(paths[0]), ExitStack() as stack:
        drafts = [stack.enter_context(Draft(folder)) for _ in contents]
        writes = zip(drafts, contents, strict=True)
        in_parallel([partial(draft.write, content) for draft, content in writes])
        while True:
            try:
                name_all([draft.path for draft in drafts], paths)
                break
            except FileExistsError:
                paths = next(candidates)
        flush_folder(folder)
    return paths


def _check(path: Path) -> None:
    """What the system would refuse with an error of Python's own, or store elsewhere (Windows)."""
    fault = "has a zero byte" if "\0" in str(path) else WINDOWS and name_fault(path.name)
    if fault:
        raise SaveError(f"{shown(path)}: this file's name {fault}. Choose another name.")


class Draft:
    """A partial file in `folder`, locked by this process; removed when the block ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "Draft":
        remove_abandoned(self.folder)
        while True:
            self.path = self.folder / f".{uuid4().hex}.partial"
            self.file = self.path.open("xb")
            lock(self.file.fileno())
            if self.path.exists():  # else it was removed before it was locked
                return self
            self.file.close()

    def write(self, content: Content, durable: bool = True) -> None:
        """
        Raises:
            OSError: the disk does not take it.
        """
        content(self.file)
        self.file.flush()
        if durable:
            os.fsync(self.file.fileno())
        if WINDOWS:
            self.file.close()  # an open file cannot be renamed there

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a full disk refuses the buffer again, and its error is raised
            self.file.close()
        self.path.unlink(missing_ok=True)


def name_all(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    """Give finished files their names, all or none. A source may remain under its old name, too.

    Raises:
        FileExistsError: a name is taken.
        OSError: it cannot be given.
    """
    named: list[Path] = []
    try:
        for source, target in zip(sources, targets, strict=True):
            _name(source, target)
            named.append(target)
    except BaseException:
        for source, target in zip(sources, named, strict=False):
            if source.exists():
                target.unlink(missing_ok=True)
            else:  # it was renamed
                target.rename(source)
        raise


def _name(source: Path, target: Path) -> None:
    if WINDOWS:
        source.rename(target)  # which fails there where the name is taken
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _rename_to_free(source, target)


def _rename_to_free(source: Path, target: Path) -> None:
    """Without hard links: among our own processes a name is taken by a file that stands for it."""
    digest = hashlib.sha256(target.name.casefold().encode("utf-8", "surrogatepass")).hexdigest()
    claim = target.with_name(f".{digest[:32]}.partial")
    with claim.open("xb"):
        try:
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            source.rename(target)
        finally:
            claim.unlink(missing_ok=True)


def make_folder(folder: Path, name: str = "The folder") -> Path:
    """`folder` itself, made where it is missing; `name` is what messages call it.

    Raises:
        SaveError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise SaveError(
            f"{name} {shown(folder)} cannot be made: {_reason(error)}. Choose a folder that "
            "may be written to, and whose name no file has."
        ) from error
    return folder


@contextmanager
def save_errors(path: Path) -> Iterator[None]:
    """What the system refuses in the block, as errors of ours about the file at `path`.

    Raises:
        SaveError: the system refused something.
    """
    try:
        yield
    except FileExistsError as error:
        raise SaveError(
            f"{shown(path)} is there already and is not replaced. Choose another name."
        ) from error
    except (OSError, UnicodeError) as error:
        raise SaveError(
            f"{shown(path.name)} cannot be written to {shown(path.parent)}: {_reason(error)}. Make "
            "room or choose a folder that exists and may be written to, and save again."
        ) from error


def _reason(error: Exception) -> str:
    return shown(getattr(error, "strerror", None) or error)


@contextmanager
def draft_folder(parent: Path) -> Iterator[Path]:
    """A folder for unfinished files in `parent`, which is made; removed when the block ends.

    Raises:
        SaveError: it cannot be made.
    """
    make_folder(parent)
    remove_abandoned(parent)
    folder = parent / f".{uuid4().hex}.partial"
    with save_errors(folder):
        folder.mkdir()
    descriptor = None if WINDOWS else os.open(folder, os.O_RDONLY)
    try:
        if descriptor is not None:
            lock(descriptor)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Remove partial files and folders that processes left which were killed.

    Only those of this module's names, unlocked, and without a change for an hour: where a network
    disk does not tell other machines of locks, a running writer keeps its file nevertheless. On
    Windows the system refuses to remove files that are open; folders are left there.
    """
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _PARTIAL.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(path: Path) -> None:
    status = path.lstat()
    if time.time() - status.st_mtime < ABANDONED or path.is_symlink():
        return
    if WINDOWS:
        path.unlink()
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    finally:
        os.close(descriptor)


def flush_folder(path: Path) -> None:
    """Bring new names to the disk. Windows has no such call and needs none."""
    if not WINDOWS:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system without it
                raise
        finally:
            os.close(descriptor)


if sys.platform == "win32":

    def lock(descriptor: int) -> None:
        """Nothing: the system itself keeps an open file."""

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Lock an open file or folder until it is closed, where the file system has locks."""
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)

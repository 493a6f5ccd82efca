"""Trials of saving that are too long for the tests, for each kind of file that the project writes.

`python -m tools.testing.save_trials kills` kills (-9) a process while it saves, fifty times a kind;
`together` lets two processes save to one folder under one name; `full` saves to disks that take
less than a file, and, with `--folder` on a small disk, until that is full. Each counts what was
reported as saved, what is there, and what is not whole. Linux only: processes are forks of one
that has loaded everything.
"""

import argparse
import itertools
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tools.hosts import standin
from tools.hosts.pack import Pack, load_pack

LYRICS = "[00:01.00]rain on the roof\n" * 4000  # 100 kB, so that a write can be cut short
PARTIAL = ".*.partial"
SOUND = torch.sin(torch.arange(24_000) / 20).repeat(2, 1)
ROOMS = (0, 100, 4096, 20_000)  # bytes that a file may have


@dataclass(frozen=True)
class Kind:
    """A kind of file: what saves one of it below a folder and gives its paths, and where."""

    name: str
    save: Callable[[], list[Path]]
    folder: Path
    refusal: type[Exception]  # SaveError, of the loaded pack


@contextmanager
def kinds(base: Path) -> Iterator[list[Kind]]:
    """All kinds, in a stand-in host whose folders are below `base`."""
    (base / "input").mkdir(parents=True, exist_ok=True)
    standin.activate(base)
    from tools.hosts.standin.executor import StandinHost  # importable from here on

    torch.set_num_threads(1)  # a fork must not inherit threads
    pack = load_pack(StandinHost())
    yield [*_numbered(pack, base), _library(pack, base), _temporary(pack, base)]


def _numbered(pack: Pack, base: Path) -> Iterator[Kind]:
    folders, files = pack.submodule("nodes.folders"), pack.submodule("ace_core.audio.files")
    words = folders.text_content(LYRICS)
    sounds = {
        name: files.audio_content("song", SOUND, files.FileFormat(encoding), {"lyrics": LYRICS})
        for name, encoding in files.Encoding.__members__.items()
        if name in ("FLAC_24", "WAV_24", "MP3")
    }
    flac = sounds["FLAC_24"]
    sets = {name: {f"_.{name[:4].strip('_').lower()}": each} for name, each in sounds.items()}
    sets["lyrics"] = {"_.lrc": words}
    sets["sound with lyrics"] = {"_.flac": flac, "_.lrc": words}
    sets["stems"] = {f"_{name}.flac": flac for name in ("bass", "drums", "vocals")}
    for name, contents in sets.items():
        place = f"{name}/song".replace(" ", "_")

        def save(contents: Any = contents, place: str = place) -> list[Path]:
            (write,) = folders.output(place).writes([contents])
            return write()

        yield Kind(name, save, base / "output" / Path(place).parent, _refusal(pack))


def _library(pack: Pack, base: Path) -> Kind:
    saving, types = pack.submodule("ace_core.inference.saving"), pack.submodule("ace_core.types")
    folder = base / "output" / "library"

    def save() -> list[Path]:
        saving.make_folder(str(folder))
        audio = saving.audio_dict(SOUND, {"caption": "rain"}, "key")
        saving.save_song(audio, types.Song(caption="rain"), folder, "flac")
        return [Path(audio["path"])]

    return Kind("library", save, folder, _refusal(pack))


def _temporary(pack: Pack, base: Path) -> Kind:
    folders = pack.submodule("nodes.folders")
    numbers = itertools.count()

    def save() -> list[Path]:
        path = folders.temporary_file(f"preview_{os.getpid()}_{next(numbers)}.flac")
        folders.save_temporary(path, folders.text_content(LYRICS))
        return [path]

    return Kind("preview", save, base / "temp", _refusal(pack))


def _refusal(pack: Pack) -> type[Exception]:
    return pack.submodule("ace_core.errors").SaveError


class Process:
    """A fork that saves `times` times, and reports each path when it is saved."""

    def __init__(self, kind: Kind, times: int) -> None:
        self.reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                for _ in range(times):
                    for path in kind.save():
                        os.write(writing, f"{path}\n".encode())
                code = 0
            finally:
                os._exit(code)
        os.close(writing)

    def end(self) -> list[Path]:
        """What it has reported, when it has ended."""
        with os.fdopen(self.reading, encoding="utf-8") as told:
            paths = [Path(line) for line in told.read().splitlines()]
        os.waitpid(self.pid, 0)
        return paths


def faults(kind: Kind, told: list[Path], whole: dict[str, bytes]) -> list[str]:
    """What is lost, torn or given twice; `whole` is what each ending's files hold."""
    found = [f"{path.name}: reported as saved and not there" for path in told if not path.is_file()]
    if len(set(told)) < len(told):
        found.append(f"{len(told) - len(set(told))} names were given twice")
    for path in kind.folder.iterdir():
        if not path.match(PARTIAL) and path.read_bytes() != whole[_ending(path)]:
            found.append(f"{path.name}: not whole")
    return found


def _ending(path: Path) -> str:
    stem = path.name.rsplit("_", 1)[-1]
    return stem if "song" in path.name else path.suffix


def references(kind: Kind) -> dict[str, bytes]:
    return {_ending(path): path.read_bytes() for path in kind.save()}


def report(kind: Kind, told: list[Path], found: list[str], note: str) -> bool:
    there = [path for path in kind.folder.iterdir() if not path.match(PARTIAL)]
    print(
        f"{kind.name:18} {note}: {len(told)} files reported, {len(there)} there, "
        f"{len(found)} lost or torn",
        *found[:5],
        sep="\n    " if found else "",
        flush=True,
    )
    return not found


def kills(kind: Kind, times: int, rng: random.Random) -> bool:
    whole, told = references(kind), []
    for _ in range(times):
        process = Process(kind, 10**6)
        time.sleep(rng.uniform(0.002, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        told += process.end()
    found = faults(kind, told, whole)
    left = list(kind.folder.glob(PARTIAL))
    for path in left:
        os.utime(path, (0, 0))  # older than any running save
    kind.save()
    found += [f"{path.name}: not removed" for path in kind.folder.glob(PARTIAL)]
    return report(kind, told, found, f"{times} kills, {len(left)} partial files then removed")


def together(kind: Kind, times: int, rng: random.Random) -> bool:
    del rng
    whole = references(kind)
    processes = [Process(kind, times) for _ in range(2)]
    told = [path for process in processes for path in process.end()]
    found = faults(kind, told, whole)
    missing = 2 * times * len(whole) - len(told)
    found += [f"{missing} files were not saved"] if missing else []
    found += [f"{path.name}: is left" for path in kind.folder.glob(PARTIAL)]
    return report(kind, told, found, f"2 processes, {times} saves each")


def full(kind: Kind, times: int, rng: random.Random) -> bool:
    del rng
    whole, told, found = references(kind), [], []
    largest = max(map(len, whole.values()))
    rooms = [room for room in (*ROOMS, largest - 1) if room < largest]
    for room in rooms:
        with files_of_at_most(room), suppress(kind.refusal):
            kind.save()
            found.append(f"a save with room for {room} bytes a file was not refused")
    refused = len(rooms) - len(found)
    try:
        for _ in range(times):
            told += kind.save()
    except kind.refusal:
        refused += 1
    found += faults(kind, told, whole)
    found += [f"{path.name}: is left" for path in kind.folder.glob(PARTIAL)]
    there = [path for path in kind.folder.iterdir() if not path.match(PARTIAL)]
    if len(there) != len(told) + len(whole):
        found.append(f"{len(there)} files are there, {len(told) + len(whole)} were reported")
    done = report(kind, told, found, f"{refused} saves refused")
    for path in there:  # room for the next kind
        path.unlink()
    return done


@contextmanager
def files_of_at_most(room: int) -> Iterator[None]:
    """The system lets no file of this process grow beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


TRIALS = {"kills": (kills, 50), "together": (together, 200), "full": (full, 20)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trial", choices=TRIALS)
    parser.add_argument("--times", type=int, help="kills, or saves of each process")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    parser.add_argument("--folder", type=Path, help="where to save (default: the system's folder)")
    arguments = parser.parse_args()
    trial, times = TRIALS[arguments.trial]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, kinds(Path(folder)) as found:
        rng = random.Random(arguments.seed)
        good = [trial(kind, arguments.times or times, rng) for kind in found]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()

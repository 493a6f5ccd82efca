"""A job, its result, and the callables that run jobs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .prompts import Line

FIT: Final = "fit"  # the fact of a take that is one of several, ranked from the best


@dataclass(frozen=True, slots=True)
class Job:
    """A line of the prompts and its seeds, one per item."""

    line: Line
    seeds: tuple[int, ...]

    @property
    def id(self) -> str:
        return self.line.id


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished file under a temporary name; `facts` go into its record beside the hash."""

    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobResult:
    """The files of a song, or the error. `facts` go into its record."""

    job: Job
    files: tuple[OutputFile, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


Write = Callable[[], JobResult]  # writes the files of a song that is made
RunJob = Callable[[Job, Path], Write]  # makes one song; its files will be below the folder
# Runs all jobs in any order; yields what writes a song below the folder as soon as it is made.
Executor = Callable[[Sequence[Job], Path], Iterator[Write]]

"""Jobs in this process: one song after the other as by the Python API, the models loaded once."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from ..errors import SaveError
from ..inference.music import MusicMaker
from ..inference.progress import RunProgress
from ..inference.saving import UnsavedSongs
from ..inference.types import GenerationResult
from .jobs import FIT, Executor, Job, JobResult, OutputFile, RunJob, Write
from .models import ModelChoice, Models
from .prompts import request_of

Progress = Callable[..., Any]  # (share of the song from 0 to 1, desc=what is being done)

FOUND: Final = ("score", FIT)  # of a song, for its record

_Made = TypeVar("_Made")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """Runs jobs with loaded models."""

    models: Models
    base: Path  # of relative paths of recordings
    progress: Progress | None = None

    def __call__(self, job: Job, folder: Path) -> Write:
        """What writes the song below `folder`, or gives the error.

        Every error is recorded as this song's, so that no line can stop the batch for good.
        """
        start = time.perf_counter()
        unsaved: list[UnsavedSongs] = []
        result = _or_error(job, partial(self._made, job, folder, unsaved.append))
        seconds = time.perf_counter() - start
        if isinstance(result, JobResult):
            return lambda: result
        return lambda: _or_error(job, partial(_written, job, result, unsaved, seconds))

    def _made(
        self, job: Job, folder: Path, save: Callable[[UnsavedSongs], None]
    ) -> GenerationResult | JobResult:
        params, config = request_of(job.line.request, self.base, job.seeds)
        models, clock = self.models, RunProgress(self.progress)
        maker = MusicMaker(models.dit, models.lm, clock, str(folder), save)
        result = maker.made(params, config)
        if not result.success:
            return JobResult(job, error=result.error or result.status_message)
        return result


def _or_error(job: Job, work: Callable[[], _Made]) -> _Made | JobResult:
    try:
        return work()
    except Exception as error:
        logger.exception("%s: this song is recorded as failed", job.id)
        return JobResult(job, error=f"{type(error).__name__}: {error}")


def _written(
    job: Job, result: GenerationResult, unsaved: Sequence[UnsavedSongs], seconds: float
) -> JobResult:
    """The song in its files; it took `seconds` to make."""
    start = time.perf_counter()
    try:
        for songs in unsaved:
            songs.save()
    except SaveError as error:
        return JobResult(job, error=str(error))
    seconds = round(seconds + time.perf_counter() - start, 3)
    return JobResult(job, _files(result), {"seconds": seconds, **_facts(result)})


def _files(result: GenerationResult) -> tuple[OutputFile, ...]:
    return tuple(file for audio in result.audios for file in _files_of(audio))


def _files_of(audio: Mapping[str, Any]) -> Iterator[OutputFile]:
    """The song, and its timed lyrics."""
    facts = {"seed": audio["params"]["seed"], "key": audio["key"]}
    found = {name: audio[name] for name in FOUND if name in audio}
    yield OutputFile(Path(audio["path"]), facts | found)
    if "lyric_timestamps" in audio:
        yield OutputFile(Path(audio["lyric_timestamps"]["path"]), facts)


def _facts(result: GenerationResult) -> dict[str, Any]:
    extra = result.extra_outputs
    return {
        "time_costs": extra.get("time_costs", {}),
        "lm_metadata": extra.get("lm_metadata"),
        "notes": result.status_message,
    }


def load_worker(choice: ModelChoice, base: Path, progress: Progress | None = None) -> RunJob:
    """A worker with its models loaded.

    Raises:
        CheckpointError: a model is missing or cannot be loaded.
    """
    return LocalWorker(choice.load(), base, progress)


def local_executor(load: Callable[[], RunJob]) -> Executor:
    """An executor that runs the jobs one after the other in this process."""

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
        run_job = load()
        return (run_job(job, folder) for job in jobs)

    return executor

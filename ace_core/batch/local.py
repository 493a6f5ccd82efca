"""Jobs in this process: one song after the other by the published call, the models loaded once."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..inference import generate_music
from ..inference.types import GenerationResult
from .jobs import FIT, Executor, Job, JobResult, OutputFile, RunJob
from .models import ModelChoice, Models
from .prompts import request_of

Progress = Callable[..., Any]  # (share of the song from 0 to 1, desc=what is being done)

FOUND: Final = ("score", FIT)  # of a song, for its record

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """Runs jobs with loaded models."""

    models: Models
    base: Path  # of relative paths of recordings
    progress: Progress | None = None

    def __call__(self, job: Job, folder: Path) -> JobResult:
        """The song's files below `folder`, or the error.

        Every error is recorded as this song's, so that no line can stop the batch for good.
        """
        start = time.perf_counter()
        try:
            result = self._generate(job, folder)
        except Exception as error:
            logger.exception("%s: this song is recorded as failed", job.id)
            return JobResult(job, error=f"{type(error).__name__}: {error}")
        if not result.success:
            return JobResult(job, error=result.error or result.status_message)
        seconds = round(time.perf_counter() - start, 3)
        return JobResult(job, _files(result), {"seconds": seconds, **_facts(result)})

    def _generate(self, job: Job, folder: Path) -> GenerationResult:
        params, config = request_of(job.line.request, self.base, job.seeds)
        return generate_music(
            self.models.dit, self.models.lm, params, config, str(folder), self.progress
        )


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

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[JobResult]:
        run_job = load()
        return (run_job(job, folder) for job in jobs)

    return executor

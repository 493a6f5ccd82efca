"""A batch on Ray Data: actors hold the models, one song is one block, finished songs stream back to
the driver, which writes them and holds the lock and the manifest. Workers need no shared disk;
only the recordings that a request names must have the same path there.
"""

import importlib
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..errors import BatchError
from ..writing import bytes_content, write_file
from .jobs import Executor, Job, JobResult, OutputFile, RunJob, Write

PACKAGE: Final = Path(__file__).parents[1]  # sent to workers that do not have it
ATTEMPTS: Final = 3  # per song and worker; a song that exhausts memory must not block the others
LOADING: Final = "(models)"  # counted like a song; ids have no brackets
DEAD: Final = "The workers died again and again while they loaded the models. Is their memory full?"
LOST: Final = (
    f"Its worker died {ATTEMPTS} times while making it. If its memory was full, ask for a smaller "
    "batch_size or a shorter duration."
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where to run: an address, "local" for a Ray of our own, or None for the one that Ray finds,
    else a local one. `workers` None: one per GPU."""

    address: str | None = None
    workers: int | None = None


class Attempts:
    """An actor that outlives the workers and counts unfinished attempts by name.

    Ray restarts a worker that died and gives it the same song, without a limit.
    """

    def __init__(self) -> None:
        self.started: Counter[str] = Counter()

    def start(self, name: str) -> int:
        self.started[name] += 1
        return self.started[name]

    def finish(self, name: str) -> None:
        self.started[name] = 0


class Worker:
    """An actor with the models, which runs jobs."""

    def __init__(self, load: Callable[[], RunJob], attempts: Any, workers: int) -> None:
        if _ray().get(attempts.start.remote(LOADING)) > ATTEMPTS * workers:
            raise RuntimeError(DEAD)
        self.run_job = load()
        attempts.finish.remote(LOADING)
        self.attempts = attempts

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"song": [self._packed(pickle.loads(job)) for job in batch["job"]]}  # noqa: S301  our own

    def _packed(self, job: Job) -> bytes:
        if _ray().get(self.attempts.start.remote(job.id)) > ATTEMPTS:
            return pickle.dumps((JobResult(job, error=LOST), []))
        with tempfile.TemporaryDirectory() as folder:
            result = self.run_job(job, Path(folder))()
            contents = [file.path.read_bytes() for file in result.files]
        return pickle.dumps((result, contents))


def ray_executor(load: Callable[[], RunJob], cluster: Cluster) -> Executor:
    """An executor on the GPUs of a cluster. `load` runs in each worker and must be picklable.

    Raises:
        BatchError: Ray is not installed; while it runs: the Ray job cannot go on.
    """
    ray = _ray()

    def executor(jobs: Sequence[Job], folder: Path) -> Iterator[Write]:
        try:
            ray.init(
                address=cluster.address,
                runtime_env={"py_modules": [str(PACKAGE)]},
                log_to_driver=False,
                logging_level="error",
            )
            for song in _songs(ray, jobs, load, cluster.workers):
                result, contents = pickle.loads(song)  # noqa: S301  our own workers wrote it
                yield partial(_unpacked, result, contents, folder)
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise BatchError(
                f"The Ray job has stopped: {str(error).strip().splitlines()[-1]} Finished songs "
                "are kept; run the same command again to go on."
            ) from error
        finally:
            ray.shutdown()

    return executor


def _ray() -> Any:
    try:
        importlib.import_module("ray.data")
    except ImportError as error:
        raise BatchError(
            "--ray needs Ray, which is not installed. Install this project's extra `ray` (that is "
            "`pip install 'ray[data]'`), or leave --ray out to run in this process."
        ) from error
    return importlib.import_module("ray")


def _songs(
    ray: Any, jobs: Sequence[Job], load: Callable[[], RunJob], workers: int | None
) -> Iterator[bytes]:
    """Pickled results, each as soon as it is finished."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    gpus = int(ray.cluster_resources().get("GPU", 0))
    workers = workers or gpus or 1
    attempts = ray.remote(Attempts).options(num_cpus=0).remote()
    items = [{"job": pickle.dumps(job)} for job in jobs]
    songs = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        Worker,
        fn_constructor_args=(load, attempts, workers),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        **({"num_gpus": 1} if gpus else {"num_cpus": 1}),
    )
    # prefetching would hold every song back until the next one is finished
    for batch in songs.iter_batches(batch_size=None, prefetch_batches=0):
        yield from batch["song"]


def _unpacked(result: JobResult, contents: list[bytes], folder: Path) -> JobResult:
    """The result with its files below `folder`."""
    files = []
    for number, (file, content) in enumerate(zip(result.files, contents, strict=True)):
        path = folder / f"{number}{file.path.suffix}"
        write_file(path, bytes_content(content))
        files.append(OutputFile(path, file.facts))
    return JobResult(result.job, tuple(files), result.facts, result.error)

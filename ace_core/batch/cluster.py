"""A batch as a Ray Data job: actors hold the models, one song is one block, finished songs stream
back and are written here, where the lock and the manifest are. Workers need no shared disk; only
the recordings that a request names must lie there under the same path.
"""

import importlib
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import BatchError
from .orders import MadeFile, Make, Makers, Order, Outcome

PACKAGE: Final = Path(__file__).parents[1]  # sent to workers that do not have it
ATTEMPTS: Final = 3  # of a worker at one thing; a song that is too big must not hold up others
LOADING: Final = "(models)"  # no id
DEAD: Final = "The workers died again and again while they loaded the models. Is their memory full?"
LOST: Final = (
    f"Its worker died {ATTEMPTS} times while making it. If its memory was full, ask for a smaller "
    "batch_size or a shorter duration."
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where to run: an address, "local" for a Ray of our own, or None for the one that Ray finds,
    else a local one. `workers` None: one a GPU."""

    address: str | None = None
    workers: int | None = None


class Attempts:
    """Lives in an actor of its own, which outlives the workers: what they began and never ended.

    Ray starts a worker that died again, and hands it the same song, without an end.
    """

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()

    def begin(self, name: str) -> int:
        self.begun[name] += 1
        return self.begun[name]

    def end(self, name: str) -> None:
        self.begun[name] = 0


class Worker:
    """Lives in an actor: the models, and a song for every order it is handed."""

    def __init__(self, load: Callable[[], Make], attempts: Any, workers: int) -> None:
        if _ray().get(attempts.begin.remote(LOADING)) > ATTEMPTS * workers:
            raise RuntimeError(DEAD)
        self.make = load()
        attempts.end.remote(LOADING)
        self.attempts = attempts

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"song": [self._packed(pickle.loads(order)) for order in batch["order"]]}  # noqa: S301  our own

    def _packed(self, order: Order) -> bytes:
        if _ray().get(self.attempts.begin.remote(order.id)) > ATTEMPTS:
            return pickle.dumps((Outcome(order, error=LOST), []))
        with tempfile.TemporaryDirectory() as folder:
            outcome = self.make(order, Path(folder))
            contents = [file.path.read_bytes() for file in outcome.files]
        return pickle.dumps((outcome, contents))


def on_ray(load: Callable[[], Make], cluster: Cluster) -> Makers:
    """Makers on the GPUs of a cluster. `load` makes one in each worker; it must be picklable.

    Raises:
        BatchError: Ray is not installed; later, when the job cannot go on.
    """
    ray = _ray()

    def makers(orders: Sequence[Order], folder: Path) -> Iterator[Outcome]:
        try:
            ray.init(
                address=cluster.address,
                runtime_env={"py_modules": [str(PACKAGE)]},
                log_to_driver=False,
                logging_level="error",
            )
            for song in _songs(ray, orders, load, cluster.workers):
                outcome, contents = pickle.loads(song)  # noqa: S301  our own workers wrote it
                yield _unpacked(outcome, contents, folder)
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise BatchError(
                f"The Ray job has stopped: {str(error).strip().splitlines()[-1]} Finished songs "
                "are kept; run the same command again to go on."
            ) from error
        finally:
            ray.shutdown()

    return makers


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
    ray: Any, orders: Sequence[Order], load: Callable[[], Make], workers: int | None
) -> Iterator[bytes]:
    """Packed outcomes, as they are finished."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    gpus = int(ray.cluster_resources().get("GPU", 0))
    workers = workers or gpus or 1
    attempts = ray.remote(Attempts).options(num_cpus=0).remote()
    items = [{"order": pickle.dumps(order)} for order in orders]
    songs = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        Worker,
        fn_constructor_args=(load, attempts, workers),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        **({"num_gpus": 1} if gpus else {"num_cpus": 1}),
    )
    # without prefetching, which would hold every song back until the next one is finished
    for batch in songs.iter_batches(batch_size=None, prefetch_batches=0):
        yield from batch["song"]


def _unpacked(outcome: Outcome, contents: list[bytes], folder: Path) -> Outcome:
    """The outcome with its files below `folder`."""
    files = []
    for number, (file, content) in enumerate(zip(outcome.files, contents, strict=True)):
        path = folder / f"{number}{file.path.suffix}"
        path.write_bytes(content)
        files.append(MadeFile(path, file.facts))
    return Outcome(outcome.order, tuple(files), outcome.facts, outcome.error)

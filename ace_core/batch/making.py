"""One song from one order, by the published call, with models that are held."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AceStepError
from ..inference import generate_music
from ..inference.results import GenerationResult
from .models import ModelChoice, Models
from .orders import MadeFile, Make, Makers, Order, Outcome
from .request import request_of

Progress = Callable[..., Any]  # (share of the song from 0 to 1, desc=what is being done)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes songs in this process."""

    models: Models
    base: Path  # that relative paths of recordings start from
    progress: Progress | None = None

    def __call__(self, order: Order, folder: Path) -> Outcome:
        """The song's files below `folder`, or why there are none.

        What can go wrong with one song alone (memory, a disk, a broken recording) is recorded and
        left behind; a mistake of ours that would meet every song is raised.
        """
        began = time.perf_counter()
        try:
            result = self._generate(order, folder)
        except (
            AceStepError,
            ArithmeticError,
            LookupError,
            MemoryError,
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            logger.exception("%s: this song is recorded as failed", order.id)
            return Outcome(order, error=f"{type(error).__name__}: {error}")
        if not result.success:
            return Outcome(order, error=result.error or result.status_message)
        seconds = round(time.perf_counter() - began, 3)
        return Outcome(order, _files(result), {"seconds": seconds, **_facts(result)})

    def _generate(self, order: Order, folder: Path) -> GenerationResult:
        params, config = request_of(order.line.request, self.base, order.seeds)
        return generate_music(
            self.models.dit, self.models.lm, params, config, str(folder), self.progress
        )


def _files(result: GenerationResult) -> tuple[MadeFile, ...]:
    return tuple(
        MadeFile(Path(audio["path"]), {"seed": audio["params"]["seed"], "key": audio["key"]})
        for audio in result.audios
    )


def _facts(result: GenerationResult) -> dict[str, Any]:
    extra = result.extra_outputs
    return {
        "time_costs": extra.get("time_costs", {}),
        "lm_metadata": extra.get("lm_metadata"),
        "notes": result.status_message,
    }


def load_maker(choice: ModelChoice, base: Path, progress: Progress | None = None) -> Make:
    """A maker with its models loaded.

    Raises:
        CheckpointError: a model is missing or cannot be loaded.
    """
    return Maker(choice.load(), base, progress)


def here(load: Callable[[], Make]) -> Makers:
    """Makers of one: this process, a song after the other."""

    def makers(orders: Sequence[Order], folder: Path) -> Iterator[Outcome]:
        make = load()
        return (make(order, folder) for order in orders)

    return makers

"""Several takes of one song: how many are made, by what they are judged, and their ranking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from torch import Tensor

from ..constants import BATCH_RANGE, SAMPLE_RATE
from ..errors import InvalidRequestError
from ..measure.criteria import Weights, check_asked, parse_conditions, parse_preference
from ..measure.fit import judge, ranked, ranking_lines
from ..measure.measurement import measure
from ..types import Song
from .types import GenerationConfig, GenerationResult

SCORES: Final = ("lyrics", "quality")  # criteria that the models judge


@dataclass(frozen=True, slots=True)
class Takes:
    """`count` takes at most, judged by `weights` of the field `name`; `stops`: at the first round
    in which one fits."""

    name: str
    weights: Weights
    count: int
    stops: bool

    def check_song(self, song: Song) -> None:
        """Refuse before a take is made what it cannot be compared with.

        Raises:
            InvalidRequestError: the song leaves it open.
        """
        check_asked(self.weights, song, self.name)

    def judged(self, song: Song, audio: Tensor, scores: dict[str, float]) -> dict[str, Any]:
        """What is said of one take `audio` [C, N], ready for JSON."""
        given = {name: scores[name] for name in SCORES if name in self.weights}
        return judge(self.weights, song, measure(audio, SAMPLE_RATE), given).to_dict()

    def rounds(self, seeds: Sequence[int], at_once: int) -> list[Sequence[int]]:
        """The seeds of the takes that are made together."""
        size = at_once if self.stops else len(seeds)
        return [seeds[first : first + size] for first in range(0, len(seeds), size)]

    def finished(self, results: Sequence[GenerationResult]) -> bool:
        """Whether no further take is needed."""
        made = (audio for result in results for audio in result.audios)
        return self.stops and any(audio["fit"]["fits"] for audio in made)

    def notes(self, made: Sequence[dict[str, Any]], batch_size: int) -> list[str]:
        """What was found, and the ranking, for the status message."""
        names = ", ".join(self.weights)
        listed = ranking_lines(
            [(audio["fit"]["score"], audio["fit"]["reason"]) for audio in made],
            [f"seed {audio['params']['seed']}" for audio in made],
        )
        return [*self._found(made, names), f"Takes by {names}, the best first:", *listed] + (
            ["`batch_size` is not used: `best_of` says how many takes there are."]
            if not self.stops and batch_size not in (1, GenerationConfig().batch_size, self.count)
            else []
        )

    def _found(self, made: Sequence[dict[str, Any]], names: str) -> list[str]:
        if not self.stops:
            return []
        fitting = [number for number, audio in enumerate(made, 1) if audio["fit"]["fits"]]
        if fitting:
            return [f"Take {fitting[0]} of at most {self.count} fits by {names}."]
        return [f"None of {len(made)} takes fits by {names}; the first is the nearest."]


def takes_of(config: GenerationConfig) -> Takes | None:
    """How the songs of a call are judged; None: they are no takes of one song.

    Raises:
        InvalidRequestError: fields that contradict each other, or that name no criteria.
    """
    if config.until:
        if config.best_of > 1 or config.prefer:
            raise InvalidRequestError(
                "`until` goes on until a take fits and ranks by the same criteria; `best_of` makes "
                "a number of takes and ranks them by `prefer`. Give one of the two."
            )
        return Takes("until", parse_conditions(config.until), config.tries, stops=True)
    if config.best_of > 1 and not config.prefer:
        raise InvalidRequestError(
            f"`best_of` is {config.best_of}, but nothing says by what the takes are ranked. Set "
            "`prefer`, as in tempo,key."
        )
    if config.prefer and config.best_of == 1:
        raise InvalidRequestError(
            "`prefer` ranks several takes, but `best_of` asks for one. Set `best_of` to 2 to "
            f"{BATCH_RANGE[1]}, or leave `prefer` out."
        )
    if config.best_of == 1:
        return None
    return Takes("prefer", parse_preference(config.prefer), config.best_of, stops=False)


def take_count(config: GenerationConfig) -> int:
    """How many songs a call makes at most."""
    if config.until:
        return config.tries
    return config.best_of if config.best_of > 1 else config.batch_size


def best_first(result: GenerationResult) -> GenerationResult:
    """`result` with its takes in the order of their ranking, each with its `rank` from 1."""
    order = ranked([audio["fit"]["score"] for audio in result.audios])
    audios = [result.audios[item] for item in order]
    for rank, audio in enumerate(audios, start=1):
        audio["fit"]["rank"] = rank
    extra = result.extra_outputs
    moved = {name: extra[name][order] for name in ("latents", "masks")}
    return replace(result, audios=audios, extra_outputs={**extra, **moved})

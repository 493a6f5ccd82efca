"""A line's fields as a request of the published API, and everything that can be refused about it
before a model is loaded.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import AceStepError, InvalidRequestError
from ..inference.limits import check, check_types
from ..inference.params import GenerationConfig, GenerationParams
from ..inference.request import recipe_of, song_of
from ..inference.request import seeds_of as published_seeds
from ..inference.tracks import EXAMPLES, instructed
from ..types import Variant
from .lines import Line, unknown_fields

SETTINGS: Final = (
    "batch_size",
    "seeds",
    "audio_format",
    "allow_lm_batch",
    "lm_batch_chunk_size",
)  # of the run; that seeds are to be kept is the point of a batch, so it cannot be asked for
RECORDINGS: Final = ("src_audio", "reference_audio")
NAMES: Final = (*(field.name for field in fields(GenerationParams)), *SETTINGS)


class Request(NamedTuple):
    """What the published call is given."""

    params: GenerationParams
    config: GenerationConfig


@dataclass(frozen=True, slots=True)
class Rules:
    """What a line is checked against: the model's variant, and the folder that relative paths of
    recordings start from."""

    variant: Variant
    base: Path

    def faults(self, fields: Mapping[str, Any]) -> list[str]:
        """Why these fields cannot be carried out; empty when they can."""
        unknown = unknown_fields(fields, NAMES)
        if unknown:
            return unknown
        try:
            check_request(request_of(fields, self.base), self.variant)
        except (AceStepError, TypeError) as error:
            return [str(error)]
        return []


def request_of(fields: Mapping[str, Any], base: Path, seeds: Iterable[int] = ()) -> Request:
    """The request that a line means, one song unless it says otherwise; null is "not given".

    Raises:
        TypeError: a field is of another kind.
    """
    stated = {name: value for name, value in fields.items() if value is not None}
    settings = {name: stated.pop(name) for name in SETTINGS if name in stated}
    if seeds:
        settings["seeds"] = list(seeds)
    params = GenerationParams(**stated)
    config = GenerationConfig(**{"batch_size": 1, **settings, "use_random_seed": False})
    check_types(params)
    check_types(config)
    for name in RECORDINGS:
        if path := getattr(params, name):
            setattr(params, name, str(base / path))
    return Request(params, config)


def check_request(request: Request, variant: Variant) -> None:
    """
    Raises:
        AceStepError: something that the model, or any model, cannot do.
    """
    params, config = request
    check(params, config, variant)
    song_of(params)
    recipe_of(params, variant, published_seeds(params, config).seeds)
    if params.task_type in EXAMPLES:
        instructed(params.task_type, params.instruction)
    for name in RECORDINGS:
        path = getattr(params, name)
        if path and not Path(path).is_file():
            raise InvalidRequestError(f"`{name}`: there is no file {path}. Check the path.")


def seeds_of(line: Line, salt: str) -> tuple[int, ...]:
    """The seeds of a line: those it gives, as many more as it has items.

    Those left to chance follow from the given ones or else from the batch's `salt` and the line's
    id: they are the same whenever the batch goes on, and do not depend on other lines.
    """
    params, config = request_of(line.request, Path())
    if config.seeds is None and params.seed < 0:
        digest = hashlib.sha256(f"{salt}/{line.id}".encode()).digest()
        config.seeds = [int.from_bytes(digest[:4], "big")]
    return published_seeds(params, config).seeds

"""Music by a family's models, as rolls: from text, from codes, from a source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ace_core.conditioning import tasks
from ace_core.conditioning.text import TextEncoder
from ace_core.lm.language_model import LanguageModel
from ace_core.models.ops import Ops
from ace_core.pipeline import Models, sample
from ace_core.sampling.guidance import Guidance
from ace_core.sampling.recipe import Recipe
from ace_core.task import Length, Task
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Variant
from ace_core.weights import (
    inspect,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    silence_latent,
)

from ..checkpoints import Miniature
from ..codec.decoder import SCALE
from ..evaluation.strokes import roll_of
from ..trained import family, missing
from ..world.piece import compose
from ..world.request import Request
from .asked import song


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The trained family in its official layouts, loaded as anybody's models are, in float32 on the
    CPU. `missing` are the parts, as in `PARTS`, that were not trained yet."""

    paths: Miniature | None
    missing: frozenset[str]

    @property
    def turbo(self) -> Models:
        return _models(self._written, "turbo")

    @property
    def base(self) -> Models:
        return _models(self._written, "base")

    @property
    def lm(self) -> LanguageModel:
        return _language_model(self._written)

    @property
    def _written(self) -> Miniature:
        if self.paths is None:
            raise ValueError(f"not trained: {', '.join(sorted(self.missing))}")
        return self.paths


def written(out: Path, folder: Path | None = None) -> Family:
    """The family of `folder`, by default the repository's, written below `out`."""
    absent = frozenset(missing(folder))
    plays = absent.isdisjoint({"vae", "text_encoder", "base"})
    return Family(family(out, folder) if plays else None, absent)


@lru_cache(maxsize=4)
def _models(paths: Miniature, name: str) -> Models:
    exact = Ops(dtype=torch.float32)
    place = paths.turbo if name == "turbo" else paths.base
    loaded = load_dit(place, exact)
    encoder = load_text_encoder(paths.text_encoder, exact)
    text = TextEncoder(load_tokenizer(paths.text_encoder), encoder)
    silence = silence_latent(inspect(place)).float()
    return Models(loaded.model, text, load_vae(paths.vae, exact), silence, Variant(name))


@lru_cache(maxsize=2)
def _language_model(paths: Miniature) -> LanguageModel:
    model = load_lm(paths.lm, Ops(dtype=torch.float32))
    return LanguageModel(model, load_tokenizer(paths.lm))


@dataclass(frozen=True, slots=True)
class How:
    """How music is sampled: `seed` is that of the first item, each of the others has the next."""

    seed: int = 0
    steps: int | None = None
    guidance: Guidance | None = None


def played(models: Models, made: Sequence[Task], how: How) -> list[Tensor]:
    """The roll [T, 64] of each task, each with its own seed."""
    return [roll_of(sample(models, task, recipe(how, place))[0]) for place, task in enumerate(made)]


def recipe(how: How, place: int = 0) -> Recipe:
    return Recipe(seeds=(how.seed + place,), steps=how.steps, guidance=how.guidance)


def from_text(
    models: Models,
    asked: Sequence[Request],
    how: How,
    codes: Sequence[AudioCodes] | None = None,
) -> list[Tensor]:
    """Text to music for each request, after codes where they are given."""
    given = codes or [None] * len(asked)
    made = [
        tasks.text_to_music(song(request), models.text, each)
        for request, each in zip(asked, given, strict=True)
    ]
    return played(models, made, how)


def length(request: Request) -> Length:
    return Length(request.frames, request.seconds)


def latent(roll: Tensor) -> Tensor:
    """A roll [T, 64] as a source [1, T, 64]."""
    return SCALE * roll[None]


def with_source(task: Task, roll: Tensor) -> Task:
    return replace(task, source=latent(roll))


def truths(asked: Sequence[Request]) -> list[Tensor]:
    """The composed piece of each request, [T, 64]."""
    return [compose(request).roll for request in asked]

"""Music by a family's models, as rolls: from text, from codes, from a source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

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

from ..codec.decoder import SCALE
from ..evaluation.strokes import roll_of
from ..world.piece import compose
from ..world.request import Request
from .asked import song

WEIGHTS: Final = "model.safetensors"
PARTS: Final = ("turbo", "base", "language_model")  # folders, beside those of encoder and VAE


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The models of the trained family, in float32 on the CPU; a part that is not there is None."""

    folder: Path

    @property
    def missing(self) -> frozenset[str]:
        """Those of `PARTS` that are not there."""
        return frozenset(part for part in PARTS if not (self.folder / part / WEIGHTS).is_file())

    @property
    def turbo(self) -> Models:
        return _models(self.folder, "turbo", Variant.TURBO)

    @property
    def base(self) -> Models:
        return _models(self.folder, "base", Variant.BASE)

    @property
    def lm(self) -> LanguageModel:
        return _language_model(self.folder)


@lru_cache(maxsize=4)
def _models(folder: Path, name: str, variant: Variant) -> Models:
    exact = Ops(dtype=torch.float32)
    dit = load_dit(folder / name, exact, variant).model
    encoder = load_text_encoder(folder / "text_encoder", exact)
    text = TextEncoder(load_tokenizer(folder / "text_encoder"), encoder)
    silence = silence_latent(inspect(folder / name)).float()
    return Models(dit, text, load_vae(folder / "vae", exact), silence, variant)


@lru_cache(maxsize=2)
def _language_model(folder: Path) -> LanguageModel:
    place = folder / "language_model"
    return LanguageModel(load_lm(place, Ops(dtype=torch.float32)), load_tokenizer(place))


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

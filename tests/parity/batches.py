"""Official batches of unequal songs, and a song of 1,000 frames on XL base.

The official code fills up the shorter texts and lyrics of a batch. Its condition encoder masks what
was filled in and packs it behind the rest, but its decoder reads it. Here items are encoded one by
one (`docs/deviations.md`, row 16), so three things are compared: the condition of each item with
the official places that are not masked, a run that is given the official places, masked ones
included, and the item whose texts are the longest of the batch, which is filled up with nothing.
"""

from dataclasses import replace
from functools import cache
from typing import Final
from unittest.mock import patch

from safetensors.torch import load_file
from torch import Tensor

from ace_core.conditioning import context, tasks
from ace_core.pipeline import sample
from ace_core.task import Task
from ace_core.types import Song, Variant
from tests.rounding import difference

from . import checks, ours, recipe
from .cases import SEED

FRAMES: Final = 250
SECONDS: Final = FRAMES / 25
SEEDS: Final = (SEED, SEED + 1)
BATCH: Final = (
    Song("calm piano, rain", "[verse]\nhello", SECONDS, 90, "F# minor", 3, "en"),
    Song("a fast and bright song with drums", "[verse]\nla la la\n[chorus]\nhey", SECONDS, 140),
)
LONG: Final = Song("slow strings", "[verse]\nfar away", 40.0, 70, "C major", 4, "en")
EVERY: Final = slice(None, None, 16)  # channels of a batch's latents in the goldens
EVERY_LONG: Final = slice(None, None, 8)


def long_silence() -> Tensor:
    """[1, 1000, C]"""
    return 0.3 * recipe.drawn("long silence", (1, 1000, recipe.CHANNELS))


@cache
def golden(size: str) -> dict[str, Tensor]:
    return load_file(checks.GOLDENS / f"batch_{size}.safetensors")


def task(item: int) -> Task:
    return tasks.text_to_music(BATCH[item], ours.text_encoder())


def places(item: int, size: str) -> int:
    """Official places of the item that are not masked; they come first."""
    mask = golden(size)["mask"][item]
    count = int(mask.sum())
    if not mask[:count].all():
        raise ValueError("the golden's places are not packed")
    return count


def filled_up(item: int, size: str) -> int:
    """Official places of the item that are masked."""
    return golden(size)["mask"].shape[1] - places(item, size)


def condition(item: int, size: str) -> float:
    """The item's condition, encoded alone, beside its places in the official batch."""
    models = ours.models(size)
    made = context.encode_conditions(models.dit, task(item), models.silence)
    official = golden(size)["condition"][item : item + 1, : places(item, size)]
    return difference(made, official)


def latents(item: int, size: str, variant: Variant) -> Tensor:
    """Ours of the item alone."""
    models = replace(ours.models(size), variant=variant)
    recipe_alone = replace(checks.sampling_recipe(variant), seeds=(SEEDS[item],))
    return sample(models, task(item), recipe_alone)[..., EVERY]


def run(item: int, size: str, variant: Variant) -> float:
    """The item alone, beside the official batch's."""
    wanted = golden(size)[variant.value][item : item + 1]
    return difference(latents(item, size, variant), wanted)


def run_filled_up(item: int, size: str, variant: Variant) -> float:
    """The item on all official places, masked ones included."""
    official = golden(size)["condition"][item : item + 1].double()
    with patch.object(context, "encode_conditions", return_value=official):
        return run(item, size, variant)


def long_run() -> float:
    """XL base over 1,000 frames, four steps with APG."""
    models = replace(ours.models("xl"), silence=long_silence().double(), variant=Variant.BASE)
    made = sample(
        models,
        tasks.text_to_music(LONG, ours.text_encoder()),
        checks.sampling_recipe(Variant.BASE),
    )
    wanted = load_file(checks.GOLDENS / "xl_long.safetensors")["base"]
    return difference(made[..., EVERY_LONG], wanted)

"""Seeds of a batch and of a retake: the inputs that the sampler and the noise node share."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.constants import SEED_RANGE
from ..ace_core.sampling.recipe import Recipe
from ..ace_core.sampling.written import written_seeds


def draw_inputs() -> list[io.Input]:
    smallest, largest = SEED_RANGE
    return [
        io.Int.Input(
            "retake_seed",
            default=0,
            min=smallest,
            max=largest,
            optional=True,
            tooltip="A second draw, mixed into the first. Another one is another variation.",
        ),
        io.Float.Input(
            "retake_variance",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            tooltip="How much of the second draw: 0 is the same song, 0.2 a close variation, 1 "
            "another song.",
        ),
        io.String.Input(
            "seeds",
            default="",
            optional=True,
            advanced=True,
            tooltip="A seed for each item of the batch, as in 7, 8, 9; -1 is drawn. Empty: all "
            "from the seed above.",
        ),
    ]


def drawn(seed: int, retake_seed: int = 0, retake_variance: float = 0.0, seeds: str = "") -> Any:
    """The noise that these inputs ask for, a NOISE.

    Raises:
        InvalidScheduleError: a seed that is none.
    """
    from . import host

    first, *more = written_seeds(seeds) or [seed]
    given = (seed if first is None else first, *more)
    return host.AceNoise(given, retake_seed, retake_variance)


def seed_lines(recipe: Recipe) -> list[str]:
    """The seeds of every item, in words."""
    retake = recipe.retake
    said = []
    if retake is not None:
        other = ", ".join(map(str, retake.seeds))
        said.append(f"retake: {retake.variance:g} of seeds {other}")
    return [*said, f"seeds: {', '.join(map(str, recipe.seeds))}"]

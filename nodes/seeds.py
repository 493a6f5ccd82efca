"""Seeds of a batch and of a retake: the inputs that the sampler and the noise node share."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.constants import SEED_RANGE
from ..ace_core.sampling.recipe import RETAKE_VARIANCE, Recipe, parse_seeds
from .typed import checked

CATEGORY = "audio/ACE-Step/sample"
NO_RETAKE = -1  # as a seed


def seed_inputs() -> list[io.Input]:
    _, largest = SEED_RANGE
    return [
        io.Int.Input(
            "retake_seed",
            default=NO_RETAKE,
            min=NO_RETAKE,
            max=largest,
            optional=True,
            tooltip="Seed of a second noise, mixed into the first: each gives another variation. "
            "-1: none.",
        ),
        io.Float.Input(
            "retake_variance",
            default=RETAKE_VARIANCE,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            tooltip="Share of the second noise, if there is one: 0 is the same song, 0.2 a close "
            "variation, 1 another song.",
        ),
        io.String.Input(
            "seeds",
            default="",
            optional=True,
            advanced=True,
            tooltip="One seed per item of the batch, as in 7, 8, 9; -1: derived. Empty: all are "
            "derived from the seed above.",
        ),
    ]


def make_noise(
    seed: int,
    retake_seed: int = NO_RETAKE,
    retake_variance: float = RETAKE_VARIANCE,
    seeds: str = "",
) -> Any:
    """The noise that these inputs ask for, a NOISE.

    Raises:
        InvalidScheduleError: a seed that is none.
    """
    from . import host

    first, *more = parse_seeds(seeds) or [seed]
    given = (seed if first is None else first, *more)
    return host.AceNoise(given, None if retake_seed == NO_RETAKE else retake_seed, retake_variance)


def seed_lines(recipe: Recipe) -> list[str]:
    """The seeds of every item, in words."""
    retake = recipe.retake
    said = []
    if retake is not None:
        other = ", ".join(map(str, retake.seeds))
        said.append(f"retake: {retake.variance:g} of seeds {other}")
    return [*said, f"seeds: {', '.join(map(str, recipe.seeds))}"]


class AceStepNoise(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15Noise",
            display_name="ACE-Step Noise",
            category=CATEGORY,
            description="Noise from one seed per item, as a stock NOISE: an item is the same song "
            "in any batch.",
            search_aliases=["ace step", "random noise", "seed", "retake"],
            inputs=[
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    control_after_generate=True,
                    tooltip="Seed of the first item; the others are derived from it.",
                ),
                *seed_inputs(),
            ],
            outputs=[io.Noise.Output(display_name="noise", tooltip="A stock NOISE.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, seeds: str | None = None) -> bool | str:
        return checked(parse_seeds, seeds)

    @classmethod
    def execute(cls, seed: int, **seeds: Any) -> io.NodeOutput:
        return io.NodeOutput(make_noise(seed, **seeds))

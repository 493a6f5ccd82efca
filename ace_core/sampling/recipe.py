"""Everything a user may choose about sampling as one value, and the seeded noise of a run.

Noise has one seed per item and is drawn on the CPU, so a seed gives the same music in any batch and
on any device. It does not depend on a model.
"""

import math
import random
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from ..constants import BATCH_RANGE, LATENT_CHANNELS, SEED_RANGE
from ..errors import InvalidScheduleError
from ..parsing import quoted
from ..types import Variant
from .dcw import DCW
from .guidance import Guidance
from .presets import applied_dcw, preset
from .schedules import custom_timesteps, split_list, timesteps
from .solvers import Solver

RETAKE_VARIANCE: Final = 0.2  # usual for a retake: a close variation of the song
_SEED_BITS: Final = 32  # of a drawn seed, as the official interface draws them
_RANDOM: Final = ("-1", "random")  # what stands for a seed to draw in a list of seeds


@dataclass(frozen=True, slots=True)
class Retake:
    """A second draw mixed into the initial noise: `variance` 0 is the same song, 1 another."""

    seeds: tuple[int, ...]
    variance: float = RETAKE_VARIANCE


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to sample: one item per seed. `None` takes the preset of the checkpoint's variant."""

    seeds: tuple[int, ...] = (0,)
    steps: int | None = None
    shift: float | None = None
    times: tuple[float, ...] | None = None  # instead of steps and shift
    guidance: Guidance | None = None
    solver: Solver | None = None
    retake: Retake | None = None
    dcw: DCW | None = None  # DCW_OFF: steps are not corrected

    def __post_init__(self) -> None:
        if not self.seeds:
            raise InvalidScheduleError("There is no seed, so no song. Give one seed per item.")
        if self.retake is not None and len(self.retake.seeds) != len(self.seeds):
            raise InvalidScheduleError(
                f"{len(self.seeds)} items have {len(self.retake.seeds)} retake seeds. Give one "
                "retake seed per item."
            )
        if self.solver is not None and self.dcw is not None:
            self.dcw.check_solver(self.solver)

    def part(self, start: int, stop: int) -> "Recipe":
        """The recipe of the items from `start` to `stop`."""
        retake = self.retake
        if retake is not None:
            retake = replace(retake, seeds=retake.seeds[start:stop])
        return replace(self, seeds=self.seeds[start:stop], retake=retake)

    def schedule(self, variant: Variant) -> list[float]:
        """The flow times, from the first down to 0."""
        if self.times is not None:
            return custom_timesteps(self.times)
        defaults = preset(variant)
        return timesteps(
            defaults.steps if self.steps is None else self.steps,
            defaults.shift if self.shift is None else self.shift,
        )

    def dcw_for(self, variant: Variant) -> DCW | None:
        """What corrects the steps; None: nothing."""
        return applied_dcw(self.dcw, variant, self.solver or preset(variant).solver)

    def initial_noise(self, frames: int) -> Tensor:
        """The noise of every item [B, T, C], the retake mixed in."""
        return next(self.noise_draws(frames))

    def noise_draws(self, frames: int) -> Iterator[Tensor]:
        """Endless noise of every item [B, T, C], the retake mixed into each draw; the first is
        `initial_noise`."""
        drawn = _draws(self.seeds, frames, LATENT_CHANNELS)
        retake = self.retake
        if retake is None:
            return drawn
        others = _draws(retake.seeds, frames, LATENT_CHANNELS)
        pairs = zip(drawn, others, strict=True)  # neither ends
        return (mix_noise(one, other, retake.variance) for one, other in pairs)


def check_seed(seed: int) -> int:
    """`seed` itself.

    Raises:
        InvalidScheduleError: not a whole number of `SEED_RANGE`.
    """
    smallest, largest = SEED_RANGE
    if isinstance(seed, bool) or not isinstance(seed, int) or not smallest <= seed <= largest:
        raise InvalidScheduleError(
            f"{quoted(seed)} is not a seed. Set `seed` to a whole number from {smallest} to "
            f"{largest}."
        )
    return seed


def seeds_for(
    batch: int, given: Sequence[int | None] = (), rng_seed: int | None = None
) -> tuple[int, ...]:
    """The seeds of a batch: see `draw_seeds`.

    Raises:
        InvalidScheduleError: a batch outside `BATCH_RANGE`, more seeds than items, a bad seed.
    """
    smallest, largest = BATCH_RANGE
    if not smallest <= batch <= largest:
        raise InvalidScheduleError(
            f"A batch of {batch} cannot be sampled. Set the batch size to {smallest} to {largest}, "
            "and queue the graph again for more."
        )
    return draw_seeds(batch, given, rng_seed)


def draw_seeds(
    count: int, given: Sequence[int | None] = (), rng_seed: int | None = None
) -> tuple[int, ...]:
    """One seed per item: those `given` first, random ones where None or missing.

    `rng_seed` makes the random ones repeatable (hand it the first seed to derive a batch from one
    number); without it they come from the system. Record what is returned: it determines the songs.

    Raises:
        InvalidScheduleError: more seeds than items, a bad seed.
    """
    if len(given) > count:
        raise InvalidScheduleError(
            f"{len(given)} seeds were given for {count} items. Give at most one seed per item, or "
            "raise the batch size."
        )
    repeatable = random.Random(rng_seed) if rng_seed is not None else None  # noqa: S311
    rng = repeatable or secrets.SystemRandom()
    requested = [*given, *[None] * (count - len(given))]
    seeds: list[int] = []
    for seed in requested:
        taken = {*seeds, *given}
        while seed is None:  # two equal seeds in a batch would be one song twice
            drawn = rng.getrandbits(_SEED_BITS)
            seed = drawn if drawn not in taken else None
        seeds.append(check_seed(seed))
    return tuple(seeds)


def noise(seeds: Sequence[int], frames: int, channels: int = LATENT_CHANNELS) -> Tensor:
    """The initial noise of every item: [B, T, C] float32 on the CPU, B = len(seeds).

    Source: modeling_acestep_v15_base.py, prepare_noise; there on the model's device and in its
    dtype, here always on the CPU in float32.
    """
    return next(_draws(seeds, frames, channels))


def sde_noise(
    seeds: Sequence[int], frames: int, channels: int = LATENT_CHANNELS
) -> Iterator[Tensor]:
    """Endless further draws [B, T, C] for the SDE solver; none of them equals `noise`."""
    draws = _draws(seeds, frames, channels)
    next(draws)  # the initial noise: drawn again, it would correlate a step with the start
    return draws


def mix_noise(first: Tensor, second: Tensor, variance: float) -> Tensor:
    """Noise [B, T, C] between two draws: `variance` 0 is `first`, 1 is `second`.

    The mix keeps unit variance, as the model was trained on.

    Raises:
        InvalidScheduleError: `variance` outside 0 to 1.
    """
    if not 0 <= variance <= 1:
        raise InvalidScheduleError(
            f"A retake variance of {variance} is outside 0 to 1. Set it to 0 for the same song, "
            "0.2 for a close variation, 1 for another song."
        )
    if variance in (0, 1):
        return second.clone() if variance else first.clone()
    angle = variance * math.pi / 2
    return math.cos(angle) * first + math.sin(angle) * second


def _draws(seeds: Sequence[int], frames: int, channels: int) -> Iterator[Tensor]:
    generators = [torch.Generator().manual_seed(check_seed(seed)) for seed in seeds]
    while True:
        items = [torch.randn(1, frames, channels, generator=each) for each in generators]
        yield torch.cat(items)  # [B, T, C]


def parse_seeds(text: str) -> list[int | None]:
    """Seeds separated by commas, spaces or line breaks; None for -1 and `random`, which are drawn.

    Raises:
        InvalidScheduleError: an element is not a seed.
    """
    return [None if item.lower() in _RANDOM else _seed(item) for item in split_list(text)]


def _seed(item: str) -> int:
    if not item.isdecimal() or len(item) > len(str(SEED_RANGE[1])):
        raise InvalidScheduleError(
            f"{quoted(item)} is not a seed. Write whole numbers from 0, and -1 or random for one "
            "that is drawn, as in 7, 8, -1."
        )
    return check_seed(int(item))

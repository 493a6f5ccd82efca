"""Noise from one seed an item, drawn on the CPU: a seed means the same music in any batch,
on any device. Knows no schedule and no model.
"""

import math
import random
import secrets
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ..constants import BATCH_RANGE, LATENT_CHANNELS, SEED_RANGE
from ..errors import InvalidScheduleError

_SEED_BITS = 32  # width of a seed that is drawn, as the official interface draws them


def check_seed(seed: int) -> int:
    """`seed` itself.

    Raises:
        InvalidScheduleError: not a whole number of `SEED_RANGE`.
    """
    smallest, largest = SEED_RANGE
    if isinstance(seed, bool) or not isinstance(seed, int) or not smallest <= seed <= largest:
        raise InvalidScheduleError(
            f"{seed!r} is not a seed. Set `seed` to a whole number from {smallest} to {largest}."
        )
    return seed


def seeds_for(
    batch: int, given: Sequence[int | None] = (), rng_seed: int | None = None
) -> tuple[int, ...]:
    """One seed for each of `batch` items: those `given` first, drawn ones where None or missing.

    `rng_seed` makes the drawn ones repeatable (hand it the first seed to derive a batch from one
    number); without it they come from the system. Record what is returned: it is the whole truth.

    Raises:
        InvalidScheduleError: a batch outside `BATCH_RANGE`, more seeds than items, a bad seed.
    """
    smallest, largest = BATCH_RANGE
    if not smallest <= batch <= largest:
        raise InvalidScheduleError(
            f"A batch of {batch} cannot be sampled. Set the batch size to {smallest} to {largest}, "
            "and queue the graph again for more."
        )
    if len(given) > batch:
        raise InvalidScheduleError(
            f"{len(given)} seeds were given for {batch} items. Give at most one seed an item, or "
            "raise the batch size."
        )
    seeded = random.Random(rng_seed) if rng_seed is not None else None  # noqa: S311  to repeat
    draw = seeded or secrets.SystemRandom()
    wanted = [*given, *[None] * (batch - len(given))]
    seeds: list[int] = []
    for seed in wanted:
        taken = {*seeds, *given}
        while seed is None:  # two equal seeds in a batch would be one song twice
            drawn = draw.getrandbits(_SEED_BITS)
            seed = drawn if drawn not in taken else None
        seeds.append(check_seed(seed))
    return tuple(seeds)


def noise(seeds: Sequence[int], frames: int, channels: int = LATENT_CHANNELS) -> Tensor:
    """The starting point of every item: [B, T, C] float32 on the CPU, B = len(seeds).

    Source: modeling_acestep_v15_base.py, prepare_noise; there on the model's device and in its
    dtype, here always on the CPU in float32.
    """
    return next(_draws(seeds, frames, channels))


def fresh_noise(
    seeds: Sequence[int], frames: int, channels: int = LATENT_CHANNELS
) -> Iterator[Tensor]:
    """Endless further draws [B, T, C] for a solver that re-noises; none equals `noise`."""
    draws = _draws(seeds, frames, channels)
    next(draws)  # the starting noise: using it again would tie every step to the first
    return draws


def variation(first: Tensor, second: Tensor, variance: float) -> Tensor:
    """Noise [B, T, C] between two draws: `variance` 0 is `first`, 1 is `second`.

    The mix keeps unit variance, so the model meets noise of the kind it knows.

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

"""Everything a user may choose about sampling, as one value. It knows no model."""

from dataclasses import dataclass, replace
from typing import Final

from torch import Tensor

from ..errors import InvalidScheduleError
from ..types import Variant
from .flow import Solver, custom_timesteps, timesteps
from .guidance import Guidance
from .noise import noise, variation
from .presets import preset

CLOSE: Final = 0.2  # a retake's usual variance: the song is known again


@dataclass(frozen=True, slots=True)
class Retake:
    """A second draw mixed into the first: `variance` 0 is the same song, 1 another."""

    seeds: tuple[int, ...]
    variance: float = CLOSE


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to sample: one item for each seed. `None` follows the checkpoint's variant."""

    seeds: tuple[int, ...] = (0,)
    steps: int | None = None
    shift: float | None = None
    times: tuple[float, ...] | None = None  # in the place of steps and shift
    guidance: Guidance | None = None
    solver: Solver | None = None
    retake: Retake | None = None

    def __post_init__(self) -> None:
        if not self.seeds:
            raise InvalidScheduleError("There is no seed, so no song. Give one seed an item.")
        if self.retake is not None and len(self.retake.seeds) != len(self.seeds):
            raise InvalidScheduleError(
                f"{len(self.seeds)} items have {len(self.retake.seeds)} retake seeds. Give one "
                "retake seed an item."
            )

    def part(self, first: int, behind: int) -> "Recipe":
        """The same for some of the items."""
        retake = self.retake
        if retake is not None:
            retake = replace(retake, seeds=retake.seeds[first:behind])
        return replace(self, seeds=self.seeds[first:behind], retake=retake)

    def schedule(self, variant: Variant) -> list[float]:
        """The flow times, from the first down to 0."""
        if self.times is not None:
            return custom_timesteps(self.times)
        usual = preset(variant)
        return timesteps(
            usual.steps if self.steps is None else self.steps,
            usual.shift if self.shift is None else self.shift,
        )

    def first_noise(self, frames: int) -> Tensor:
        """[B, T, C], the retake mixed in."""
        first = noise(self.seeds, frames)
        if self.retake is None:
            return first
        return variation(first, noise(self.retake.seeds, frames), self.retake.variance)

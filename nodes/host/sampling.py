"""Our guidance and our noise through the host's own sampling.

Its loop of conditions, callbacks, previews, masks and interrupts stays the host's; stock samplers
therefore give the same numbers.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import comfy.model_management
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from ...ace_core.constants import LATENT_CHANNELS
from ...ace_core.errors import InvalidRequestError
from ...ace_core.sampling.cover import times_from_source
from ...ace_core.sampling.guidance import Guidance
from ...ace_core.sampling.guided import GuidedVelocity
from ...ace_core.sampling.recipe import Recipe
from .conditioning import KEY, handling_of
from .model import CORRECTOR
from .solver import AceSolver

logger = logging.getLogger(__name__)

_DIGITS = 6  # flow times are written in double precision and travel in single
_SIGMAS = 4  # place of the sigmas among the arguments of `inner_sample`


class AceGuider(comfy.samplers.CFGGuider):
    """A stock GUIDER that combines the two velocities as `Guidance` says; None: only the first.

    It also starts where a task's source strength says.
    """

    def __init__(self, model: Any, guidance: Guidance | None) -> None:
        super().__init__(model)
        self.guidance = guidance

    def inner_sample(self, *args: Any, **kwargs: Any) -> Tensor:
        # a run's memory begins here: the host may use one guider for several runs
        self._velocity = GuidedVelocity(
            lambda x, t: self._seen, lambda x, t: self._seen[0], self.guidance or Guidance(scale=1)
        )
        sigmas = args[_SIGMAS]
        left = len(times_of(sigmas, self.conds.get("positive", [])))
        args = (*args[:_SIGMAS], sigmas[len(sigmas) - left :], *args[_SIGMAS + 1 :])
        return super().inner_sample(*args, **kwargs)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: int | None = None
    ) -> Tensor:
        """The host's name for: the guess at the clean latent [B, C, T] from `x` at `timestep`."""
        given = dict(model_options or {})
        corrects = given.pop(CORRECTOR, False)
        if self.guidance is None:
            return super().predict_noise(x, timestep, given, seed)
        t = round(float(timestep[0]), _DIGITS)
        scale = self.guidance.scale if self.guidance.covers(t) else 1.0  # 1: one forward
        combined = self._velocity.corrector if corrects else self._velocity

        def combine(given: dict[str, Any]) -> Tensor:
            sigma = given["sigma"].view(-1, 1, 1)  # what the host hands over is sigma * velocity
            both = given["cond"], given["uncond"]
            self._seen = tuple((part / sigma).transpose(1, 2) for part in both)
            return combined(x.transpose(1, 2), t).transpose(1, 2) * sigma

        return comfy.samplers.sampling_function(
            self.inner_model,
            x,
            timestep,
            self.conds.get("negative"),
            self.conds.get("positive"),
            scale,
            model_options={**given, "sampler_cfg_function": combine},
            seed=seed,
        )


def times_of(sigmas: Tensor, positive: list) -> list[float]:
    """The flow times that are taken when a task starts from its source."""
    return times_from_source(sigmas.tolist(), handling_of(positive).source_strength)


def guider(model: Any, positive: list, negative: list, guidance: Guidance | None) -> AceGuider:
    """A GUIDER for one MODEL; without guidance it takes one forward a step."""
    made = AceGuider(model, guidance)
    made.set_conds(positive, negative)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Everything one run of the sampler takes."""

    model: Any
    positive: list
    negative: list
    latent: dict[str, Any]
    sigmas: Tensor
    recipe: Recipe  # its seeds and retake
    guidance: Guidance | None  # None: one forward a step
    sampler: Any  # SAMPLER

    def part(self, first: int, behind: int) -> "Batch":
        """Some of the items, each with its own codes."""
        samples = self.latent["samples"][first:behind]
        retake = self.recipe.retake
        if retake is not None:
            retake = replace(retake, seeds=retake.seeds[first:behind])
        return replace(
            self,
            positive=_codes_of(self.positive, first, behind),
            negative=_codes_of(self.negative, first, behind),
            latent={**self.latent, "samples": samples},
            recipe=replace(self.recipe, seeds=self.recipe.seeds[first:behind], retake=retake),
        )


def _codes_of(entries: list, first: int, behind: int) -> list:
    """The conditioning with the variations of some items only."""
    made = []
    for text, extras in entries:
        task = extras.get(KEY)
        if task and len(task["variations"]) > 1:
            own = task["variations"][first:behind]
            variations = own if len(own) > 1 else ()
            codes = task["codes"] if variations else own[0]
            extras = {**extras, KEY: {**task, "codes": codes, "variations": variations}}
        made.append([text, extras])
    return made


def sample(batch: Batch) -> dict[str, Any]:
    """A LATENT like the batch's, each item from its own seed's noise, the seeds written into it.

    A batch that does not fit into memory is made in smaller groups, which gives the same songs.

    Raises:
        InvalidRequestError: `latent` is no music latent.
    """
    start = batch.latent["samples"]  # [B, C, T]
    if start.dim() != 3 or start.shape[1] != LATENT_CHANNELS:
        raise InvalidRequestError(
            f"The latent has the shape {list(start.shape)}, but ACE-Step 1.5 needs [batch, "
            f"{LATENT_CHANNELS}, frames]. Connect the latent of an ACE-Step task node."
        )
    rest = comfy.model_management.intermediate_device()
    samples = _in_groups(batch).to(rest, torch.float32)
    known = {**batch.latent.get(KEY, {}), "seeds": batch.recipe.seeds}
    return {**batch.latent, "samples": samples, KEY: known}


def _in_groups(batch: Batch) -> Tensor:
    count = len(batch.recipe.seeds)
    try:
        return _run(batch)
    except comfy.model_management.OOM_EXCEPTION:
        if count == 1 or "noise_mask" in batch.latent:
            raise
        logger.warning("Out of memory with %d songs at once: making them in two groups.", count)
    comfy.model_management.soft_empty_cache()
    middle = count // 2
    groups = batch.part(0, middle), batch.part(middle, count)
    return torch.cat([_in_groups(group) for group in groups])


def _run(batch: Batch) -> Tensor:
    guided = guider(batch.model, batch.positive, batch.negative, batch.guidance)
    seeds, start = batch.recipe.seeds, batch.latent["samples"]
    noise = batch.recipe.first_noise(start.shape[-1]).transpose(1, 2).contiguous()
    return guided.sample(
        noise,
        start,
        _seeded(batch.sampler, seeds),
        batch.sigmas,
        denoise_mask=batch.latent.get("noise_mask"),
        callback=latent_preview.prepare_callback(guided.model_patcher, len(batch.sigmas) - 1),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seeds[0],
    )


def _seeded(sampler: Any, seeds: Sequence[int]) -> Any:
    return AceSolver(sampler.solver, seeds) if isinstance(sampler, AceSolver) else sampler

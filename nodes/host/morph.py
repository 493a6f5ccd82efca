"""A morph in the host: the core's flow edit over the velocities that a guider gives."""

from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

from torch import Tensor

from ...ace_core.conditioning.context import fit_length
from ...ace_core.errors import InvalidRequestError
from ...ace_core.sampling.dcw import DCW
from ...ace_core.sampling.flow_edit import EditOptions, check_edit, flow_edit
from ...ace_core.sampling.guidance import Guidance
from ...ace_core.sampling.recipe import Recipe
from ...ace_core.sampling.solvers import OnStep, Solver
from .conditioning import HostTask, host_task
from .velocity import HostVelocity


def is_morph(entry_task: HostTask | None) -> bool:
    return entry_task is not None and entry_task.task.edit is not None


def check_morph(
    positive: list, solver: Solver | None, guidance: Guidance | None, dcw: DCW | None
) -> None:
    """`solver` is None for a SAMPLER that is not ours; `dcw` is what was chosen, None: nothing.

    Raises:
        InvalidRequestError: the task is a morph, and cannot be sampled with these choices.
    """
    if not is_morph(host_task(positive)):
        return
    if solver is None:
        raise InvalidRequestError(
            "A morph compares two velocities in each step, which a stock sampler does not. Connect "
            "ACE-Step Solver with euler, or nothing."
        )
    check_edit(solver, guidance, dcw)


def check_run(times: Sequence[float], denoise_mask: Any) -> None:
    """
    Raises:
        InvalidRequestError: a morph was given a part of a schedule, or a noise mask.
    """
    if denoise_mask is not None:
        raise InvalidRequestError(
            "A morph takes no noise mask: the whole recording gets the new words. Remove the mask, "
            "or repaint a part with ACE-Step Repaint."
        )
    if times[-1] != 0:
        raise InvalidRequestError(
            f"A morph needs a schedule that ends at 0, but this one ends at {times[-1]:g}. Connect "
            "the whole schedule instead of a part of it."
        )


def run_morph(
    model_wrap: Any,
    velocity: HostVelocity,
    noise: Tensor,
    recipe: Recipe,
    times: Sequence[float],
    on_step: OnStep,
) -> Tensor:
    """The edited recording [B, C, T]; `noise` [B, C, T] is the first draw, the others are the
    recipe's."""
    entry_task = host_task(model_wrap.conds["positive"])
    if entry_task is None or entry_task.task.edit is None or entry_task.task.source is None:
        raise InvalidRequestError("The morph has no recording. Make it with ACE-Step Morph.")
    silence = model_wrap.inner_model.silence_on(noise.device, entry_task.silence)
    source = fit_length(entry_task.task.source.to(noise), noise.shape[-1], silence)
    draws = chain([noise.transpose(1, 2)], islice(recipe.noise_draws(noise.shape[-1]), 1, None))
    run = EditOptions(times, entry_task.task.edit.window, draws, on_step)
    x = flow_edit(*velocity.of_both_words(), source.expand(len(noise), -1, -1), run)
    return x.transpose(1, 2).contiguous()

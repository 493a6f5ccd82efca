"""Runs with DCW, which the official code has since 20 April 2026, against its formulas.

They are written out here from the official `dcw_correction.py` and the loop around it, with the
transform, its inverse and the order of a step: solver, DCW, injection of a repaint. Both sides
compute in float64. What the loop is handed (velocity, guidance, source) is that of April, which has
goldens of its own.
"""

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from ace_core.conditioning import context as ctx
from ace_core.pipeline import Models, sample
from ace_core.sampling.cover import SwitchedVelocity, switch_time
from ace_core.sampling.dcw import DCW, DCWMode
from ace_core.sampling.guidance import Guidance, GuidedVelocity
from ace_core.sampling.recipe import Recipe
from ace_core.sampling.repaint import blend
from ace_core.sampling.solvers import Velocity
from ace_core.task import Task
from ace_core.types import Variant
from tests.rounding import difference

from . import checks, ours
from .cases import SCALE

LENGTHS: Final = (250, 251)  # frames of the modes' runs: even, and odd
STEP_COUNTS: Final = (8, 50)


def haar(x: Tensor) -> tuple[Tensor, Tensor]:
    """One level of the Haar transform of `x` [B, T, C] along time, zeros behind an odd length."""
    if x.shape[1] % 2:
        x = torch.cat((x, torch.zeros_like(x[:, :1])), dim=1)
    even, odd = x[:, 0::2], x[:, 1::2]
    return (even + odd) / math.sqrt(2), (even - odd) / math.sqrt(2)


def inverse_haar(low: Tensor, high: Tensor, frames: int) -> Tensor:
    pairs = torch.stack(((low + high) / math.sqrt(2), (low - high) / math.sqrt(2)), dim=2)
    return pairs.flatten(1, 2)[:, :frames]


def official_dcw(x: Tensor, clean: Tensor, t: float, dcw: DCW) -> Tensor:
    """A restatement of DCWCorrector.apply."""
    if dcw.mode is DCWMode.PIX:
        return x + dcw.scaler * (x - clean)
    x_low, x_high = haar(x)
    y_low, y_high = haar(clean)
    if dcw.mode in (DCWMode.LOW, DCWMode.DOUBLE):
        x_low = x_low + t * dcw.scaler * (x_low - y_low)
    if dcw.mode is DCWMode.HIGH:
        x_high = x_high + (1 - t) * dcw.scaler * (x_high - y_high)
    if dcw.mode is DCWMode.DOUBLE:
        x_high = x_high + (1 - t) * dcw.high_scaler * (x_high - y_high)
    return inverse_haar(x_low, x_high, x.shape[1])


def restated(models: Models, task: Task, recipe: Recipe, dcw: DCW) -> Tensor:
    """The official loop with Euler's steps, each corrected before the source is injected."""
    times = recipe.schedule(models.variant)
    noise = x = recipe.initial_noise(task.frames).double()
    velocity = _velocity(models, task, times, recipe.guidance)
    keep, mask, source = task.keep, task.mask, None
    if keep is not None and task.source is not None:
        source = ctx.fit_length(task.source.double(), task.frames, models.silence)
    for step, (t, t_next) in enumerate(pairwise(times)):
        v = velocity(x, t)
        x = official_dcw(x + (t_next - t) * v, x - t * v, t, dcw)
        if source is not None and step < round(keep.injection * (len(times) - 1)) and t_next:
            x = torch.where(mask > 0.5, x, t_next * noise + (1 - t_next) * source)
    return x if source is None else blend(x, source, mask, keep.blend_frames)


def _velocity(
    models: Models, task: Task, times: list[float], guidance: Guidance | None
) -> Velocity:
    """The model's velocity, guided where there is guidance."""
    cond, uncond = (_of_model(models, task, empty) for empty in (False, True))
    rest = task.without_source()
    if rest is not None:
        switch = switch_time(times, task.cover_strength)
        without = [_of_model(models, rest, empty) for empty in (False, True)]
        cond = SwitchedVelocity(cond, without[0], switch)
        uncond = SwitchedVelocity(uncond, without[1], switch)
    if guidance is None:
        return cond
    return GuidedVelocity(lambda x, t: (cond(x, t), uncond(x, t)), cond, guidance)


def _of_model(models: Models, task: Task, empty: bool) -> Velocity:
    decoder, silence = models.dit.decoder, models.silence
    context = ctx.context(models.dit, task, silence)
    encoded = ctx.encode_conditions(models.dit, task, silence)
    kv = decoder.cross_attention_kv(models.dit.null_condition_emb if empty else encoded)
    return lambda x, t: decoder(x, torch.full((len(x),), t, dtype=x.dtype), context, kv)


def _recipe(variant: Variant) -> Recipe:
    """As the goldens of April, but with DCW: by itself on turbo, asked for on base and sft."""
    april = checks.sampling_recipe(variant)
    return replace(april, dcw=None if variant.distilled else DCW())


@cache
def latents(case: str, size: str, variant: Variant) -> Tensor:
    """Ours, with DCW."""
    models = replace(ours.models(size), variant=variant)
    return sample(models, checks.item(case), _recipe(variant))


@cache
@torch.inference_mode()
def _error(case: str, size: str, variant: Variant) -> float:
    models = replace(ours.models(size), variant=variant)
    guidance = Guidance(scale=SCALE) if not variant.distilled else None
    recipe = replace(_recipe(variant), guidance=guidance)
    theirs = restated(models, checks.item(case), recipe, DCW())
    return difference(latents(case, size, variant), theirs)


def turbo(case: str, size: str) -> float:
    return _error(case, size, Variant.TURBO)


def base(case: str, size: str) -> float:
    return _error(case, size, Variant.BASE)


@cache
@torch.inference_mode()
def mode(name: str, steps: int, frames: int) -> float:
    """One mode of DCW on turbo, in so many steps on so many frames."""
    models, task = ours.models("2b"), replace(checks.item("text2music"), frames=frames)
    dcw = DCW(DCWMode(name))
    recipe = replace(checks.sampling_recipe(Variant.TURBO), steps=steps, dcw=dcw)
    return difference(sample(models, task, recipe), restated(models, task, recipe, dcw))

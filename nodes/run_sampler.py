"""One run of the sampler and its report, for the nodes Sampler and Make Stems."""

import logging
from typing import Any

import torch

from ..ace_core.memory import Notices
from ..ace_core.sampling.guidance import Guidance
from ..ace_core.sampling.presets import preset, preset_advice, variant_warnings
from ..ace_core.sampling.recipe import Recipe
from ..ace_core.sampling.schedules import shift_of
from ..ace_core.timing import seconds_of
from .node_text import warning_lines
from .seeds import seed_lines

MOST_TIMES, FIRST_TIMES, LAST_TIMES = 12, 4, 2  # of the flow times of a report

logger = logging.getLogger(__name__)

SamplerInputs = tuple[list, list, dict[str, Any]]  # positive, negative, latent


def run_sampler(
    model: Any,
    sigmas: torch.Tensor,
    task: SamplerInputs,
    recipe: Recipe,
    guidance: Guidance | None,
    solver: Any,
    preview: Any = None,
) -> tuple[dict[str, Any], list[str]]:
    """The finished LATENT, and the lines of its report.

    `preview`, a `host.AudioPreview`, decodes excerpts of it while it is sampled.
    """
    from . import host

    variant = host.variant_of(model) if guidance is None else host.known_variant(model)
    if guidance is None:
        guidance = preset(variant).guidance  # pyright: ignore[reportArgumentType]
    chosen, positive = solver or host.ace_solver(), task[0]
    host.check_sampler(chosen, positive, guidance)
    warnings = variant_warnings(variant, host.task_name(positive), guidance)
    warnings += preset_advice(variant, len(sigmas) - 1, shift_of(sigmas.tolist()))
    warnings += host.sampler_warnings(chosen, positive) + host.task_warnings(positive)
    for warning in warnings:
        logger.warning(warning)
    batch = host.Batch(model, *task, sigmas, recipe, guidance, chosen)
    stats = host.RunStats(model)
    memory = Notices(logger.warning)
    done = host.sample(batch, memory, preview)
    name = "unknown" if variant is None else variant.value
    lines = [*warning_lines(warnings), f"model: {name}"]
    lines += [*_step_lines(sigmas, positive), _guidance_line(guidance)]
    lines += [f"solver: {host.solver_name(chosen)}", host.dcw_line(chosen, model, positive)]
    lines += [f"memory: {notice}" for notice in memory.texts]
    lines += [f"preview: {notice}" for notice in preview.notices.texts] if preview else []
    return done, [*lines, _length_line(done), *stats.lines(), *seed_lines(recipe)]


def format_times(times: list[float]) -> str:
    """All of them, or the first and the last where they are many."""
    shown = [f"{t:.4g}" for t in times]
    if len(shown) > MOST_TIMES:
        shown = [*shown[:FIRST_TIMES], "...", *shown[-LAST_TIMES:]]
    return ", ".join(shown)


def _step_lines(sigmas: torch.Tensor, positive: list) -> list[str]:
    from . import host

    times = host.times_of(sigmas, positive)
    shift = shift_of(sigmas.tolist())
    lines = [f"steps: {len(times) - 1}, at t = {format_times(times)}"]
    lines += [] if shift is None else [f"shift: {shift:g}"]
    return lines + host.task_lines(positive)


def _guidance_line(guidance: Guidance | None) -> str:
    if guidance is None or not guidance.active:
        return "guidance: no guidance"
    low, high = guidance.interval
    within = "" if (low, high) == (0, 1) else f", for t from {low:g} to {high:g}"
    return f"guidance: {guidance.kind.value.upper()} guidance {guidance.scale:g}{within}"


def _length_line(latent: dict[str, Any]) -> str:
    from . import host

    count = len(latent["samples"])
    songs = f", {count} songs" if count > 1 else ""
    return f"length: {seconds_of(host.music_frames(latent)):g} s{songs}"

"""The core's solvers as stock SAMPLER, and its noise as stock NOISE.

What a repaint keeps of its source travels in the conditioning, so this SAMPLER keeps it under
every guider.
"""

from dataclasses import dataclass, replace
from typing import Any

import comfy.samplers
from torch import Tensor

from ...ace_core.conditioning.context import fit_length
from ...ace_core.sampling.dcw import DCW
from ...ace_core.sampling.flow_edit import check_edit
from ...ace_core.sampling.guidance import Guidance
from ...ace_core.sampling.presets import applied_dcw
from ...ace_core.sampling.recipe import RETAKE_VARIANCE, Recipe, Retake, sde_noise, seeds_for
from ...ace_core.sampling.repaint import KeptSource
from ...ace_core.sampling.solvers import Solver, SolverOptions, in_turn, integrate
from ...ace_core.types import Variant
from .conditioning import host_task
from .dcw import patched_dcw, without_dcw
from .from_native import known_variant
from .morph import check_morph, check_run, is_morph, run_morph
from .velocity import HostVelocity


class AceSolver(comfy.samplers.Sampler):
    """A stock SAMPLER that integrates as the core does. It keeps nothing between runs.

    `recipe` has the seeds of the items and their retake, for what adds new noise in a step; without
    it the seeds are derived from the run's own seed, as the noise of ACE-Step Noise is. `dcw` None
    is the preset of the model's variant.

    Raises:
        InvalidScheduleError: `dcw` cannot correct the steps of `solver`.
    """

    def __init__(
        self, solver: Solver, recipe: Recipe | None = None, dcw: DCW | None = None
    ) -> None:
        if dcw is not None:
            dcw.check_solver(solver)
        self.solver = solver
        self.recipe = recipe
        self.dcw = dcw

    def dcw_for(self, variant: Variant | None) -> DCW | None:
        """What corrects the steps of a model of `variant`; None: nothing."""
        return applied_dcw(self.dcw, variant, self.solver)

    def with_recipe(self, recipe: Recipe) -> "AceSolver":
        """The same for the items of one run."""
        return AceSolver(self.solver, recipe, self.dcw)

    def sample(
        self,
        model_wrap: Any,
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Any,
        noise: Tensor,
        latent_image: Any = None,
        denoise_mask: Any = None,
        disable_pbar: bool = False,
    ) -> Tensor:
        """`noise` [B, C, T] to the latent at the last of `sigmas`."""
        model = comfy.samplers.KSamplerX0Inpaint(model_wrap, sigmas)
        model.latent_image, model.noise = latent_image, noise
        options = without_dcw(extra_args["model_options"])
        velocity = HostVelocity(
            model, {**extra_args, "denoise_mask": denoise_mask, "model_options": options}
        )
        flow = model_wrap.inner_model.model_sampling
        start = flow.noise_scaling(
            sigmas[0], noise, latent_image, self.max_denoise(model_wrap, sigmas)
        )
        times = sigmas.tolist()

        def on_step(step: int, x0: Tensor) -> None:
            if callback is not None:
                callback(step, x0.transpose(1, 2), velocity.state, len(times) - 1)

        recipe = self.recipe or _derived_recipe(len(start), extra_args.get("seed"))
        if is_morph(host_task(getattr(model_wrap, "conds", {}).get("positive", []))):
            check_run(times, denoise_mask)
            check_edit(self.solver, getattr(model_wrap, "guidance", None), self.dcw)
            return run_morph(model_wrap, velocity, noise, recipe, times, on_step)
        kept = _kept_source(model_wrap, start)
        injection = kept and kept.after_step(noise.transpose(1, 2), len(times) - 1)
        dcw = self.dcw_for(known_variant(model_wrap.model_patcher))
        run = SolverOptions(
            times=times,
            noise=sde_noise(recipe.seeds, start.shape[-1]),
            on_step=on_step,
            after_step=in_turn(dcw, injection),
            correct_last=False,  # the host hands out no velocity at t = 0
        )
        x = integrate(self.solver, velocity, start.transpose(1, 2), run)
        if kept is not None and times[-1] == 0:
            x = kept.blended(x)
        return flow.inverse_noise_scaling(sigmas[-1], x.transpose(1, 2).contiguous())


def _derived_recipe(batch: int, seed: int | None) -> Recipe:
    first = 0 if seed is None else seed
    return Recipe(seeds_for(batch, [first], rng_seed=first))


def _kept_source(model_wrap: Any, like: Tensor) -> KeptSource | None:
    """What the positive conditioning asks to keep, on the device of `like` [B, C, T]."""
    entries = getattr(model_wrap, "conds", {}).get("positive", [])
    entry_task = host_task(entries)
    if entry_task is None or entry_task.task.keep is None:
        return None
    task, keep = entry_task.task, entry_task.task.keep
    if task.source is None or task.mask is None:
        return None
    silence = model_wrap.inner_model.silence_on(like.device, entry_task.silence)
    source = fit_length(task.source.to(like), like.shape[-1], silence)
    return KeptSource(source, task.mask.to(like.device), keep)


@dataclass(frozen=True, slots=True)
class AceNoise:
    """A stock NOISE: each item from a seed of its own, with a second noise mixed in for a retake.

    Seeds that are `None` or missing are derived from the first.
    """

    given: tuple[int | None, ...]
    retake_seed: int | None = None
    variance: float = RETAKE_VARIANCE

    @property
    def seed(self) -> int:
        return self.given[0] or 0

    def recipe(self, batch: int) -> Recipe:
        """The seeds of `batch` items."""
        plain = Recipe(seeds_for(batch, [self.seed, *self.given[1:]], rng_seed=self.seed))
        if self.retake_seed is None or not self.variance:
            return plain
        others = seeds_for(batch, [self.retake_seed], rng_seed=self.retake_seed)
        return replace(plain, retake=Retake(others, self.variance))

    def generate_noise(self, input_latent: dict[str, Any]) -> Tensor:
        """[B, C, T] for a LATENT."""
        batch, _, frames = input_latent["samples"].shape
        return self.recipe(batch).initial_noise(frames).transpose(1, 2).contiguous()


def ace_solver(solver: Solver = Solver.EULER, dcw: DCW | None = None) -> AceSolver:
    return AceSolver(solver, dcw=dcw)


def solver_name(sampler: Any) -> str:
    """What to call a SAMPLER in a report."""
    if isinstance(sampler, AceSolver):
        return sampler.solver.value
    function = getattr(sampler, "sampler_function", None)
    return getattr(function, "__name__", type(sampler).__name__)


def dcw_line(sampler: Any, model: Any, positive: list) -> str:
    """What corrects the steps of a run, as a line of its report."""
    variant, off = known_variant(model), "dcw: off"
    if is_morph(host_task(positive)):
        return f"{off}, as in every morph"
    if isinstance(sampler, AceSolver):
        applied = sampler.dcw_for(variant)
        return off if applied is None else f"dcw: {applied}"
    patched = patched_dcw(model)
    if patched is not None:
        return f"dcw: {patched}, exact for the sampler euler"
    if applied_dcw(None, variant, Solver.EULER) is None:
        return off
    return f"{off}, as {solver_name(sampler)} corrects no steps: put ACE-Step DCW behind the model"


def sampler_warnings(sampler: Any, positive: list) -> list[str]:
    """Warnings about what a stock SAMPLER does not do for a task."""
    entry_task = host_task(positive)
    if entry_task is None or entry_task.task.keep is None or isinstance(sampler, AceSolver):
        return []
    return [
        f"{solver_name(sampler)} does not put the source back outside the region while it samples. "
        "Use ACE-Step Solver for that; Decode Audio splices the source's sound in either case."
    ]


def check_sampler(sampler: Any, positive: list, guidance: Guidance | None) -> None:
    """
    Raises:
        InvalidRequestError: the task is a morph, and `sampler` or `guidance` cannot do it.
    """
    if isinstance(sampler, AceSolver):
        check_morph(positive, sampler.solver, guidance, sampler.dcw)
    else:
        check_morph(positive, None, guidance, None)

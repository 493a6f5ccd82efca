"""DCW under stock samplers: a patch of the model that the host offers, a post-CFG function.

It moves the estimate of the clean latent so that a step of the sampler euler ends where the core's
does after its correction. For samplers that take other steps that is not exact.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from torch import Tensor

from ...ace_core.errors import InvalidRequestError
from ...ace_core.sampling.dcw import DCW
from ...ace_core.sampling.presets import applied_dcw
from ...ace_core.sampling.schedules import close
from ...ace_core.sampling.solvers import Solver, SolverStep
from .from_native import check_family, known_variant

_FUNCTIONS: Final = "sampler_post_cfg_function"  # the host's name for those of a model


@dataclass(frozen=True, slots=True)
class DCWPatch:
    """A post-CFG function of the host that corrects the steps of the sampler euler."""

    dcw: DCW

    def __call__(self, given: dict[str, Any]) -> Tensor:
        """The estimate [B, C, T] from which a plain step of Euler ends in the corrected latent.

        Raises:
            InvalidRequestError: the host does not say which steps are taken.
        """
        estimate: Tensor = given["denoised"]
        step = _step(given)
        if step is None or step.t_next == 0:  # there the latent is the estimate
            return estimate
        x = given["input"].transpose(1, 2)  # [B, T, C]
        plain = step.x0 + step.t_next / step.t * (x - step.x0)  # where Euler's step ends
        moved = self.dcw(step, plain) - plain
        return (step.x0 + step.t / (step.t - step.t_next) * moved).transpose(1, 2)


def _step(given: dict[str, Any]) -> SolverStep | None:
    """The step that begins with this evaluation; None: it lies between the steps."""
    options = given["model_options"].get("transformer_options", {})
    if "sample_sigmas" not in options:
        raise InvalidRequestError(
            "The sampler does not tell its steps, so they cannot be corrected. Use another "
            "sampler, or take ACE-Step DCW out of the graph."
        )
    t, times = float(given["sigma"].flatten()[0]), options["sample_sigmas"].tolist()
    for index, (start, end) in enumerate(pairwise(times)):
        if close(t, start) and end < start:
            return SolverStep(index, start, end, given["denoised"].transpose(1, 2))
    return None


def with_dcw(model: Any, dcw: DCW | None) -> tuple[Any, str]:
    """A clone of a MODEL whose steps are corrected, in place of an earlier correction, and what
    was chosen; `dcw` None is the preset of the model's variant.

    Raises:
        CheckpointError: the model is not ACE-Step 1.5.
    """
    check_family(model)
    variant = known_variant(model)
    applied = applied_dcw(dcw, variant, Solver.EULER)
    made = model.clone()
    made.model_options = without_dcw(made.model_options)
    if applied is not None:
        made.set_model_sampler_post_cfg_function(DCWPatch(applied))
    name = "unknown variant" if variant is None else variant.value
    return made, f"{name}: {applied or 'DCW off'}"


def without_dcw(model_options: dict[str, Any]) -> dict[str, Any]:
    """A model's options without the patch, for a solver that corrects its steps itself."""
    functions = model_options.get(_FUNCTIONS, [])
    others = [each for each in functions if not isinstance(each, DCWPatch)]
    return {**model_options, _FUNCTIONS: others} if functions else model_options


def patched_dcw(model: Any) -> DCW | None:
    """What corrects the steps of a MODEL under stock samplers."""
    functions = model.model_options.get(_FUNCTIONS, [])
    return next((each.dcw for each in functions if isinstance(each, DCWPatch)), None)

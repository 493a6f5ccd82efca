"""The core's own run with what a prompt has loaded, to compare the nodes with."""

from typing import Any

import torch

from tools.hosts.host import Outcome
from tools.hosts.pack import Pack


def core(pack: Pack, name: str) -> Any:
    return pack.submodule(f"ace_core.{name}")


def host_task(found: Outcome, name: str = "task") -> Any:
    """What the CONDITIONING of a task node carries."""
    return found.values[name][0][0][1]["ace_step"]


def core_models(pack: Pack, found: Outcome) -> Any:
    """The pipeline's models. Turbo, because the host gives Heun's last step to Euler as turbo."""
    ace = found.values["model"][0].model
    spare = host_task(found).silence
    return core(pack, "pipeline").Models(
        dit=ace.diffusion_model,
        text=found.values["text"][0],
        vae=found.values["vae"][0].first_stage_model,
        silence=ace.silence_on(torch.device("cpu"), spare),
        variant=core(pack, "types").Variant.TURBO,
    )


def core_song(pack: Pack, found: Outcome, task: Any, **recipe: Any) -> Any:
    """Latents [B, C, T] of the times that `editing.times` lists; DCW as the loaded model's variant
    has it, unless it is given."""
    presets, solvers = core(pack, "sampling.presets"), core(pack, "sampling.solvers")
    variant, solver = found.values["model"][0].model.variant, recipe.get("solver")
    dcw = presets.applied_dcw(recipe.get("dcw"), variant, solver or solvers.Solver.EULER)
    recipe["dcw"] = dcw or core(pack, "sampling.dcw").DCW_OFF
    made = core(pack, "sampling.recipe").Recipe(times=(1.0, 0.8, 0.5, 0.2), **recipe)
    models = core_models(pack, found)
    return core(pack, "pipeline").sample(models, task, made).transpose(1, 2)

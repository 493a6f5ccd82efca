"""The core's own run with what a prompt has loaded, to compare the nodes with."""

from typing import Any

import torch

from tools.execute import Outcome
from tools.pack import Pack


def core(pack: Pack, name: str) -> Any:
    return pack.submodule(f"ace_core.{name}")


def core_models(pack: Pack, found: Outcome) -> Any:
    """The pipeline's models. Turbo, because the host gives Heun's last step to Euler as turbo."""
    ace = found.values["model"][0].model
    spare = found.values["task"][0][0][1]["ace_step"]["silence"]
    return core(pack, "pipeline").Models(
        dit=ace.diffusion_model,
        text=found.values["text"][0],
        vae=found.values["vae"][0].first_stage_model,
        silence=ace.silence_on(torch.device("cpu"), spare),
        variant=core(pack, "types").Variant.TURBO,
    )


def core_song(pack: Pack, found: Outcome, item: Any, free: Any = None, **recipe: Any) -> Any:
    """Latents [B, C, T] of the times that `editing.times` lists."""
    made = core(pack, "sampling.recipe").Recipe(times=(1.0, 0.8, 0.5, 0.2), **recipe)
    models = core_models(pack, found)
    return core(pack, "pipeline").sample(models, item, made, free=free).transpose(1, 2)

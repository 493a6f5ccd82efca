"""A song in, audio out, without a host: the one place where all stages meet.

What the nodes do inside ComfyUI, this does for a script, a test or a benchmark. It picks no device
and no dtype: the models' own are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .audio import tiling
from .audio.waveform import limit_peak
from .conditioning import context as ctx
from .conditioning.text import TextEncoder
from .errors import InvalidScheduleError
from .models.acestep import AceStepModel
from .models.vae import Oobleck
from .sampling.flow import OnStep, Velocity, euler, timesteps
from .sampling.guidance import Guidance
from .sampling.guided import GuidedVelocity
from .sampling.noise import noise
from .sampling.presets import preset
from .types import Conditioning, Variant

Memory = Sequence[tuple[Tensor, Tensor]]  # cross-attention keys and values of every layer


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """Everything one song passes through, on one device.

    `silence` is [1, S, C] in the diffusion model's dtype; `variant` decides what `Recipe` leaves
    open.
    """

    dit: AceStepModel
    text: TextEncoder
    vae: Oobleck
    silence: Tensor
    variant: Variant


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to sample: one item for each seed. `None` follows the checkpoint's variant."""

    seeds: tuple[int, ...] = (0,)
    steps: int | None = None
    shift: float | None = None
    guidance: Guidance | None = None

    def __post_init__(self) -> None:
        if not self.seeds:
            raise InvalidScheduleError("There is no seed, so no song. Give one seed an item.")


@torch.inference_mode()
def sample(
    models: Models,
    item: Conditioning,
    recipe: Recipe,
    on_step: OnStep | None = None,
    start: Tensor | None = None,
) -> Tensor:
    """Latents [B, T, C] in float32, one for each seed.

    `start` [B, T, C] replaces the seeded noise. Raises InvalidScheduleError before any heavy work
    when the recipe cannot be sampled.
    """
    usual = preset(models.variant)
    times = timesteps(
        usual.steps if recipe.steps is None else recipe.steps,
        usual.shift if recipe.shift is None else recipe.shift,
    )
    x = noise(recipe.seeds, item.frames) if start is None else start
    velocity = guided_velocity(models, item, recipe.guidance or usual.guidance)
    return euler(velocity, x.to(models.silence.device), times, on_step)


def guided_velocity(models: Models, item: Conditioning, guidance: Guidance | None) -> Velocity:
    """What a solver calls: conditions encoded and cross-attention prepared once, here."""
    decoder = models.dit.decoder
    context = ctx.context(models.dit, item, models.silence)  # [1, T, 2C]
    worded = decoder.memory(ctx.encoded(models.dit, item, models.silence))

    def look(x: Tensor, t: float, memory: Memory) -> Tensor:
        moment = torch.full((x.shape[0],), t, device=x.device)
        state = x.to(context.dtype)
        return decoder(state, moment, context.expand(x.shape[0], -1, -1), memory).to(x.dtype)

    if guidance is None:
        return lambda x, t: look(x, t, worded)
    wordless = decoder.memory(models.dit.null_condition_emb.to(context))
    return GuidedVelocity(
        pair=lambda x, t: (look(x, t, worded), look(x, t, wordless)),
        single=lambda x, t: look(x, t, worded),
        guidance=guidance,
    )


@torch.inference_mode()
def render(models: Models, latents: Tensor, on_tile: tiling.OnTile | None = None) -> Tensor:
    """Latents [B, T, C] as audio [B, 2, N] at 48 kHz, an item that is too loud brought to 1."""
    return limit_peak(tiling.decode(models.vae, latents.transpose(1, 2), on_tile=on_tile))

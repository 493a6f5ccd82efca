"""A song in, audio out, without a host: the one place where all stages meet.

What the nodes do inside ComfyUI, this does for a script, a test or a benchmark. It picks no device
and no dtype: the models' own are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .audio import oom_tiling, tiling
from .audio.waveform import limit_peak
from .conditioning import context as ctx
from .conditioning.text import TextEncoder
from .errors import InvalidRequestError
from .memory import HEADROOM, OOM_HANDLER, OomHandler, free_bytes
from .models.acestep import AceStepModel
from .models.attention import KV
from .models.dit import memory_estimate
from .models.vae import Oobleck
from .precision import at_least_float32
from .sampling.cover import Switched, start_from_source, switch_time
from .sampling.flow import OnStep, Velocity
from .sampling.guidance import Guidance
from .sampling.guided import GuidedVelocity, Pair
from .sampling.microbatch import in_microbatches, largest_microbatch
from .sampling.noise import fresh_noise
from .sampling.presets import preset
from .sampling.recipe import Recipe
from .sampling.repaint import KeptSource
from .sampling.run import Run, integrate
from .task import Task
from .types import Variant


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


@torch.inference_mode()
def sample(
    models: Models,
    task: Task | Sequence[Task],
    recipe: Recipe,
    on_step: OnStep | None = None,
    start: Tensor | None = None,
    oom: OomHandler = OOM_HANDLER,
) -> Tensor:
    """Latents [B, T, C], one for each seed, in float32 or the models' own if that is finer.

    Several tasks are one for each seed: variations of one text that differ in their codes.
    `start` [B, T, C] replaces the seeded noise. What cannot be sampled is refused before any heavy
    work. Items that do not fit into memory together are made in groups: then `on_step` sees every
    step once per group.

    Raises:
        NotEnoughMemoryError: not even one item fits.
    """
    batch = len(recipe.seeds)
    tasks = _variations(task, batch)
    _check_sources(tasks[0], batch)

    def run(first: int, behind: int) -> Tensor:
        own = _part(tasks, first, behind)
        begin = None if start is None else start[first:behind]
        return _sampled(models, own, recipe.part(first, behind), on_step, begin)

    return in_microbatches(batch, run, oom, _most_at_once(models, tasks[0].frames, batch))


def _most_at_once(models: Models, frames: int, batch: int) -> int:
    room = free_bytes(models.silence.device)
    if room is None:
        return batch
    size, config = models.silence.dtype.itemsize, models.dit.config

    def fits(group: int) -> bool:
        return memory_estimate(config, group, frames, size) * HEADROOM < room

    return largest_microbatch(batch, fits)


def _sampled(
    models: Models,
    tasks: Sequence[Task],
    recipe: Recipe,
    on_step: OnStep | None,
    start: Tensor | None,
) -> Tensor:
    task = tasks[0]
    times = recipe.schedule(models.variant)
    first = recipe.first_noise(task.frames) if start is None else start
    silence = models.silence
    x = first = first.to(silence.device, at_least_float32(silence.dtype))
    if task.source_strength:
        starts = [ctx.start(models.dit, each, models.silence) for each in tasks]
        source = torch.cat(starts).to(first)  # [1 or B, T, C]
        x, times = start_from_source(first, source, times, task.source_strength)
    looks = _looks(models, tasks)
    rest = task.without_source()
    if rest is not None:
        looks = looks.until(switch_time(times, task.cover_strength), _looks(models, (rest,)))
    usual = preset(models.variant)
    kept = _kept_source(models, task)
    run = Run(
        times=times,
        fresh=fresh_noise(recipe.seeds, task.frames),
        on_step=on_step,
        after_step=kept and kept.after_step(first, len(times) - 1),
        correct_last=not models.variant.distilled,
    )
    velocity = looks.velocity(recipe.guidance or usual.guidance)
    x = integrate(recipe.solver or usual.solver, velocity, x, run)
    return x if kept is None else kept.blended(x)


@torch.inference_mode()
def decode_audio(
    models: Models,
    latents: Tensor,
    on_tile: tiling.OnTile | None = None,
    oom: OomHandler = OOM_HANDLER,
) -> Tensor:
    """Latents [B, T, C] as audio [B, 2, N] at 48 kHz, an item that is too loud brought to 1.

    On a full device the tiles get smaller, and at last the CPU decodes.

    Raises:
        NotEnoughMemoryError: the CPU's memory does not suffice either.
    """
    own = next(models.vae.parameters())
    latents = latents.transpose(1, 2).to(own)  # [B, C, T]
    return limit_peak(oom_tiling.decode(models.vae, latents, on_tile=on_tile, oom=oom))


@torch.inference_mode()
def encode_audio(models: Models, audio: Tensor, oom: OomHandler = OOM_HANDLER) -> Tensor:
    """48 kHz stereo [B, 2, N] as latents [B, T, C]: the mean of what the VAE believes."""
    own = next(models.vae.parameters())
    return oom_tiling.encode(models.vae, audio.to(own), oom=oom).mean.transpose(1, 2)


def _variations(task: Task | Sequence[Task], batch: int) -> tuple[Task, ...]:
    items = (task,) if isinstance(task, Task) else tuple(task)
    if len(items) not in (1, batch):
        raise InvalidRequestError(
            f"There are {len(items)} variations for {batch} seeds. Give one seed a variation."
        )
    return items


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """What the model says of a moment: with the song's words, and with and without them."""

    cond: Velocity
    both: Pair

    def until(self, t: float, then: "_Looks") -> "_Looks":
        """These looks down to flow time `t`, the others from there on."""
        return _Looks(Switched(self.cond, then.cond, t), Switched(self.both, then.both, t))

    def velocity(self, guidance: Guidance | None) -> Velocity:
        if guidance is None:
            return self.cond
        return GuidedVelocity(self.both, self.cond, guidance)


def _looks(models: Models, items: Sequence[Task]) -> _Looks:
    """Conditions encoded and cross-attention prepared once, here."""
    decoder = models.dit.decoder
    contexts = [ctx.context(models.dit, item, models.silence) for item in items]
    context = torch.cat(contexts)  # [1 or B, T, 2C]
    cond = decoder.cross_attention_kv(ctx.encoded(models.dit, items[0], models.silence))
    uncond = decoder.cross_attention_kv(models.dit.null_condition_emb.to(context))

    def look(x: Tensor, t: float, kv: Sequence[KV]) -> Tensor:
        moment = torch.full((x.shape[0],), t, device=x.device, dtype=x.dtype)
        state = x.to(context.dtype)
        return decoder(state, moment, context.expand(x.shape[0], -1, -1), kv).to(x.dtype)

    return _Looks(
        cond=lambda x, t: look(x, t, cond),
        both=lambda x, t: (look(x, t, cond), look(x, t, uncond)),
    )


def _part(items: Sequence[Task], first: int, behind: int) -> Sequence[Task]:
    """The variations of some songs, or the one task with their sources where it has several."""
    if len(items) > 1:
        return items[first:behind]
    source = items[0].source
    if source is None or len(source) == 1:
        return items
    return [replace(items[0], source=source[first:behind])]


def _check_sources(item: Task, batch: int) -> None:
    if item.source is not None and len(item.source) not in (1, batch):
        raise InvalidRequestError(
            f"There are {len(item.source)} sources for {batch} songs. Give one source for all of "
            "them, or a seed for each source."
        )


def _kept_source(models: Models, item: Task) -> KeptSource | None:
    if item.keep is None or item.source is None or item.mask is None:
        return None
    whole = ctx.fitted(item.source.to(models.silence), item.frames, models.silence)
    return KeptSource(
        whole.to(at_least_float32(whole.dtype)), item.mask.to(whole.device), item.keep
    )

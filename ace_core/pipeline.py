"""From a task to audio without a host: sampling, decoding and encoding, where all stages meet.

Scripts, tests and benchmarks use it as ComfyUI uses the nodes. It chooses no device and no dtype:
the models' own are used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import torch
from torch import Tensor

from .alignment.attention_maps import FinishedSong
from .audio import tiling
from .audio.waveform import limit_peak, without_padding
from .conditioning import context as ctx
from .conditioning.text import TextEncoder
from .errors import InvalidRequestError
from .memory import HEADROOM, OOM_HANDLER, OomHandler, free_bytes
from .models.acestep import AceStepModel
from .models.attention import KV
from .models.dit import memory_estimate
from .models.half import residual_dtype
from .models.vae import Oobleck
from .precision import at_least_float32
from .sampling.cover import SwitchedVelocity, start_from_source, switch_time
from .sampling.finite import FiniteVelocity
from .sampling.flow_edit import EditOptions, check_edit, flow_edit
from .sampling.guidance import CondUncond, Guidance, GuidedVelocity
from .sampling.microbatch import in_microbatches, largest_microbatch
from .sampling.presets import preset
from .sampling.recipe import Recipe, sde_noise
from .sampling.repaint import KeptSource
from .sampling.solvers import OnStep, SolverOptions, Velocity, in_turn, integrate
from .task import Task
from .types import AudioCodes, Variant


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """The models of the pipeline, on one device.

    `silence` is [1, S, C] in the diffusion model's dtype; `variant` has the defaults of a `Recipe`.
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
    """Latents [B, T, C], one per seed, in float32 or the models' dtype if that is more precise.

    Several tasks are one per seed: variations of one text that differ in codes or timbre. `start`
    [B, T, C] replaces the seeded noise. What cannot be sampled is refused before any heavy work.
    Items that do not fit into memory together are sampled in microbatches, and `on_step` is called
    for every step of each.

    Raises:
        NotEnoughMemoryError: not even one item fits.
        NonFiniteError: a model computes NaN or infinity.
    """
    batch = len(recipe.seeds)
    tasks = _variations(task, batch)
    _check_sources(tasks[0], batch)
    if tasks[0].edit is not None:
        check_edit(recipe.solver, recipe.guidance, recipe.dcw)

    def run(first: int, stop: int) -> Tensor:
        noise = None if start is None else start[first:stop]
        part = recipe.part(first, stop)
        return _sample_microbatch(models, _part(tasks, first, stop), part, on_step, noise)

    return in_microbatches(batch, run, oom, _largest_microbatch(models, tasks[0].frames, batch))


def _largest_microbatch(models: Models, frames: int, batch: int) -> int:
    free = free_bytes(models.silence.device)
    if free is None:
        return batch
    size, config = residual_dtype(models.silence.dtype).itemsize, models.dit.config

    def fits(items: int) -> bool:
        return memory_estimate(config, items, frames, size) * HEADROOM < free

    return largest_microbatch(batch, fits)


def _sample_microbatch(
    models: Models,
    tasks: Sequence[Task],
    recipe: Recipe,
    on_step: OnStep | None,
    start: Tensor | None,
) -> Tensor:
    task = tasks[0]
    times = recipe.schedule(models.variant)
    noise = recipe.initial_noise(task.frames) if start is None else start
    silence = models.silence
    x = noise = noise.to(silence.device, at_least_float32(silence.dtype))
    if task.edit is not None:
        draws = chain([noise], islice(recipe.noise_draws(task.frames), 1, None))
        return _edit(models, tasks, recipe, EditOptions(times, task.edit.window, draws, on_step))
    if task.source_strength:
        starts = [ctx.start_latents(models.dit, each, models.silence) for each in tasks]
        source = torch.cat(starts).to(noise)  # [1 or B, T, C]
        x, times = start_from_source(noise, source, times, task.source_strength)
    velocities = _velocities(models, tasks)
    rest = [each for each in (task.without_source() for task in tasks) if each is not None]
    if rest:
        switch = switch_time(times, task.cover_strength)
        velocities = velocities.switched(switch, _velocities(models, rest))
    defaults = preset(models.variant)
    kept = _kept_source(models, task)
    options = SolverOptions(
        times=times,
        noise=sde_noise(recipe.seeds, task.frames),
        on_step=on_step,
        after_step=in_turn(
            recipe.dcw_for(models.variant), kept and kept.after_step(noise, len(times) - 1)
        ),
        correct_last=not models.variant.distilled,
    )
    guided = velocities.guided(recipe.guidance or defaults.guidance)
    velocity = FiniteVelocity(guided, times)
    x = integrate(recipe.solver or defaults.solver, velocity, x, options)
    return x if kept is None else kept.blended(x)


def _edit(models: Models, tasks: Sequence[Task], recipe: Recipe, options: EditOptions) -> Tensor:
    """The morph of the tasks' sources, [B, T, C]."""
    guidance = recipe.guidance or preset(models.variant).guidance
    old_words, new_words = (
        FiniteVelocity(_velocities(models, each).guided(guidance), options.times)
        for each in ([task.with_source_words() for task in tasks], tasks)
    )
    starts = torch.cat([ctx.start_latents(models.dit, each, models.silence) for each in tasks])
    source = starts.to(at_least_float32(starts.dtype)).expand(len(recipe.seeds), -1, -1)
    return flow_edit(old_words, new_words, source, options)


@torch.inference_mode()
def decode_audio(
    models: Models,
    latents: Tensor,
    on_tile: tiling.OnTile | None = None,
    oom: OomHandler = OOM_HANDLER,
    padding: int = 0,
) -> Tensor:
    """Latents [B, T, C] as audio [B, 2, N] at 48 kHz; an item whose peak exceeds 1 is scaled to 1.

    The last `padding` frames are decoded with the others and left out.

    When memory is short the tiles get smaller, and as a last resort the CPU decodes.

    Raises:
        NotEnoughMemoryError: the CPU's memory does not suffice either.
    """
    weight = next(models.vae.parameters())
    latents = latents.transpose(1, 2).to(weight)  # [B, C, T]
    audio = tiling.decode_adaptive(models.vae, latents, on_tile=on_tile, oom=oom)
    return limit_peak(without_padding(audio, padding))


@torch.inference_mode()
def encode_audio(models: Models, audio: Tensor, oom: OomHandler = OOM_HANDLER) -> Tensor:
    """48 kHz stereo [B, 2, N] as latents [B, T, C]: the mean of the VAE's posterior."""
    weight = next(models.vae.parameters())
    return tiling.encode_adaptive(models.vae, audio.to(weight), oom=oom).mean.transpose(1, 2)


@torch.inference_mode()
def encode_codes(models: Models, latents: Tensor) -> tuple[AudioCodes, ...]:
    """The audio codes of each item of music [B, T, C].

    Raises:
        InvalidAudioError: it is shorter than one code.
    """
    items = latents.to(models.silence)
    return tuple(ctx.codes_of_latents(models.dit, item[None], models.silence) for item in items)


@torch.inference_mode()
def finished_songs(
    models: Models, task: Task | Sequence[Task], latents: Tensor
) -> Iterator[FinishedSong]:
    """Each item of finished `latents` [B, T, C] with what the model saw when it made it."""
    tasks = _variations(task, len(latents))
    decoder = models.dit.decoder
    for index, item in enumerate(latents):
        own = _part(tasks, index, index + 1)[0]
        context = ctx.context(models.dit, own, models.silence)
        encoded = ctx.encode_conditions(models.dit, own, models.silence)
        yield FinishedSong(item[None], context, decoder.cross_attention_kv(encoded))


def _variations(task: Task | Sequence[Task], batch: int) -> tuple[Task, ...]:
    tasks = (task,) if isinstance(task, Task) else tuple(task)
    if len(tasks) not in (1, batch):
        raise InvalidRequestError(
            f"There are {len(tasks)} variations for {batch} seeds. Give one seed per variation."
        )
    return tasks


@dataclass(frozen=True, slots=True, eq=False)
class _Velocities:
    """The velocity of the model with the conditioning, and with and without it."""

    cond: Velocity
    cond_uncond: CondUncond

    def switched(self, t: float, other: "_Velocities") -> "_Velocities":
        """These for the steps before flow time `t`, the `other` ones from there on."""
        return _Velocities(
            SwitchedVelocity(self.cond, other.cond, t),
            SwitchedVelocity(self.cond_uncond, other.cond_uncond, t),
        )

    def guided(self, guidance: Guidance | None) -> Velocity:
        if guidance is None:
            return self.cond
        return GuidedVelocity(self.cond_uncond, self.cond, guidance)


def _velocities(models: Models, tasks: Sequence[Task]) -> _Velocities:
    """The conditions are encoded and the cross-attention keys and values computed once, here."""
    decoder = models.dit.decoder
    contexts = [ctx.context(models.dit, task, models.silence) for task in tasks]
    context = torch.cat(contexts)  # [1 or B, T, 2C]
    differ = tasks if any(task.timbre is not tasks[0].timbre for task in tasks) else tasks[:1]
    conditions = [ctx.encode_conditions(models.dit, task, models.silence) for task in differ]
    cond_kv = decoder.cross_attention_kv(torch.cat(conditions))  # of batch 1 or B
    uncond_kv = decoder.cross_attention_kv(models.dit.null_condition_emb.to(context))

    def velocity(x: Tensor, t: float, kv: Sequence[KV]) -> Tensor:
        batch = x.shape[0]
        timestep = torch.full((batch,), t, device=x.device, dtype=x.dtype)
        return decoder(x.to(context.dtype), timestep, context.expand(batch, -1, -1), kv).to(x.dtype)

    return _Velocities(
        cond=lambda x, t: velocity(x, t, cond_kv),
        cond_uncond=lambda x, t: (velocity(x, t, cond_kv), velocity(x, t, uncond_kv)),
    )


def _part(tasks: Sequence[Task], start: int, stop: int) -> Sequence[Task]:
    """The tasks of the items from `start` to `stop`: their variations, or their sources."""
    if len(tasks) > 1:
        return tasks[start:stop]
    source = tasks[0].source
    if source is None or len(source) == 1:
        return tasks
    return [replace(tasks[0], source=source[start:stop])]


def _check_sources(task: Task, batch: int) -> None:
    if task.edit is not None and task.source is None:
        raise InvalidRequestError("A morph starts from a recording. Give the task its `source`.")
    if task.source is not None and len(task.source) not in (1, batch):
        raise InvalidRequestError(
            f"There are {len(task.source)} sources for {batch} songs. Give one source for all of "
            "them, or a seed for each source."
        )


def _kept_source(models: Models, task: Task) -> KeptSource | None:
    if task.keep is None or task.source is None or task.mask is None:
        return None
    source = ctx.fit_length(task.source.to(models.silence), task.frames, models.silence)
    dtype = at_least_float32(source.dtype)
    return KeptSource(source.to(dtype), task.mask.to(source.device), task.keep)

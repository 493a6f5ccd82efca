"""Our guidance and our noise through the host's own sampling.

Its loop of conditions, callbacks, previews, masks and interrupts stays the host's; stock samplers
therefore give the same numbers.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import comfy.model_management
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from ...ace_core.latents import check_sigmas, latent_samples, noise_mask
from ...ace_core.memory import HEADROOM, NotEnoughMemoryError, Notify, OomHandler
from ...ace_core.sampling.cover import times_from_source
from ...ace_core.sampling.guidance import Guidance, GuidedVelocity
from ...ace_core.sampling.microbatch import in_microbatches, largest_microbatch
from ...ace_core.sampling.recipe import Recipe
from ...ace_core.sampling.solvers import Velocity
from .audio_preview import AudioPreview, Callback
from .conditioning import KEY, HostTask, source_strength
from .from_native import from_native
from .frontend import progress_heading, progress_text
from .memory import host_oom_handler
from .model import CORRECTOR, DRAW, Draw
from .solver import AceSolver

_SIGMAS = 4  # index of the sigmas among the arguments of `inner_sample`
_CONDITIONS = "sampler_calc_cond_batch_function"  # the host's name for what evaluates the model


class AceGuider(comfy.samplers.CFGGuider):
    """A stock GUIDER that combines the two velocities as `Guidance` says; None: only the first.

    It also starts where a task's source strength says. When a single song does not fit with both
    conditions at once, it is run for one after the other from that call on.
    """

    def __init__(
        self, model: Any, guidance: Guidance | None, oom: OomHandler | None = None
    ) -> None:
        super().__init__(from_native(model))
        self.guidance = guidance
        self._oom = oom or host_oom_handler()
        self._one_by_one = False

    def load_with(self, companions: list[Any]) -> None:
        """Patchers that the host loads together with the model, and keeps until the run's end."""
        for cond in self.original_conds["positive"][:1]:
            cond["additional_models"] = [*cond.get("additional_models", []), *companions]

    def inner_sample(self, *args: Any, **kwargs: Any) -> Tensor:
        # a run's state begins here: the host may use one guider for several runs
        self._velocity, self._source_words = (
            GuidedVelocity(
                lambda x, t: self._cond_uncond,
                lambda x, t: self._cond_uncond[0],
                self.guidance or Guidance(scale=1),
            )
            for _ in range(2)
        )
        sigmas = args[_SIGMAS]
        left = len(times_of(sigmas, self.conds.get("positive", [])))
        args = (*args[:_SIGMAS], sigmas[len(sigmas) - left :], *args[_SIGMAS + 1 :])
        return super().inner_sample(*args, **kwargs)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: int | None = None
    ) -> Tensor:
        """The host's name for: the guess at the clean latent [B, C, T] from `x` at `timestep`."""
        given = dict(model_options or {})
        corrects = given.pop(CORRECTOR, False)
        draw: Draw | None = given.pop(DRAW, None)
        if self.guidance is None:
            return super().predict_noise(x, timestep, given, seed)
        t = float(timestep[0])
        scale = self.guidance.scale if self.guidance.covers(t) else 1.0  # 1: one forward
        combined = self._combined(corrects, draw)

        def combine(given: dict[str, Any]) -> Tensor:
            sigma = given["sigma"].view(-1, 1, 1)  # what the host hands over is sigma * velocity
            both = given["cond"], given["uncond"]
            self._cond_uncond = tuple((part / sigma).transpose(1, 2) for part in both)
            return combined(x.transpose(1, 2), t).transpose(1, 2) * sigma

        def run(options: dict[str, Any]) -> Tensor:
            return comfy.samplers.sampling_function(
                self.inner_model,
                x,
                timestep,
                self.conds.get("negative"),
                self.conds.get("positive"),
                scale,
                model_options={**options, "sampler_cfg_function": combine},
                seed=seed,
            )

        return self._try_batched(run, given, splits=len(x) == 1 and scale != 1)

    def _combined(self, corrects: bool, draw: Draw | None) -> Velocity:
        """How the velocities of this evaluation are combined, with the state that it has."""
        if draw is None:
            return self._velocity.corrector if corrects else self._velocity
        velocity = self._source_words if draw.source_words else self._velocity
        return partial(velocity.draw, index=draw.index, count=draw.count)

    def _try_batched(
        self, run: Callable[[dict[str, Any]], Tensor], options: dict[str, Any], splits: bool
    ) -> Tensor:
        """One evaluation. The guidance changes no state before it has both velocities."""
        if not splits:
            return run(options)
        if not self._one_by_one:
            predicted = self._oom.try_run(lambda: run(options))
            if predicted is not None:
                return predicted
            self._one_by_one = True
            self._oom.notify(
                "Out of memory with both conditions at once: the model gets one after the other."
            )
        return run(one_by_one(options))


def times_of(sigmas: Tensor, positive: list) -> list[float]:
    """The flow times that are taken when a task starts from its source."""
    return times_from_source(sigmas.tolist(), source_strength(positive))


def one_by_one(options: dict[str, Any]) -> dict[str, Any]:
    """A model's options, with which the host runs each list of conditions by itself."""
    evaluate = options.get(_CONDITIONS, _calc_conds)

    def each(args: dict[str, Any]) -> list[Tensor]:
        conds = args["conds"]
        alone = [[c if i == index else None for i, c in enumerate(conds)] for index in range(2)]
        return [evaluate({**args, "conds": one})[index] for index, one in enumerate(alone)]

    return {**options, _CONDITIONS: each}


def _calc_conds(args: dict[str, Any]) -> list[Tensor]:
    given = [args[name] for name in ("model", "conds", "input", "sigma", "model_options")]
    return comfy.samplers.calc_cond_batch(*given)


def guider(
    model: Any,
    positive: list,
    negative: list,
    guidance: Guidance | None,
    oom: OomHandler | None = None,
) -> AceGuider:
    """A GUIDER for one MODEL; without guidance it takes one forward per step."""
    made = AceGuider(model, guidance, oom)
    made.set_conds(positive, negative)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Everything one run of the sampler takes."""

    model: Any
    positive: list
    negative: list
    latent: dict[str, Any]
    sigmas: Tensor
    recipe: Recipe  # its seeds and retake
    guidance: Guidance | None  # None: one forward per step
    sampler: Any  # SAMPLER

    def part(self, start: int, stop: int) -> "Batch":
        """Some of the items, each with its own codes and its own mask."""
        samples = self.latent["samples"]
        latent = {**self.latent, "samples": samples[start:stop]}
        if "noise_mask" in latent:  # one for all, or one per item, as the host repeats them
            mask = comfy.utils.reshape_mask(latent["noise_mask"], samples.shape)
            latent["noise_mask"] = mask[start:stop]
        return replace(
            self,
            positive=_codes_of(self.positive, start, stop),
            negative=_codes_of(self.negative, start, stop),
            latent=latent,
            recipe=self.recipe.part(start, stop),
        )

    def bytes_for(self, items: int) -> float:
        """What one forward of so many items takes beside the weights, with both conditions."""
        guided = self.guidance is not None and self.guidance.active
        entries = [*self.positive, *(self.negative if guided else [])]
        model, shapes = self.model.model, defaultdict(list)
        for text, extras in entries:
            for name, shape in model.extra_conds_shapes(cross_attn=text, **extras).items():
                shapes[name].append([items * shape[0], *shape[1:]])
        rows = items * (2 if guided else 1)
        frames = self.latent["samples"].shape[1:]
        return model.memory_required([rows, *frames], cond_shapes=shapes)


def _codes_of(entries: list, start: int, stop: int) -> list:
    """The conditioning with the sources and the variations of some items only."""
    made = []
    for text, extras in entries:
        entry_task: HostTask | None = extras.get(KEY)
        if entry_task is not None:
            extras = {**extras, KEY: _part_of(entry_task, start, stop)}
            if len(entry_task.variations) > 1 and entry_task.task.codes is not None:
                extras["audio_codes"] = [list(extras[KEY].task.codes.values)]
        made.append([text, extras])
    return made


def _part_of(entry_task: HostTask, start: int, stop: int) -> HostTask:
    """The task of some items only: their sources and their variations of codes."""
    task, variations = entry_task.task, entry_task.variations
    if task.source is not None and len(task.source) > 1:
        task = replace(task, source=task.source[start:stop])
    if len(variations) > 1:
        variations = variations[start:stop]
        task = replace(task, codes=variations[0]) if len(variations) == 1 else task
    return HostTask(task, entry_task.silence, variations if len(variations) > 1 else ())


def sample(
    batch: Batch, notify: Notify | None = None, preview: AudioPreview | None = None
) -> dict[str, Any]:
    """A LATENT like the batch's, each item from its own seed's noise, the seeds written into it.

    A batch that does not fit into memory is made in microbatches, which gives the same songs, and
    `notify` is called; without it, the log is. `preview` decodes excerpts of the first item.

    Raises:
        InvalidRequestError: `latent` is no music latent, its mask is none, or one is not finite.
        InvalidScheduleError: the sigmas are no flow times.
        NotEnoughMemoryError: not even one song fits.
    """
    given = batch.latent
    latent_samples(given)
    check_sigmas(batch.sigmas)
    if "noise_mask" in given:
        batch = replace(batch, latent={**given, "noise_mask": noise_mask(given["noise_mask"])})
    oom = host_oom_handler(notify)
    if preview is not None:
        preview.check_memory(batch.model, lambda: batch.bytes_for(1))
    try:
        samples = _in_microbatches(batch, oom, preview)
    except NotEnoughMemoryError:
        if preview is None or preview.ended:
            raise
        preview.end(
            "Out of memory: once more, without the VAE beside the model, and without previews."
        )
        samples = _in_microbatches(batch, oom, None)
    known = {**given.get(KEY, {}), "seeds": batch.recipe.seeds}
    return {**given, "samples": samples, KEY: known}


def _in_microbatches(batch: Batch, oom: OomHandler, preview: AudioPreview | None) -> Tensor:
    intermediate_device = comfy.model_management.intermediate_device()

    def run(start: int, stop: int) -> Tensor:
        own, group = preview if start == 0 else None, batch.part(start, stop)
        with progress_heading(_group_name(start, stop, items)):
            return _run(group, oom, own).to(intermediate_device, torch.float32)

    items = len(batch.recipe.seeds)
    companions = [] if preview is None else preview.companions
    return in_microbatches(items, run, oom, _largest_batch(batch, companions))


def _group_name(start: int, stop: int, items: int) -> str:
    """Which of several songs a run makes; empty for all of them."""
    if stop - start == items:
        return ""
    return (
        f"song {stop} of {items}"
        if stop - start == 1
        else f"songs {start + 1} to {stop} of {items}"
    )


def _largest_batch(batch: Batch, companions: list[Any]) -> int:
    """How many items the host has room for, once the models lie where they compute."""
    items, model = len(batch.recipe.seeds), batch.model
    if items == 1:
        return 1
    comfy.model_management.load_models_gpu(
        [model, *companions],
        memory_required=batch.bytes_for(items),
        minimum_memory_required=batch.bytes_for(1),
    )
    room = model.get_free_memory(model.load_device)
    return largest_microbatch(items, lambda group: batch.bytes_for(group) * HEADROOM < room)


def _run(batch: Batch, oom: OomHandler, preview: AudioPreview | None) -> Tensor:
    guided = guider(batch.model, batch.positive, batch.negative, batch.guidance, oom)
    seeds, start = batch.recipe.seeds, batch.latent["samples"]
    noise = batch.recipe.initial_noise(start.shape[-1]).transpose(1, 2).contiguous()
    bar = latent_preview.prepare_callback(guided.model_patcher, len(batch.sigmas) - 1)
    callback = _with_text(bar)
    if preview is not None:
        guided.load_with(preview.companions)
        callback = preview.wrap(callback)
    return guided.sample(
        noise,
        start,
        _seeded(batch.sampler, batch.recipe),
        batch.sigmas,
        denoise_mask=batch.latent.get("noise_mask"),
        callback=callback,
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seeds[0],
    )


def _with_text(callback: Callback) -> Callback:
    """`callback`, and how far it is as text on the node."""
    say = progress_text()

    def with_text(step: int, x0: Tensor, x: Tensor, steps: int) -> None:
        callback(step, x0, x, steps)
        say(step + 1, steps)

    return with_text


def _seeded(sampler: Any, recipe: Recipe) -> Any:
    """The sampler with the seeds of this run, where it is ours."""
    return sampler.with_recipe(recipe) if isinstance(sampler, AceSolver) else sampler

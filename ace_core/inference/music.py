"""`generate_music`: from parameters to saved songs, through every stage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..audio.splice import splice
from ..errors import AceStepError, SaveError
from ..memory import OomHandler, out_of_memory
from ..pipeline import decode_audio, sample
from ..sampling.recipe import Recipe
from ..task import Task
from .handlers import AceStepHandler, LLMHandler, Service
from .limits import check_params
from .planning import LMOutput, metadata_dict, run_lm, set_cot_fields
from .progress import Progress, RunProgress
from .request import recipe_of, seeds_of
from .saving import audio_dict, item_params, key_of, make_folder, save_song
from .task_inputs import TaskRequest, build_tasks, load_task_request
from .types import GenerationConfig, GenerationParams, GenerationResult

OUT_OF_MEMORY = (
    "There is not enough memory for this song. Lower `batch_size`, `lm_batch_chunk_size` or "
    "`duration`, or initialise the handlers with `offload_to_cpu=True`."
)


def generate_music(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler | None,
    params: GenerationParams,
    config: GenerationConfig,
    save_dir: str | None = None,
    progress: Progress | None = None,
) -> GenerationResult:
    """Songs for `params`, `config.batch_size` of them.

    An error that a user can fix comes back as `success` False with the reason in `error`.
    `progress` is called with the share of the run that is done and `desc`; an exception of it ends
    the run.
    """
    check_arguments((dit_handler, AceStepHandler), (params, GenerationParams))
    check_arguments((config, GenerationConfig))
    if llm_handler is not None:
        check_arguments((llm_handler, LLMHandler))
    try:
        return _Run(dit_handler.service, llm_handler, params, config, RunProgress(progress)).result(
            save_dir
        )
    except (AceStepError, RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or out_of_memory(error):
            return error_result(OUT_OF_MEMORY)
        if isinstance(error, AceStepError):
            return error_result(str(error))
        raise


def error_result(reason: str, audios: Sequence[dict[str, Any]] = ()) -> GenerationResult:
    """A result without songs, or with songs that could not be saved, and the reason."""
    return GenerationResult(
        audios=list(audios), status_message=f"Error: {reason}", success=False, error=reason
    )


def check_arguments(*pairs: tuple[object, type]) -> None:
    """
    Raises:
        TypeError: an argument has another type.
    """
    for given, kind in pairs:
        if not isinstance(given, kind):
            raise TypeError(f"{given!r} was given where a {kind.__name__} belongs")


@dataclass(frozen=True, slots=True)
class _Run:
    service: Service
    llm: LLMHandler | None
    params: GenerationParams
    config: GenerationConfig
    clock: RunProgress
    memory_notes: list[str] = field(default_factory=list)  # what was made in parts to save memory

    def result(self, save_dir: str | None) -> GenerationResult:
        params, config, clock = self.params, self.config, self.clock
        variant = self.service.models.variant
        check_params(params, config, variant)
        folder = make_folder(save_dir)
        seeds, notes = seeds_of(params, config)
        recipe, more = recipe_of(params, variant, seeds)
        request = load_task_request(params, seeds)
        plan = run_lm(self.llm, request, params, config, seeds, clock)
        notes += [*more, *plan.notes, *_unused(params, request)]
        set_cot_fields(params, plan)
        task, latents = self._sample(request, plan, recipe)
        notes += task.warnings
        audios = self._audio_dicts(self._decode(latents, task), plan, seeds)
        report = clock.stage("Saving")
        for done, audio in enumerate(audios):
            if folder is not None:
                try:
                    save_song(audio, plan.song, folder, config.audio_format)
                except SaveError as error:
                    return error_result(str(error), audios)
            report(done + 1, len(audios))
        return GenerationResult(
            audios=audios,
            status_message="\n".join([_summary(recipe), *notes, *self.memory_notes]),
            extra_outputs={
                "latents": latents,
                "masks": _mask(task).expand(len(seeds), -1).clone(),
                "lm_metadata": None if plan.metadata is None else metadata_dict(plan.metadata),
                "time_costs": clock.total(),
            },
        )

    def _sample(self, request: TaskRequest, plan: LMOutput, recipe: Recipe) -> tuple[Task, Tensor]:
        """The task, or the first of several variations, and [B, T, C] on the CPU."""
        clock, service = self.clock, self.service
        clock.stage("Encoding the text")
        with clock.timing("dit_encoder_time_cost"):
            strength = self.params.audio_cover_strength
            tasks = build_tasks(service, request, plan.song, plan.codes, strength)
        steps = len(recipe.schedule(service.models.variant)) - 1
        report = clock.stage("Making music")
        with service.dit, clock.timing("dit_diffusion_time_cost"):
            latents = sample(
                service.models,
                tasks,
                recipe,
                on_step=lambda step, _: report(step + 1, steps),
                oom=self._oom,
            ).cpu()  # waits for the device, so that the time is the whole of it
        return tasks[0], latents

    def _decode(self, latents: Tensor, task: Task) -> Tensor:
        """Audio [B, 2, N] on the CPU, with the source's samples around the new music."""
        report = self.clock.stage("Decoding the audio")
        with self.service.vae, self.clock.timing("dit_vae_decode_time_cost"):
            audio = decode_audio(self.service.models, latents, report, self._oom)
        return audio if task.splice is None else splice(audio, task.splice)

    @property
    def _oom(self) -> OomHandler:
        return OomHandler(notify=self.memory_notes.append)

    def _audio_dicts(
        self, audio: Tensor, plan: LMOutput, seeds: Sequence[int]
    ) -> list[dict[str, Any]]:
        names = [self.service.name, self.llm.name if self.llm and plan.metadata else ""]
        each = item_params(self.params, seeds, plan.codes)
        return [
            audio_dict(item.clone(), params, key_of(params, names))
            for item, params in zip(audio, each, strict=True)
        ]


def _mask(task: Task) -> Tensor:
    """The mask [1, T], 1 for new music."""
    return torch.ones(1, task.frames) if task.mask is None else task.mask[..., 0]


def _unused(params: GenerationParams, request: TaskRequest) -> list[str]:
    """What was given and has no meaning for this task."""
    notes = []
    if request.source is None and params.src_audio is not None:
        notes.append(f"`src_audio` is not used by {request.name} here.")
    if request.source is not None and params.audio_codes.strip():
        notes.append(f"`audio_codes` is not used by {request.name}.")
    if request.source is not None and params.duration and params.duration > 0:
        notes.append("`duration` is not used: the song is as long as its source.")
    if request.name not in ("text2music", "cover") and params.audio_cover_strength < 1:
        notes.append(f"`audio_cover_strength` is not used by {request.name}.")
    if params.use_cot_lyrics:
        notes.append("`use_cot_lyrics` is reserved: the lyrics stay as they are.")
    return notes


def _summary(recipe: Recipe) -> str:
    count = len(recipe.seeds)
    songs = "1 song" if count == 1 else f"{count} songs"
    seeds = ", ".join(map(str, recipe.seeds))
    return f"{songs} made, seeds {seeds}."

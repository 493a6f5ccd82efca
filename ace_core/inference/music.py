"""`generate_music`: from parameters to saved songs, through every stage."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..audio.postprocessing import PostProcessing
from ..audio.splice import splice
from ..constants import SAMPLE_RATE
from ..errors import AceStepError, SaveError
from ..memory import OomHandler, out_of_memory
from ..parallel import Behind
from ..pipeline import decode_audio, sample
from ..sampling.recipe import Recipe
from ..task import Task
from ..types import Song
from ..weights.apply_adapter import adapted
from .adapters import LoraChoice, ReadAdapter, choices_of
from .analysis import Found, analyse, analysed
from .completeness import check_complete
from .handlers import AceStepHandler, LLMHandler, Service
from .limits import check_config, check_params, check_types
from .normalize import normalized
from .planning import LMOutput, copy_cot_fields, metadata_dict, missing, run_lm, set_cot_fields
from .progress import Progress, RunProgress
from .request import recipe_of, seeds_of
from .saving import Save, UnsavedSongs, audio_dict, item_params, key_of, make_folder
from .takes import best_first, takes_of
from .task_inputs import TaskRequest, build_tasks, load_task_request, with_source_latents
from .texts import DrawnTexts, draw_texts
from .types import GenerationConfig, GenerationParams, GenerationResult
from .unused import facts_of, unused_notes

OUT_OF_MEMORY = (
    "There is not enough memory for this song. Lower `batch_size`, `lm_batch_chunk_size` or "
    "`duration`, or initialise the handlers with `offload_to_cpu=True` or `quantization='int8'` "
    "(`--offload-to-cpu`, `--quantization int8`)."
)


def generate_music(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler | None,
    params: GenerationParams,
    config: GenerationConfig,
    save_dir: str | None = None,
    progress: Progress | None = None,
    source_repaint_latents: Tensor | None = None,
) -> GenerationResult:
    """Songs for `params`, `config.batch_size` of them. Those of one text are saved while those of
    the next are made.

    `source_repaint_latents` [T, C] or [1 or B, T, C] are those of the run that made `src_audio`: a
    repaint starts from them and does not encode the recording.

    An error that a user can fix comes back as `success` False with the reason in `error`.
    `progress` is called with the share of the run that is done and `desc`; an exception of it ends
    the run.
    """
    check_arguments((dit_handler, AceStepHandler), (params, GenerationParams))
    check_arguments((config, GenerationConfig))
    if llm_handler is not None:
        check_arguments((llm_handler, LLMHandler))
    clock = RunProgress(progress)
    with Behind(UnsavedSongs.save) as save:
        maker = MusicMaker(dit_handler, llm_handler, clock, save_dir, save)
        result = maker.made(params, config, source_repaint_latents)
        try:
            save.wait()
        except SaveError as error:
            return error_result(str(error), result.audios)
    if result.success:
        clock.stage("Saving")(len(result.audios), len(result.audios))
        result.extra_outputs["time_costs"] = clock.total()
    return result


@dataclass(frozen=True, slots=True)
class MusicMaker:
    """Makes songs for the folder `save_dir`; `save` is given those of each run, and writes them."""

    dit: AceStepHandler
    llm: LLMHandler | None
    clock: RunProgress
    save_dir: str | None
    save: Save

    def made(
        self, params: GenerationParams, config: GenerationConfig, latents: Tensor | None = None
    ) -> GenerationResult:
        """See `generate_music`. A song's "path" is empty until it is saved."""
        results: list[GenerationResult] = []
        try:
            return self._made(params, config, latents, results)
        except SaveError as error:
            return error_result(str(error), [song for each in results for song in each.audios])
        except (AceStepError, RuntimeError, MemoryError) as error:
            if out_of_memory(error):
                return error_result(OUT_OF_MEMORY)
            if isinstance(error, AceStepError):
                return error_result(str(error))
            raise

    def _made(
        self,
        params: GenerationParams,
        config: GenerationConfig,
        latents: Tensor | None,
        results: list[GenerationResult],
    ) -> GenerationResult:
        wanted, settings = normalized(params), normalized(config)
        service, kept = self.dit.service, self.dit.loras
        songs = _Songs(
            service, self.llm, wanted, settings, self.clock, self.save, latents, kept, results
        )
        result = songs.result(self.save_dir)
        copy_cot_fields(wanted, params)
        return result


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
class _Songs:
    """All songs of a call: one run for songs of one text, one run per song with wildcards."""

    service: Service
    llm: LLMHandler | None
    params: GenerationParams
    config: GenerationConfig
    clock: RunProgress
    save: Save
    source_latents: Tensor | None  # of a repaint
    kept: Sequence[LoraChoice]  # the handler's adapters, for parameters that name none
    results: list[GenerationResult]  # of the runs so far

    def result(self, save_dir: str | None) -> GenerationResult:
        params, config = self.params, self.config
        check_types(params)
        check_config(config)
        seeds, takes = seeds_of(params, config), takes_of(config)
        choices = self.kept if params.lora is None else choices_of(params.lora)
        params.lora = [str(choice) for choice in choices]
        for texts in draw_texts(params, seeds):
            check_params(texts.params, config, self.service.models.variant)
            check_complete(texts.params, config, missing(self.llm))
        adapters = self.service.read_adapters(choices)
        folder = make_folder(save_dir)
        notes: list[str] = []
        rounds = [seeds] if takes is None else takes.rounds(seeds, config.batch_size)
        for number, own in enumerate(rounds):
            drawn = draw_texts(params, own)
            self._make(drawn, (number, len(rounds)), folder, adapters)
            notes += [note for texts in drawn for note in texts.notes]
            if not number:
                copy_cot_fields(drawn[0].params, params)
            if takes is not None and takes.finished(self.results):
                break
        made = [audio for result in self.results for audio in result.audios]
        ranking = [] if takes is None else takes.notes(made, config.batch_size)
        own_notes = [note for adapter in adapters for note in adapter.notes]
        summary = _summary([audio["params"]["seed"] for audio in made])
        whole = joined(self.results, [summary, *ranking, *own_notes, *notes])
        return whole if takes is None else best_first(whole)

    def _make(
        self,
        drawn: Sequence[DrawnTexts],
        part: tuple[int, int],
        folder: Path | None,
        adapters: Sequence[ReadAdapter],
    ) -> None:
        """The songs of a round, `part` of so many, added to the results and given to `save`.

        Raises:
            SaveError: songs that were given to it before cannot be written.
        """
        number, rounds = part
        for index, texts in enumerate(drawn):
            self.clock.part(number * len(drawn) + index, rounds * len(drawn))
            one = replace(self.config, batch_size=len(texts.seeds))
            source = self._latents_of(index, len(drawn))
            run = _Run(self.service, self.llm, texts, one, self.clock, source, adapters)
            result, song = run.result(folder is not None)
            self.results.append(result)
            if folder is not None:
                self.clock.stage("Saving")
                self.save(UnsavedSongs(result.audios, song, folder, one.audio_format))

    def _latents_of(self, index: int, runs: int) -> Tensor | None:
        """The source of the run `index`: the song's own where each is a run and has one."""
        latents = self.source_latents
        if runs == 1 or latents is None or latents.dim() != 3 or len(latents) != runs:
            return latents
        return latents[index : index + 1]


@dataclass(frozen=True, slots=True)
class _Run:
    """Songs of one text."""

    service: Service
    llm: LLMHandler | None
    texts: DrawnTexts
    config: GenerationConfig
    clock: RunProgress
    source_latents: Tensor | None = None  # of a repaint
    adapters: Sequence[ReadAdapter] = ()
    memory_notes: list[str] = field(default_factory=list)  # what was made in parts to save memory

    @property
    def params(self) -> GenerationParams:
        return self.texts.params

    def result(self, saves: bool) -> tuple[GenerationResult, Song]:
        """Without the summary of the whole call, and the song as it was planned. What is unused
        depends on whether it `saves`."""
        params, config, clock = self.params, self.config, self.clock
        seeds = self.texts.seeds
        recipe, notes = recipe_of(params, self.service.models.variant, seeds)
        request = with_source_latents(
            load_task_request(params, seeds), self.source_latents, len(seeds)
        )
        notes += request.notes
        plan = run_lm(self.llm, request, params, config, seeds, clock)
        facts = facts_of(params, config, self.service.models.variant, request, plan)
        notes += [*plan.notes, *unused_notes(replace(facts, saves=saves))]
        set_cot_fields(params, plan)
        takes = takes_of(config)
        if takes is not None:
            takes.check_song(plan.song)
        tasks, latents = self._sample(request, plan, recipe)
        task = tasks[0]
        notes += task.warnings
        audios = self._audio_dicts(self._decode(latents, task), plan, recipe)
        self._find_out(audios, plan.song, tasks, latents)
        made = GenerationResult(
            audios=audios,
            status_message="\n".join([*notes, *self.memory_notes]),
            extra_outputs={
                "latents": latents[:, : task.music_frames],
                "masks": _mask(task).expand(len(seeds), -1).clone(),
                "lm_metadata": None if plan.metadata is None else metadata_dict(plan.metadata),
                "time_costs": clock.total(),
            },
        )
        return made, plan.song

    def _find_out(
        self, audios: list[dict[str, Any]], song: Song, tasks: Sequence[Task], latents: Tensor
    ) -> None:
        """Puts what is found out about each of the songs into its entry."""
        config, takes = self.config, takes_of(self.config)
        if not analysed(config) and takes is None:
            return
        self.clock.stage("Analysing the songs")
        found = [Found() for _ in audios]
        if analysed(config):
            with self._adapted_dit() if self.adapters else nullcontext():
                found = analyse(self.service, self.llm, config, song, (tasks, latents))
        for audio, own in zip(audios, found, strict=True):
            audio.update(own.entries(config))
            if takes is not None:
                audio["fit"] = takes.judged(song, audio["tensor"], own.scores)

    @contextmanager
    def _adapted_dit(self) -> Iterator[None]:
        """The diffusion model on its device, with the adapters on it."""
        dit = self.service.dit
        with dit, adapted(dit.model, [each.applied for each in self.adapters]):
            yield

    def _sample(
        self, request: TaskRequest, plan: LMOutput, recipe: Recipe
    ) -> tuple[Sequence[Task], Tensor]:
        """The task, or one per variation, and [B, T, C] on the CPU."""
        clock, service = self.clock, self.service
        clock.stage("Encoding the text")
        with clock.timing("dit_encoder_time_cost"):
            tasks = build_tasks(service, request, plan.song, plan.codes, self.params)
        steps = len(recipe.schedule(service.models.variant)) - 1
        report = clock.stage("Making music")
        with self._adapted_dit(), clock.timing("dit_diffusion_time_cost"):
            latents = sample(
                service.models,
                tasks,
                recipe,
                on_step=lambda step, _: report(step + 1, steps),
                oom=self._oom,
            ).cpu()  # waits for the device, so that the time is the whole of it
        return tasks, latents * self.params.latent_rescale + self.params.latent_shift

    def _decode(self, latents: Tensor, task: Task) -> Tensor:
        """Audio [B, 2, N] on the CPU, with the source's samples around the new music."""
        report = self.clock.stage("Decoding the audio")
        with self.service.vae, self.clock.timing("dit_vae_decode_time_cost"):
            audio = decode_audio(self.service.models, latents, report, self._oom, task.padding)
        return self._finished(audio if task.splice is None else splice(audio, task.splice), task)

    def _finished(self, audio: Tensor, task: Task) -> Tensor:
        """`audio` [B, 2, N] at its level and with its fades. What is kept of a source keeps its
        level, so that the samples around the new music are the source's."""
        params = self.params
        levelled = params.enable_normalization and task.splice is None
        finish = PostProcessing(
            peak=params.normalization_db if levelled else None,
            fade_in=params.fade_in_duration,
            fade_out=params.fade_out_duration,
        )
        return finish.applied(audio, SAMPLE_RATE)

    @property
    def _oom(self) -> OomHandler:
        return OomHandler(notify=self.memory_notes.append)

    def _audio_dicts(self, audio: Tensor, plan: LMOutput, recipe: Recipe) -> list[dict[str, Any]]:
        names = [self.service.name, self.llm.name if self.llm and plan.metadata else ""]
        each = item_params(self.params, recipe.seeds, plan.codes)
        each = [{**params, **self.texts.stored} for params in each]
        if recipe.retake is not None:
            for params, seed in zip(each, recipe.retake.seeds, strict=True):
                params["retake_seed"] = seed
        return [
            audio_dict(item.clone(), params, key_of(params, names))
            for item, params in zip(audio, each, strict=True)
        ]


def _mask(task: Task) -> Tensor:
    """The mask [1, T] of the music, 1 for new."""
    mask = torch.ones(1, task.frames) if task.mask is None else task.mask[..., 0]
    return mask[:, : task.music_frames]


def _summary(seeds: Sequence[int]) -> str:
    count = len(seeds)
    songs = "1 song" if count == 1 else f"{count} songs"
    return f"{songs} made, seeds {', '.join(map(str, seeds))}."


def joined(results: Sequence[GenerationResult], notes: Sequence[str]) -> GenerationResult:
    """The songs of several runs as one result; a note of several runs is given once.

    Latents of different lengths are continued by zeros, where the mask is 0. The metadata and the
    time are those of the first run and of the whole.
    """
    lines = [*notes, *(line for each in results for line in each.status_message.splitlines())]
    extras = [each.extra_outputs for each in results]
    return GenerationResult(
        audios=[audio for each in results for audio in each.audios],
        status_message="\n".join(dict.fromkeys(lines)),
        extra_outputs={
            **extras[0],
            "latents": _stacked([extra["latents"] for extra in extras]),
            "masks": _stacked([extra["masks"][..., None] for extra in extras])[..., 0],
            "time_costs": extras[-1]["time_costs"],
        },
    )


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    """Several [b, t, C] as one [B, T, C], the shorter ones continued by zeros."""
    frames = max(part.shape[1] for part in parts)
    return torch.cat([F.pad(part, (0, 0, 0, frames - part.shape[1])) for part in parts])

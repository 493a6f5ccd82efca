"""The language model's part of a run: it fills the song's open fields, and composes codes."""

from dataclasses import dataclass, replace
from typing import Any

from ..constants import SECONDS_RANGE
from ..errors import InvalidRequestError
from ..lm.codes import read_codes
from ..lm.decoding import OnStep, Step, log_tokens
from ..lm.functions import CodesOptions, TextOptions, compose_codes, think
from ..lm.language_model import LanguageModel
from ..lm.metadata import NAMES, Metadata
from ..lm.plan import CotFields, Plan
from ..lm.sampling import SamplingParams
from ..types import AudioCodes, Song
from .handlers import LLMHandler
from .limits import COVER, REMIX
from .progress import Counter, RunProgress
from .request import length_of, sampling_params_of, song_of
from .task_inputs import TaskRequest
from .types import GenerationConfig, GenerationParams

PLANNED_TASKS = ("text2music", COVER, REMIX)  # the others edit an existing song


@dataclass(frozen=True, slots=True)
class LMOutput:
    """The song as the diffusion model takes it, and its codes: none, one for all, or one each."""

    song: Song
    codes: tuple[AudioCodes, ...]
    metadata: Metadata | None = None  # None: the language model did not run
    thought: bool = False  # whether it wrote a plan: nothing was open otherwise
    notes: tuple[str, ...] = ()


def run_lm(
    handler: LLMHandler | None,
    request: TaskRequest,
    params: GenerationParams,
    config: GenerationConfig,
    seeds: tuple[int, ...],
    clock: RunProgress,
) -> LMOutput:
    """
    Raises:
        AceStepError: the song, the codes or the settings are invalid; the length is open and no
            language model chooses it.
    """
    song = song_of(params)
    given = codes_given(params)
    reason = _why_not(handler, params)
    if reason is not None or handler is None:
        if request.source is None:
            check_length(song, given, reason or "")
        return LMOutput(song, given, notes=(reason,) if reason and params.thinking else ())
    composes = request.source is None and not given
    _check_variations(params, config, composes)
    run = _LMRun(handler, params, config, clock)
    plan = run.plan(replace(song, seconds=_given_seconds(request, song, given)), seeds[0])
    codes = run.codes(plan, seeds) if composes else given
    notes = tuple(f"The language model's {warning}." for warning in plan.warnings)
    filled = plan.filled if composes else replace(plan.filled, seconds=song.seconds)
    return LMOutput(filled, codes, plan.metadata, bool(plan.text), notes)


def codes_given(params: GenerationParams) -> tuple[AudioCodes, ...]:
    """
    Raises:
        InvalidRequestError: `audio_codes` holds something else.
    """
    return (read_codes(params.audio_codes),) if params.audio_codes.strip() else ()


def metadata_dict(metadata: Metadata) -> dict[str, Any]:
    """By the model's own names, as the published API gives them."""
    values = {name: getattr(metadata, field) for field, name in NAMES.items()}
    meter = values["timesignature"]
    values["timesignature"] = None if meter is None else str(meter)
    return {name: value for name, value in values.items() if value is not None}


def set_cot_fields(params: GenerationParams, output: LMOutput) -> None:
    """Sets the `cot_` fields to what the language model added to the given values; a plan that is
    reused stays."""
    if params.reuse_cot:
        return
    default = GenerationParams()
    metadata = output.metadata or Metadata()
    meter = metadata.time_signature
    seconds = output.song.seconds if output.metadata is not None else None
    params.cot_bpm = metadata.bpm if params.bpm is None else None
    params.cot_keyscale = (metadata.key or "") if not params.keyscale else ""
    params.cot_timesignature = str(meter) if meter and not params.timesignature else ""
    params.cot_duration = None if length_of(params) or not seconds else float(seconds)
    open_language = params.vocal_language in ("", default.vocal_language)
    language = metadata.language if open_language else None
    params.cot_vocal_language = language or default.cot_vocal_language
    params.cot_caption = metadata.caption or ""
    params.cot_lyrics = ""


def copy_cot_fields(source: GenerationParams, target: GenerationParams) -> None:
    """Sets the `cot_` fields of `target` to those of `source`."""
    for name in vars(source):
        if name.startswith("cot_"):
            setattr(target, name, getattr(source, name))


@dataclass(frozen=True, slots=True)
class _LMRun:
    handler: LLMHandler
    params: GenerationParams
    config: GenerationConfig
    clock: RunProgress

    def plan(self, song: Song, seed: int) -> Plan:
        given = self.params
        cot = CotFields(given.use_cot_metas, given.use_cot_caption, given.use_cot_language)
        report = self.clock.stage("Planning the song")
        with self.handler.ready() as lm, self.clock.timing("lm_phase1_time"):
            options = TextOptions(
                sampling=self._sampling,
                seed=seed,
                constrained=given.use_constrained_decoding,
                on_step=self._on_step(lm, report),
            )
            return think(lm, song, cot, options)

    def codes(self, plan: Plan, seeds: tuple[int, ...]) -> tuple[AudioCodes, ...]:
        given, config = self.params, self.config
        report = self.clock.stage("Composing codes")
        with self.handler.ready() as lm, self.clock.timing("lm_phase2_time"):
            options = CodesOptions(
                seeds=seeds,
                sampling=self._sampling,
                cfg_scale=given.lm_cfg_scale,
                negative_prompt=given.lm_negative_prompt,
                chunk=config.lm_batch_chunk_size if config.allow_lm_batch else 1,
                on_step=self._on_step(lm, report),
            )
            return tuple(compose_codes(lm, [plan] * len(seeds), options))

    @property
    def _sampling(self) -> SamplingParams:
        given = self.params
        return sampling_params_of(given.lm_temperature, given.lm_top_k, given.lm_top_p)

    def _on_step(self, lm: LanguageModel, report: Counter) -> OnStep:
        def on_step(step: Step) -> None:
            report(step.done, step.total)
            if self.config.constrained_decoding_debug:
                log_tokens(lm, step)

        return on_step


def _why_not(handler: LLMHandler | None, params: GenerationParams) -> str | None:
    """Why the language model does not run; None if it does."""
    return not_asked(params) or missing(handler)


def missing(handler: LLMHandler | None) -> str | None:
    """That there is no language model, in words; None if there is one."""
    if handler is not None and handler.llm_initialized:
        return None
    why = "" if handler is None else f" ({handler.status})"
    return f"`thinking` is on, but there is no language model{why}: it was not asked."


def not_asked(params: GenerationParams) -> str | None:
    """Why these parameters ask no language model; None if they ask one."""
    if not params.thinking:
        return "`thinking` is off."
    if params.reuse_cot:
        return "The plan is that of the `cot_` fields: the language model was not asked."
    if params.flow_edit_morph:
        return "The language model is not asked for a morph."
    if params.task_type not in PLANNED_TASKS:
        return f"The language model is not asked for the task {params.task_type}."
    return None


def check_length(song: Song, codes: tuple[AudioCodes, ...], reason: str) -> None:
    """Of a song without a recording; `reason` is why no language model chooses the length.

    Raises:
        InvalidRequestError: it is open.
    """
    if song.seconds is None and not codes:
        shortest, longest = SECONDS_RANGE
        raise InvalidRequestError(
            f"The song has no length, and nobody chooses one. {reason} Set `duration` to "
            f"{shortest:g} to {longest:g} seconds, or let the language model plan the song."
        )


def _check_variations(params: GenerationParams, config: GenerationConfig, composes: bool) -> None:
    open_length = length_of(params) is None and not params.use_cot_metas
    if composes and open_length and config.batch_size > 1:
        raise InvalidRequestError(
            f"The length is open and `use_cot_metas` is off, so {config.batch_size} songs would "
            "each get a length of their own. Set `duration`, or `batch_size` to 1."
        )


def _given_seconds(request: TaskRequest, song: Song, codes: tuple[AudioCodes, ...]) -> float | None:
    """The length for the language model: that of the source or codes, if there are any."""
    shortest, longest = SECONDS_RANGE
    seconds = song.seconds
    if request.source is not None:
        seconds = request.source.seconds
    elif codes:
        seconds = codes[0].seconds
    return seconds if seconds is not None and shortest <= seconds <= longest else None

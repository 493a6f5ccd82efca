"""The language model's part of a run: it fills what the song leaves open, and composes codes."""

from dataclasses import dataclass, replace
from typing import Any

from ..constants import SECONDS_RANGE
from ..errors import InvalidRequestError
from ..lm.codes import read_codes
from ..lm.decoding import OnStep
from ..lm.functions import CodesOptions, TextOptions, compose_codes, think
from ..lm.metadata import NAMES, Metadata
from ..lm.plan import Plan, Wanted
from ..lm.tracing import traced
from ..types import AudioCodes, Song
from .clock import Clock, Counter
from .conditions import TaskRequest
from .handlers import LLMHandler
from .params import GenerationConfig, GenerationParams
from .request import length_of, picking_of, song_of

PLANNED_TASKS = ("text2music", "cover")  # the others play into a song that is there


@dataclass(frozen=True, slots=True)
class Planned:
    """The song as the diffusion model reads it, and its codes: none, one for all, or one each."""

    song: Song
    codes: tuple[AudioCodes, ...]
    found: Metadata | None = None  # None: the language model was not asked
    notes: tuple[str, ...] = ()


def planned(
    handler: LLMHandler | None,
    request: TaskRequest,
    params: GenerationParams,
    config: GenerationConfig,
    seeds: tuple[int, ...],
    clock: Clock,
) -> Planned:
    """
    Raises:
        AceStepError: the song, the codes or the settings are none; the length is open and nobody
            is there to choose it.
    """
    song = song_of(params)
    given = (read_codes(params.audio_codes),) if params.audio_codes.strip() else ()
    reason = _why_not(handler, params)
    if reason is not None or handler is None:
        _check_length(request, song, given, reason or "")
        return Planned(song, given, notes=(reason,) if reason and params.thinking else ())
    composes = request.source is None and not given
    _check_variations(params, config, composes)
    writing = _Writing(handler, params, config, clock)
    plan = writing.plan(replace(song, seconds=_known_length(request, song, given)), seeds[0])
    codes = writing.codes(plan, seeds) if composes else given
    notes = tuple(f"The language model's {what}." for what in plan.unread)
    filled = plan.filled if composes else replace(plan.filled, seconds=song.seconds)
    return Planned(filled, codes, plan.metadata, notes)


def metadata_dict(found: Metadata) -> dict[str, Any]:
    """By the model's own names, as the published API gives them."""
    values = {name: getattr(found, field) for field, name in NAMES.items()}
    meter = values["timesignature"]
    values["timesignature"] = None if meter is None else str(meter)
    return {name: value for name, value in values.items() if value is not None}


def remember(params: GenerationParams, found: Metadata | None) -> None:
    """Write into the `cot_` fields what the language model added to what was given."""
    fresh = GenerationParams()
    found = found or Metadata()
    meter = found.time_signature
    params.cot_bpm = found.bpm if params.bpm is None else None
    params.cot_keyscale = (found.key or "") if not params.keyscale else ""
    params.cot_timesignature = str(meter) if meter and not params.timesignature else ""
    params.cot_duration = None if length_of(params) or not found.seconds else float(found.seconds)
    asked = params.vocal_language in ("", fresh.vocal_language)
    params.cot_vocal_language = (asked and found.language) or fresh.cot_vocal_language
    params.cot_caption = found.caption or ""
    params.cot_lyrics = ""


@dataclass(frozen=True, slots=True)
class _Writing:
    handler: LLMHandler
    params: GenerationParams
    config: GenerationConfig
    clock: Clock

    def plan(self, song: Song, seed: int) -> Plan:
        given = self.params
        wanted = Wanted(given.use_cot_metas, given.use_cot_caption, given.use_cot_language)
        report = self.clock.stage("Planning the song")
        with self.handler.ready() as lm, self.clock.timing("lm_phase1_time"):
            options = TextOptions(
                picking=self._picking,
                seed=seed,
                constrained=given.use_constrained_decoding,
                on_step=traced(lm, _counted(report), self.config.constrained_decoding_debug),
            )
            return think(lm, song, wanted, options)

    def codes(self, plan: Plan, seeds: tuple[int, ...]) -> tuple[AudioCodes, ...]:
        given, config = self.params, self.config
        report = self.clock.stage("Composing codes")
        with self.handler.ready() as lm, self.clock.timing("lm_phase2_time"):
            options = CodesOptions(
                seeds=seeds,
                picking=self._picking,
                guidance=given.lm_cfg_scale,
                negative=given.lm_negative_prompt,
                chunk=config.lm_batch_chunk_size if config.allow_lm_batch else 1,
                on_step=traced(lm, _counted(report), config.constrained_decoding_debug),
            )
            return tuple(compose_codes(lm, [plan] * len(seeds), options))

    @property
    def _picking(self) -> Any:
        given = self.params
        return picking_of(given.lm_temperature, given.lm_top_k, given.lm_top_p)


def _counted(report: Counter) -> OnStep:
    return lambda step: report(step.done, step.longest)


def _why_not(handler: LLMHandler | None, params: GenerationParams) -> str | None:
    """Why the language model is not asked; None if it is."""
    if not params.thinking:
        return "`thinking` is off."
    if params.task_type not in PLANNED_TASKS:
        return f"The language model is not asked for the task {params.task_type}."
    if handler is None or not handler.llm_initialized:
        why = "" if handler is None else f" ({handler.status})"
        return f"`thinking` is on, but there is no language model{why}: it was not asked."
    return None


def _check_length(
    request: TaskRequest, song: Song, codes: tuple[AudioCodes, ...], reason: str
) -> None:
    if request.source is None and song.seconds is None and not codes:
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


def _known_length(request: TaskRequest, song: Song, codes: tuple[AudioCodes, ...]) -> float | None:
    """What the language model is told of the length: that of what there is already."""
    shortest, longest = SECONDS_RANGE
    known = song.seconds
    if request.source is not None:
        known = request.source.seconds
    elif known is None and codes:
        known = codes[0].seconds
    return known if known is not None and shortest <= known <= longest else None

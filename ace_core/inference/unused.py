"""What of a request a run does not read, and why: one table, so that nothing is unused unsaid.

A field that is not at its default and that a rule of the table names comes back as a note for the
status message. A field that asks for what holds anyway is none of them: `use_cot_caption` off
without a language model, say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..sampling.solvers import Solver
from ..texts import not_used
from ..types import Song, Variant
from .limits import COVER, REMIX, SOLVERS
from .planning import LMOutput
from .task_inputs import DEFAULTS, TaskRequest
from .types import GenerationConfig, GenerationParams


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides which fields a run reads."""

    params: GenerationParams
    config: GenerationConfig
    variant: Variant
    source: bool = False  # whether the task starts from `src_audio`
    codes: bool = False  # whether there are codes to follow, given or composed
    thinks: bool = False  # whether the language model writes a plan
    composes: bool = False  # whether it writes codes
    spliced: bool = False  # whether the source's samples are put back around the new music
    saves: bool = True

    @property
    def task(self) -> str:
        """The task in words."""
        return "a morph" if self.params.flow_edit_morph else self.params.task_type

    @property
    def covers(self) -> bool:
        """Whether it is a cover or a remix of a recording."""
        return self.source and self.task in (COVER, REMIX)

    @property
    def follows(self) -> bool:
        """Whether a share of the steps may see codes or the recording of a cover."""
        return self.covers or self.codes

    @property
    def sung(self) -> bool:
        """Whether the lyrics ask for a singer."""
        return not Song(lyrics=self.params.lyrics).instrumental

    @property
    def seeds(self) -> list[int]:
        """Those of the configuration."""
        seeds = self.config.seeds
        return [seeds] if isinstance(seeds, int) else list(seeds or ())

    @property
    def sde(self) -> bool:
        return SOLVERS[self.params.infer_method] is Solver.SDE

    @property
    def corrected(self) -> bool:
        """Whether DCW is asked for, by the caller or the variant."""
        enabled = self.params.dcw_enabled
        return self.variant.distilled if enabled is None else enabled


def facts_of(
    params: GenerationParams,
    config: GenerationConfig,
    variant: Variant,
    request: TaskRequest,
    plan: LMOutput,
) -> Facts:
    """The facts of a run, as far as they are known before its song is sampled and saved."""
    given = bool(params.audio_codes.strip())
    return Facts(
        params,
        config,
        variant,
        source=request.source is not None,
        codes=bool(plan.codes),
        thinks=plan.thought,
        composes=bool(plan.codes) and not given,
        spliced=request.keep is not None and request.keep.audio_blend is not None,
    )


class Rule(NamedTuple):
    """Fields that are not read where `applies`. The reason may hold names of `_words`."""

    fields: str  # with spaces between them
    reason: str
    applies: Callable[[Facts], bool]


REGION: Final = "repainting_start repainting_end"
KEPT: Final = (
    "repaint_mode repaint_strength repaint_latent_crossfade_frames repaint_wav_crossfade_sec"
)
GUIDANCE: Final = "use_adg guidance_variant cfg_interval_start cfg_interval_end"
SAMPLING: Final = "lm_temperature lm_top_k lm_top_p constrained_decoding_debug"
CODES: Final = "lm_cfg_scale lm_negative_prompt allow_lm_batch lm_batch_chunk_size"
DCW: Final = "dcw_mode dcw_scaler dcw_high_scaler dcw_wavelet"
EXCHANGE: Final = "flow_edit_source_caption flow_edit_source_lyrics flow_edit_n_avg"
EDIT: Final = f"{EXCHANGE} flow_edit_n_min flow_edit_n_max"
PLANNED: Final = {  # fields of a plan that is reused, and what is given instead of them
    "cot_bpm": "bpm",
    "cot_keyscale": "keyscale",
    "cot_timesignature": "timesignature",
    "cot_vocal_language": "vocal_language",
    "cot_duration": "duration",
}
RULES: Final[tuple[Rule, ...]] = (
    # recordings and codes
    Rule("src_audio", "codes are followed in its place", lambda f: f.codes and not f.source),
    Rule("src_audio", "{task} starts from no recording here", lambda f: not f.source),
    Rule("audio_codes", "{task} starts from `src_audio`", lambda f: f.source),
    Rule(
        "ref_audio_strength ref_audio_input",
        "`audio2audio_enable` is off",
        lambda f: not f.params.audio2audio_enable,
    ),
    Rule("duration cot_duration", "the song is as long as its source", lambda f: f.source),
    Rule(
        "audio_cover_strength",
        "there are neither codes nor a recording to cover",
        lambda f: not f.follows,
    ),
    Rule(
        "instruction",
        "no step follows it at an `audio_cover_strength` of 0",
        lambda f: f.follows and f.params.audio_cover_strength == 0,
    ),
    Rule("cover_noise_strength", "{task} is no cover of a recording", lambda f: not f.covers),
    Rule(REGION, "{task} has no region", lambda f: f.task not in ("repaint", "lego")),
    Rule(KEPT, "{task} keeps nothing outside a region", lambda f: f.task != "repaint"),
    Rule(
        "repaint_strength",
        "`repaint_mode` is {repaint_mode}",
        lambda f: f.params.repaint_mode != "balanced",
    ),
    Rule(EDIT, "`flow_edit_morph` is off", lambda f: not f.params.flow_edit_morph),
    Rule(
        EXCHANGE,
        "the edit ends where it starts",
        lambda f: f.params.flow_edit_n_min == f.params.flow_edit_n_max,
    ),
    # text and plan
    Rule("lyrics", "`instrumental` is on", lambda f: f.params.instrumental and f.sung),
    *(
        Rule(name, f"`{given}` is given", lambda f, given=given: _is_given(f.params, given))
        for name, given in PLANNED.items()
    ),
    Rule("cot_lyrics use_cot_lyrics", "the lyrics stay as they are", lambda f: True),
    Rule(
        SAMPLING,
        "the language model writes nothing",
        lambda f: not f.thinks and not f.composes,
    ),
    Rule("use_constrained_decoding", "the language model writes no plan", lambda f: not f.thinks),
    Rule(CODES, "the language model writes no codes", lambda f: not f.composes),
    Rule("lm_top_k lm_top_p", "`lm_temperature` is 0", lambda f: f.params.lm_temperature == 0),
    Rule("lm_negative_prompt", "`lm_cfg_scale` 1 is off", lambda f: f.params.lm_cfg_scale == 1),
    Rule("allow_lm_batch", "it writes the codes of one song", lambda f: f.config.batch_size == 1),
    Rule("lm_batch_chunk_size", "`allow_lm_batch` is off", lambda f: not f.config.allow_lm_batch),
    # seeds
    Rule("seed seeds", "`use_random_seed` is on", lambda f: f.config.use_random_seed),
    Rule("seed", "`seeds` are given", lambda f: f.params.seed not in f.seeds[:1] and bool(f.seeds)),
    Rule("retake_seed", "`retake_variance` is 0", lambda f: f.params.retake_variance == 0),
    Rule("tries", "`until` is empty", lambda f: not f.config.until),
    # steps
    Rule(
        "inference_steps shift", "`timesteps` are given", lambda f: f.params.timesteps is not None
    ),
    Rule("sampler_mode", "sde has steps of its own", lambda f: f.sde),
    Rule(
        f"guidance_scale {GUIDANCE}",
        "guidance is distilled into {variant}",
        lambda f: f.variant.distilled,
    ),
    Rule(GUIDANCE, "`guidance_scale` 1 is off", lambda f: f.params.guidance_scale == 1),
    Rule("use_adg", "`guidance_variant` is given", lambda f: f.params.guidance_variant != ""),
    Rule(
        f"dcw_enabled {DCW}",
        "a morph corrects no steps",
        lambda f: f.corrected and f.params.flow_edit_morph,
    ),
    Rule(
        f"dcw_enabled {DCW}",
        "DCW corrects the steps of ode, not of sde",
        lambda f: f.corrected and f.sde,
    ),
    Rule(DCW, "`dcw_enabled` is False", lambda f: f.params.dcw_enabled is False),
    Rule(DCW, "DCW is off for {variant} unless `dcw_enabled` is True", lambda f: not f.corrected),
    Rule("dcw_high_scaler", "`dcw_mode` is {dcw_mode}", lambda f: f.params.dcw_mode != "double"),
    # the finished sound
    Rule("normalization_db", "a repaint keeps the level of its source", lambda f: f.spliced),
    Rule(
        "normalization_db",
        "`enable_normalization` is off",
        lambda f: not f.params.enable_normalization,
    ),
    Rule("audio_format", "nothing is saved", lambda f: not f.saves),
)
SAID_ALWAYS: Final = frozenset({"guidance_scale"})  # at its default, too: it reads as if it did
FILLED_IN: Final = "cot_"  # prefix of what a run writes; given only where `reuse_cot` is on


def unused_notes(facts: Facts) -> list[str]:
    """One note for each reason, in the order of the table."""
    by_reason: dict[str, list[str]] = {}
    for name in _given_names(facts):
        reason = _reason(facts, name)
        if reason is not None:
            by_reason.setdefault(reason, []).append(name)
    return [not_used(names, reason) for reason, names in by_reason.items()]


def _given_names(facts: Facts) -> Iterable[str]:
    """The fields of the table that ask for something."""
    for values in (facts.params, facts.config):
        defaults = type(values)()
        for name, value in vars(values).items():
            filled_in = name.startswith(FILLED_IN) and not facts.params.reuse_cot
            asks = value != getattr(defaults, name) and not filled_in
            if asks or name in SAID_ALWAYS:
                yield name


def _reason(facts: Facts, name: str) -> str | None:
    """Why the field is not read; None: it is."""
    for rule in RULES:
        if name in rule.fields.split() and rule.applies(facts):
            return rule.reason.format(
                task=facts.task,
                variant=facts.variant.value,
                repaint_mode=facts.params.repaint_mode,
                dcw_mode=facts.params.dcw_mode,
            )
    return None


def _is_given(params: GenerationParams, name: str) -> bool:
    return getattr(params, name) != getattr(DEFAULTS, name)

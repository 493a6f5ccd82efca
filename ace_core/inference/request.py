"""Parameters as the values that the stages take: a song, seeds, a recipe, tracks.

A parameter that is not used as given comes back as a note, for the status message of the run.
"""

import re
from typing import Final, NamedTuple

from ..constants import INSTRUMENTAL, TRACKS
from ..errors import InvalidRequestError
from ..lm.metadata import Metadata
from ..lm.plan import UNKNOWN, fill
from ..lm.sampling import SamplingParams
from ..parsing import quoted
from ..prompts import TEXT_TO_MUSIC
from ..sampling.dcw import DCW, DCW_OFF, DCWMode
from ..sampling.flow_edit import check_edit
from ..sampling.guidance import Guidance, GuidanceKind
from ..sampling.presets import preset, preset_advice, schedule_warnings, variant_warnings
from ..sampling.recipe import Recipe, Retake, draw_seeds, seeds_for
from ..sampling.schedules import custom_timesteps, snap_to_turbo
from ..sampling.solvers import Solver
from ..tracks import names_track, parse_track
from ..types import Song, Variant, parse_key
from .limits import GUIDANCE, SAMPLERS, SOLVERS
from .morph import edit_window
from .takes import take_count
from .types import GenerationConfig, GenerationParams

METERS: Final = {"2": 2, "3": 3, "4": 4, "6": 6, "2/4": 2, "3/4": 3, "4/4": 4, "6/8": 6}
MIN_TOP_P: Final = 1e-9  # of a nucleus: the likeliest token alone
RANDOM_SEED: Final = -1  # instead of a seed


def song_of(params: GenerationParams) -> Song:
    """The song, with None for what was not given; with `reuse_cot` completed by the plan in the
    `cot_` fields, as the language model did when it filled them.

    Raises:
        InvalidSongError, InvalidRequestError: an invalid key, time signature or language.
    """
    song = Song(
        caption=params.caption,
        lyrics=INSTRUMENTAL if params.instrumental else params.lyrics,
        seconds=length_of(params),
        bpm=params.bpm,
        key=_key_of(params.keyscale),
        time_signature=meter_of(params.timesignature),
        language=language_of(params.vocal_language),
    )
    return fill(song, _planned_metadata(params)) if params.reuse_cot else song


def _planned_metadata(params: GenerationParams) -> Metadata:
    """What a language model found before."""
    seconds = params.cot_duration
    return Metadata(
        bpm=params.cot_bpm,
        caption=params.cot_caption or None,
        seconds=None if seconds is None else int(seconds),
        key=_key_of(params.cot_keyscale),
        language=language_of(params.cot_vocal_language),
        time_signature=meter_of(params.cot_timesignature),
    )


def _key_of(text: str) -> str | None:
    return parse_key(text) if text.strip() else None


def length_of(params: GenerationParams) -> float | None:
    """The length in seconds; None where it is open."""
    return params.duration if params.duration and params.duration > 0 else None


def meter_of(text: str) -> int | None:
    """
    Raises:
        InvalidRequestError: `text` is not a time signature of the models.
    """
    if not text.strip():
        return None
    if text.strip() not in METERS:
        raise InvalidRequestError(
            f"`timesignature` is {quoted(text)}. Write 2, 3, 4 or 6 (for 2/4, 3/4, 4/4 and 6/8), "
            "or nothing for automatic."
        )
    return METERS[text.strip()]


def language_of(text: str | None) -> str | None:
    """A language code; None where it is open."""
    code = (text or "").strip().lower()
    return None if code in ("", UNKNOWN) else code


def seeds_of(params: GenerationParams, config: GenerationConfig) -> tuple[int, ...]:
    """Random seeds, or the given ones and random ones for the other items.

    Raises:
        InvalidScheduleError: more seeds than items, or an invalid one.
    """
    listed = [config.seeds] if isinstance(config.seeds, int) else list(config.seeds or ())
    given = listed or ([] if params.seed == RANDOM_SEED else [params.seed])
    if config.use_random_seed:
        return draw_seeds(take_count(config))
    requested = [None if seed == RANDOM_SEED else seed for seed in given]
    first = next((seed for seed in requested if seed is not None), None)
    return draw_seeds(take_count(config), requested, rng_seed=first)


class RecipeAndNotes(NamedTuple):
    """How to sample, and notes for the user."""

    recipe: Recipe
    notes: list[str]


def recipe_of(params: GenerationParams, variant: Variant, seeds: tuple[int, ...]) -> RecipeAndNotes:
    """
    Raises:
        InvalidScheduleError: times or guidance that cannot be sampled with.
    """
    times, notes = _times(params, variant)
    guidance = _guidance(params, variant)
    solver = _solver(params)
    if edit_window(params) is not None:
        check_edit(solver, guidance)
    retake = _retake(params, len(seeds))
    if retake is not None:
        drawn = ", ".join(map(str, retake.seeds))
        notes.append(f"Retake: {retake.variance:g} of seeds {drawn}.")
    dcw, dcw_notes = _dcw(params, variant)
    notes += dcw_notes
    recipe = Recipe(
        seeds=seeds,
        steps=params.inference_steps,
        shift=params.shift,
        times=times,
        guidance=guidance,
        solver=solver,
        retake=retake,
        dcw=dcw,
    )
    times_used = recipe.schedule(variant)
    notes += schedule_warnings(variant, times_used)
    notes += preset_advice(variant, len(times_used) - 1, None if times else params.shift)
    return RecipeAndNotes(recipe, notes + variant_warnings(variant, params.task_type, guidance))


def _times(
    params: GenerationParams, variant: Variant
) -> tuple[tuple[float, ...] | None, list[str]]:
    """Custom times; for turbo each is moved to the nearest trained one."""
    if params.timesteps is None:
        return None, []
    times = custom_timesteps(params.timesteps)
    notes = []
    if len(times) > len(params.timesteps):
        notes.append("`timesteps` did not end with 0: it was added.")
    if variant is Variant.TURBO:
        snapped = snap_to_turbo(times)
        return snapped.times, [*notes, *snapped.changes]
    return tuple(times), notes


def _dcw(params: GenerationParams, variant: Variant) -> tuple[DCW, list[str]]:
    """The correction of each step, and what is to be said about it."""
    mode = DCWMode(params.dcw_mode)
    dcw = DCW(mode, params.dcw_scaler, params.dcw_high_scaler, params.dcw_wavelet)
    usual = preset(variant).dcw
    if params.flow_edit_morph:
        return DCW_OFF, ["DCW is off: a morph corrects no steps."] if usual else []
    if params.dcw_enabled is False:
        return DCW_OFF, ["DCW is off."] if usual else []
    if params.dcw_enabled is None and usual is None:
        return DCW_OFF, []
    if SOLVERS[params.infer_method] is Solver.SDE:
        return DCW_OFF, ["DCW is off: it corrects the steps of ode, not of sde."]
    return dcw, [f"{dcw}."]


def _guidance(params: GenerationParams, variant: Variant) -> Guidance | None:
    """`guidance_variant` decides before `use_adg`. A distilled model is not guided, but its
    velocities may be limited."""
    threshold, ema = params.velocity_norm_threshold or None, params.velocity_ema_factor
    if variant.distilled:
        limited = threshold is not None or ema > 0
        return Guidance(scale=1.0, norm_threshold=threshold, velocity_ema=ema) if limited else None
    kind = GuidanceKind.ADG if params.use_adg else GuidanceKind.APG
    kind = GUIDANCE.get(params.guidance_variant, kind)
    interval = (params.cfg_interval_start, params.cfg_interval_end)
    return Guidance(kind, params.guidance_scale, interval, threshold, ema)


def _solver(params: GenerationParams) -> Solver:
    solver = SOLVERS[params.infer_method]
    return SAMPLERS[params.sampler_mode] if solver is Solver.EULER else solver


def _retake(params: GenerationParams, songs: int) -> Retake | None:
    """A second noise for each song; None: none is mixed in."""
    if params.retake_variance == 0:
        return None
    given = params.retake_seed
    return Retake(seeds_for(songs, [given], rng_seed=given), params.retake_variance)


def sampling_params_of(
    temperature: float, top_k: int | None, top_p: float | None, repetition_penalty: float = 1.0
) -> SamplingParams:
    """How tokens are chosen; None turns a filter off, and a nucleus of 0 holds one token.

    Raises:
        InvalidRequestError: a setting is out of range.
    """
    nucleus = 1.0 if top_p is None else (top_p or MIN_TOP_P)
    return SamplingParams(
        temperature=temperature,
        top_k=top_k or 0,
        top_p=nucleus,
        repetition_penalty=repetition_penalty,
    )


INSTRUCTION_EXAMPLES: Final = {
    "lego": "Generate the guitar track based on the audio context:",
    "extract": "Extract the vocals track from the audio:",
    "complete": "Complete the input track with drums, bass, guitar:",
}
PATTERNS: Final = {
    "lego": r"generate the (?P<tracks>.+) track based on the audio context",
    "extract": r"extract the (?P<tracks>.+) track from the audio",
    "complete": r"complete the input track with (?P<tracks>.+)",
}


class Tracks(NamedTuple):
    """The tracks, and the instruction where it is not the task's own."""

    tracks: tuple[str, ...]
    instruction: str | None


def tracks_of(task: str, instruction: str) -> Tracks:
    """The tracks that `instruction` of `task` names. From the documented wording only the tracks
    are taken, and the model gets the instruction it was trained on; other wordings are kept.

    Raises:
        InvalidRequestError: it names no known track.
    """
    named = tuple(track for track in TRACKS if names_track(instruction, track))
    if not named:
        given = "no instruction" if _is_default(instruction) else f"{quoted(instruction)}"
        raise InvalidRequestError(
            f"The task {task} was given {given}, which names no track. Write `instruction` as in "
            f"{INSTRUCTION_EXAMPLES[task]!r}, with {'some' if task == 'complete' else 'one'} of "
            f"{', '.join(TRACKS)}."
        )
    documented = re.fullmatch(PATTERNS[task], instruction.strip(" :.\n"), re.IGNORECASE)
    if documented is None:
        return Tracks(named, instruction)
    listed = re.split(r"\s*(?:,|\||\band\b)\s*", documented["tracks"].strip())
    spelled = tuple(parse_track(name) or "" for name in listed if name)
    if not set(spelled) <= set(TRACKS) or (task != "complete" and len(spelled) > 1):
        return Tracks(named, instruction)
    return Tracks(spelled, None)


def custom_instruction(instruction: str) -> str | None:
    """A caller's instruction; None for the default, which stands for the task's own."""
    return None if _is_default(instruction) else instruction


def _is_default(instruction: str) -> bool:
    return instruction.strip() in ("", TEXT_TO_MUSIC)

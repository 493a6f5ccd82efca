"""Parameters as the values that the stages take: a song, seeds, a recipe.

What is not used as it was given comes back as a note, for the run's status message.
"""

from typing import Final, NamedTuple

from ..constants import INSTRUMENTAL
from ..errors import InvalidRequestError
from ..lm.plan import UNKNOWN
from ..lm.sampling import SamplingParams
from ..sampling.guidance import Guidance, GuidanceKind
from ..sampling.presets import schedule_warnings, variant_warnings
from ..sampling.recipe import Recipe, seeds_for
from ..sampling.schedules import custom_timesteps, snap_to_turbo
from ..types import Song, Variant, parse_key
from .limits import SOLVERS
from .params import GenerationConfig, GenerationParams

METERS: Final = {"2": 2, "3": 3, "4": 4, "6": 6, "2/4": 2, "3/4": 3, "4/4": 4, "6/8": 6}
NARROWEST: Final = 1e-9  # of a nucleus: the likeliest token alone
DRAWN: Final = -1  # instead of a seed


def song_of(params: GenerationParams) -> Song:
    """What to play, with everything open that was not given.

    Raises:
        InvalidSongError, InvalidRequestError: a key, time signature or language that is none.
    """
    return Song(
        caption=params.caption,
        lyrics=INSTRUMENTAL if params.instrumental else params.lyrics,
        seconds=length_of(params),
        bpm=params.bpm,
        key=parse_key(params.keyscale) if params.keyscale.strip() else None,
        time_signature=meter_of(params.timesignature),
        language=language_of(params.vocal_language),
    )


def length_of(params: GenerationParams) -> float | None:
    """Seconds, if any were asked for."""
    return params.duration if params.duration and params.duration > 0 else None


def meter_of(text: str) -> int | None:
    """
    Raises:
        InvalidRequestError: `text` is no time signature of the models.
    """
    if not text.strip():
        return None
    if text.strip() not in METERS:
        raise InvalidRequestError(
            f"`timesignature` is {text!r}. Write 2, 3, 4 or 6 (for 2/4, 3/4, 4/4 and 6/8), or "
            "nothing for automatic."
        )
    return METERS[text.strip()]


def language_of(text: str | None) -> str | None:
    """A language, or None where it is to be found."""
    code = (text or "").strip().lower()
    return None if code in ("", UNKNOWN) else code


class Drawn(NamedTuple):
    """A seed for each item, and what to say of them."""

    seeds: tuple[int, ...]
    notes: list[str]


def seeds_of(params: GenerationParams, config: GenerationConfig) -> Drawn:
    """Random ones, or those that were given and as many more as the batch has items.

    Raises:
        InvalidScheduleError: more seeds than items, or one that is none.
    """
    listed = [config.seeds] if isinstance(config.seeds, int) else list(config.seeds or ())
    given = listed or ([] if params.seed == DRAWN else [params.seed])
    if config.use_random_seed:
        notes = ["use_random_seed is on: the given seeds are not used."] if given else []
        return Drawn(seeds_for(config.batch_size), notes)
    wanted = [None if seed == DRAWN else seed for seed in given]
    first = next((seed for seed in wanted if seed is not None), None)
    return Drawn(seeds_for(config.batch_size, wanted, rng_seed=first), [])


class Chosen(NamedTuple):
    """How to sample, and what to say of it."""

    recipe: Recipe
    notes: list[str]


def recipe_of(params: GenerationParams, variant: Variant, seeds: tuple[int, ...]) -> Chosen:
    """
    Raises:
        InvalidScheduleError: times or guidance that cannot be sampled with.
    """
    times, notes = _times(params, variant)
    guidance = None if variant.distilled else _guidance(params)
    if variant.distilled:
        unused = " and use_adg are" if params.use_adg else " is"
        notes.append(
            f"guidance_scale{unused} not used: guidance is distilled into {variant.value}."
        )
    recipe = Recipe(
        seeds=seeds,
        steps=params.inference_steps,
        shift=params.shift,
        times=times,
        guidance=guidance,
        solver=SOLVERS[params.infer_method],
    )
    notes += schedule_warnings(variant, recipe.schedule(variant))
    return Chosen(recipe, notes + variant_warnings(variant, params.task_type, guidance))


def _times(
    params: GenerationParams, variant: Variant
) -> tuple[tuple[float, ...] | None, list[str]]:
    """The caller's own times; turbo's are moved to those it was trained on."""
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


def _guidance(params: GenerationParams) -> Guidance:
    kind = GuidanceKind.ADG if params.use_adg else GuidanceKind.APG
    interval = (params.cfg_interval_start, params.cfg_interval_end)
    return Guidance(kind, params.guidance_scale, interval)


def sampling_params_of(
    temperature: float, top_k: int | None, top_p: float | None, repetition_penalty: float = 1.0
) -> SamplingParams:
    """How tokens are chosen; None turns a filter off, and a nucleus of 0 holds one token.

    Raises:
        InvalidRequestError: a setting is out of range.
    """
    nucleus = 1.0 if top_p is None else (top_p or NARROWEST)
    return SamplingParams(
        temperature=temperature,
        top_k=top_k or 0,
        top_p=nucleus,
        repetition_penalty=repetition_penalty,
    )

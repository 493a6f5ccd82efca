"""The limits of the published tables; checked before anything heavy."""

from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin

from ..alignment.timed_lyrics import FORMATS as LYRIC_FORMATS
from ..audio.files import Encoding, check_encoder
from ..audio.postprocessing import FADE_RANGE, PEAK_RANGE
from ..constants import (
    BATCH_RANGE,
    BPM_RANGE,
    CAPTION_CHARACTERS,
    LYRIC_CHARACTERS,
    SECONDS_RANGE,
    TRIES_RANGE,
)
from ..errors import InvalidRequestError
from ..parsing import quoted
from ..sampling.dcw import WAVELETS, DCWMode
from ..sampling.guidance import GuidanceKind
from ..sampling.repaint import RepaintMode
from ..sampling.solvers import Solver
from ..texts import first_fault, text_fault
from ..types import Variant
from .audio_start import check_audio_start
from .takes import takes_of
from .types import GenerationConfig, GenerationParams

COVER, REMIX = "cover", "cover-nofsq"  # the source as codes, and as it is
TASKS: Final = ("text2music", COVER, REMIX, "repaint", "lego", "extract", "complete")
NEED_CAPTION: Final = (COVER, REMIX, "repaint", "lego", "complete")
STEPS: Final = {True: (1, 20), False: (1, 200)}  # by whether the model is a turbo
SOLVERS: Final = {"ode": Solver.EULER, "sde": Solver.SDE}
SAMPLERS: Final = {"euler": Solver.EULER, "heun": Solver.HEUN}
GUIDANCE: Final = {  # by the official names
    "apg_classic": GuidanceKind.APG,
    "cfg": GuidanceKind.CFG,
    "adg": GuidanceKind.ADG,
    "adg_w_norm": GuidanceKind.ADG_W_NORM,
    "adg_wo_clip": GuidanceKind.ADG_WO_CLIP,
}
AUTO_MASK: Final = "auto"
CHOICES: Final = {
    "sampler_mode": tuple(SAMPLERS),
    "guidance_variant": ("", *GUIDANCE),
    "chunk_mask_mode": ("explicit", AUTO_MASK),
    "repaint_mode": tuple(mode.value for mode in RepaintMode),
}
FORMATS: Final = {
    "flac": Encoding.FLAC_24,
    "wav": Encoding.WAV_24,
    "mp3": Encoding.MP3,
    "wav32": Encoding.WAV_FLOAT,
    "opus": Encoding.OPUS,
    "aac": Encoding.AAC,
}
RANGES: Final = {
    "guidance_scale": (1.0, 15.0),
    "shift": (1.0, 5.0),
    "cfg_interval_start": (0.0, 1.0),
    "cfg_interval_end": (0.0, 1.0),
    "audio_cover_strength": (0.0, 1.0),
    "velocity_ema_factor": (0.0, 0.99),
    "retake_variance": (0.0, 1.0),
    "cover_noise_strength": (0.0, 1.0),
    "ref_audio_strength": (0.0, 1.0),
    "repaint_strength": (0.0, 1.0),
    "repaint_latent_crossfade_frames": (0, 250),
    "repaint_wav_crossfade_sec": (0.0, 10.0),
    "normalization_db": PEAK_RANGE,
    "latent_shift": (-10.0, 10.0),
    "latent_rescale": (0.01, 10.0),
    "fade_in_duration": FADE_RANGE,
    "fade_out_duration": FADE_RANGE,
    "lm_temperature": (0.0, 2.0),
    "lm_top_p": (0.0, 1.0),
}
OPTIONAL: Final = ("duration",)  # documented as a number and as `None`


def check_params(params: GenerationParams, config: GenerationConfig, variant: Variant) -> None:
    """
    Raises:
        InvalidRequestError: a value is outside what the tables allow.
        TypeError: a value has another type than its field.
    """
    check_types(params)
    check_config(config)
    check_characters(params)
    _one_of("task_type", params.task_type, TASKS)
    _one_of("infer_method", params.infer_method, SOLVERS)
    for name, allowed in CHOICES.items():
        _one_of(name, getattr(params, name), allowed)
    _one_of("dcw_mode", params.dcw_mode, [mode.value for mode in DCWMode])
    _one_of("dcw_wavelet", params.dcw_wavelet, WAVELETS)
    for name, (low, high) in RANGES.items():
        _within(name, getattr(params, name), low, high)
    _within("inference_steps", params.inference_steps, *STEPS[variant.distilled])
    _within("velocity_norm_threshold", params.velocity_norm_threshold, 0, None)
    _within("lm_cfg_scale", params.lm_cfg_scale, 1, None)
    _within("lm_top_k", params.lm_top_k, 0, None)
    if params.bpm is not None:
        _within("bpm", params.bpm, *BPM_RANGE)
    if params.duration is not None and not params.duration <= 0:
        _within("duration", params.duration, *SECONDS_RANGE)
    check_texts(params.caption, params.lyrics)
    check_audio_start(params)
    _check_interval(params)
    sung = params.lyrics.strip() or params.instrumental
    if params.task_type == "text2music" and not params.caption.strip() and not sung:
        raise InvalidRequestError(
            "`caption` and `lyrics` are both empty. Describe the music in `caption`, or give "
            "`lyrics` to sing."
        )
    if params.task_type in NEED_CAPTION and not params.caption.strip():
        raise InvalidRequestError(
            f"The task {params.task_type} needs a `caption`. Say how the result is to sound."
        )


def check_config(config: GenerationConfig) -> None:
    """
    Raises:
        InvalidRequestError: a value is outside what the tables allow, or values contradict each
            other.
        SaveError: the format has no encoder in this installation.
        TypeError: a value has another type than its field.
    """
    check_types(config)
    _one_of("audio_format", config.audio_format, FORMATS)
    _one_of("lyric_timestamps", config.lyric_timestamps, ("", *LYRIC_FORMATS))
    check_encoder(FORMATS[config.audio_format])
    _within("batch_size", config.batch_size, *BATCH_RANGE)
    _within("lm_batch_chunk_size", config.lm_batch_chunk_size, 1, None)
    _within("best_of", config.best_of, *BATCH_RANGE)
    _within("tries", config.tries, *TRIES_RANGE)
    takes_of(config)


def check_texts(caption: str, lyrics: str) -> None:
    """
    Raises:
        InvalidRequestError: one is longer than the models were trained with, or no text.
    """
    for name, text, most in (
        ("caption", caption, CAPTION_CHARACTERS),
        ("lyrics", lyrics, LYRIC_CHARACTERS),
    ):
        if fault := text_fault(text):
            raise InvalidRequestError(f"`{name}` {fault}. Remove it.")
        if len(text) > most:
            raise InvalidRequestError(
                f"`{name}` has {len(text)} characters, but the models read at most {most}. Shorten "
                "it."
            )


def check_characters(params: GenerationParams) -> None:
    """
    Raises:
        InvalidRequestError: a text has a zero byte or half a character.
    """
    if fault := first_fault(vars(params)):
        raise InvalidRequestError(fault)


def check_types(values: Any) -> None:
    """
    Raises:
        TypeError: a field of the dataclass holds a value of another type.
    """
    for field in fields(values):
        value = getattr(values, field.name)
        if value is None and field.name in OPTIONAL:
            continue
        if not _fits(value, field.type):
            kind = getattr(field.type, "__name__", None) or str(field.type)
            raise TypeError(
                f"{type(values).__name__}.{field.name} is {quoted(value)}, but must be {kind}"
            )


def _fits(value: object, kind: Any) -> bool:
    if isinstance(kind, UnionType):
        return any(_fits(value, each) for each in get_args(kind))
    if get_origin(kind) is list:
        (inside,) = get_args(kind)
        return isinstance(value, (list, tuple)) and all(_fits(each, inside) for each in value)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, NoneType if kind is None else kind)


def _one_of(name: str, value: str, allowed: Any) -> None:
    if value not in allowed:
        raise InvalidRequestError(
            f"`{name}` is {quoted(value)}. Choose one of {', '.join(filter(None, allowed))}."
        )


def _within(name: str, value: float, low: float, high: float | None) -> None:
    if value >= low and (high is None or value <= high):
        return
    allowed = f"{low:g} or above" if high is None else f"{low:g} to {high:g}"
    raise InvalidRequestError(f"`{name}` is {value:g}, but must be {allowed}. Change it.")


def _check_interval(params: GenerationParams) -> None:
    if params.cfg_interval_start > params.cfg_interval_end:
        raise InvalidRequestError(
            f"`cfg_interval_start` is {params.cfg_interval_start:g} and `cfg_interval_end` "
            f"{params.cfg_interval_end:g}. Set the start at or below the end, as in 0 to 1."
        )

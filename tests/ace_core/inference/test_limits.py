"""What the published tables allow, and that everything else comes back with its reason."""

from dataclasses import replace
from typing import Any

import pytest

from ace_core.errors import AceStepError
from ace_core.inference import GenerationConfig, GenerationParams
from ace_core.inference.limits import check_params
from ace_core.inference.request import sampling_params_of, song_of
from ace_core.types import Variant

from .conftest import Make

PARAMS = GenerationParams(caption="calm piano")
CONFIG = GenerationConfig()

ALLOWED: list[dict[str, Any]] = [
    {"caption": "a" * 512},
    {"lyrics": "a" * 4096},
    {"bpm": 30},
    {"bpm": 300},
    {"duration": 10},
    {"duration": 600},
    {"duration": 0},
    {"duration": None},
    {"inference_steps": 1},
    {"inference_steps": 20},
    {"guidance_scale": 1.0},
    {"guidance_scale": 15.0},
    {"shift": 1.0},
    {"shift": 5.0},
    {"lm_temperature": 0.0},
    {"lm_temperature": 2.0},
    {"lm_top_p": 0.0},
    {"audio_cover_strength": 0.0},
    {"infer_method": "sde"},
    {"keyscale": "C Major"},
    {"keyscale": "Am"},
    {"keyscale": "F# minor"},
    {"timesignature": "6"},
    {"timesignature": "6/8"},
    {"vocal_language": "bn"},
    {"vocal_language": ""},
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"caption": "a" * 513}, "caption.*513.*512"),
    ({"lyrics": "a" * 4097}, "lyrics.*4097.*4096"),
    ({"bpm": 29}, "bpm.*29.*30 to 300"),
    ({"bpm": 301}, "bpm.*301.*30 to 300"),
    ({"duration": 9.9}, "duration.*9.9.*10 to 600"),
    ({"duration": 601}, "duration.*601.*10 to 600"),
    ({"duration": float("nan")}, "duration.*nan.*10 to 600"),
    ({"inference_steps": 0}, "inference_steps.*0.*1 to 20"),
    ({"inference_steps": 21}, "inference_steps.*21.*1 to 20"),
    ({"guidance_scale": 0.5}, "guidance_scale.*0.5.*1 to 15"),
    ({"guidance_scale": 15.1}, "guidance_scale.*15.1.*1 to 15"),
    ({"shift": 0.9}, "shift.*0.9.*1 to 5"),
    ({"shift": 5.1}, "shift.*5.1.*1 to 5"),
    ({"cfg_interval_start": -0.1}, "cfg_interval_start.*-0.1.*0 to 1"),
    ({"cfg_interval_end": 1.1}, "cfg_interval_end.*1.1.*0 to 1"),
    ({"cfg_interval_start": 0.6, "cfg_interval_end": 0.4}, "cfg_interval_start.*0.6"),
    ({"audio_cover_strength": 1.5}, "audio_cover_strength.*1.5.*0 to 1"),
    ({"lm_temperature": 2.1}, "lm_temperature.*2.1.*0 to 2"),
    ({"lm_top_p": 1.1}, "lm_top_p.*1.1.*0 to 1"),
    ({"lm_top_k": -1}, "lm_top_k.*-1.*0 or above"),
    ({"lm_cfg_scale": 0.5}, "lm_cfg_scale.*0.5.*1 or above"),
    ({"sampler_mode": "dpm"}, "sampler_mode.*dpm.*euler, heun"),
    ({"guidance_variant": "pag"}, "guidance_variant.*pag.*apg_classic, cfg, adg, adg_w_norm"),
    ({"chunk_mask_mode": "none"}, "chunk_mask_mode.*none.*explicit, auto"),
    ({"repaint_mode": "mild"}, "repaint_mode.*mild.*conservative, balanced, aggressive"),
    ({"velocity_norm_threshold": -1}, "velocity_norm_threshold.*-1.*0 or above"),
    ({"velocity_ema_factor": 1.0}, "velocity_ema_factor.*1.*0 to 0.99"),
    ({"retake_variance": 1.1}, "retake_variance.*1.1.*0 to 1"),
    ({"cover_noise_strength": -0.1}, "cover_noise_strength.*-0.1.*0 to 1"),
    ({"repaint_strength": 2}, "repaint_strength.*2.*0 to 1"),
    ({"repaint_latent_crossfade_frames": 251}, "crossfade_frames.*251.*0 to 250"),
    ({"repaint_wav_crossfade_sec": -1}, "repaint_wav_crossfade_sec.*-1.*0 to 10"),
    ({"latent_shift": float("nan")}, "latent_shift.*nan.*-10 to 10"),
    ({"latent_rescale": 0}, "latent_rescale.*0.*0.01 to 10"),
    ({"normalization_db": 0.1}, "normalization_db.*0.1.*-60 to 0"),
    ({"fade_in_duration": -1}, "fade_in_duration.*-1.*0 to 600"),
    ({"fade_out_duration": 601}, "fade_out_duration.*601.*0 to 600"),
    ({"infer_method": "heun"}, "infer_method.*heun.*ode, sde"),
    ({"task_type": "remix"}, "task_type.*remix.*text2music"),
    ({"task_type": "cover", "caption": ""}, "cover needs a `caption`"),
    ({"caption": "  "}, "`caption` and `lyrics` are both empty"),
    ({"keyscale": "H major"}, "H major.*not a key"),
    ({"timesignature": "5"}, "timesignature.*'5'.*2, 3, 4 or 6"),
    ({"vocal_language": "tlh"}, "tlh.*not a language"),
]
SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"batch_size": 0}, "batch_size.*0.*1 to 8"),
    ({"batch_size": 9}, "batch_size.*9.*1 to 8"),
    ({"lm_batch_chunk_size": 0}, "lm_batch_chunk_size.*0.*1 or above"),
    ({"audio_format": "ogg"}, "audio_format.*ogg.*flac, wav, mp3, wav32, opus, aac"),
]


def refuse(params: GenerationParams, config: GenerationConfig, variant: Variant) -> None:
    check_params(params, config, variant)
    song_of(params)


@pytest.mark.parametrize("change", ALLOWED, ids=str)
def test_the_ends_of_every_range_are_allowed(change: dict[str, Any]):
    refuse(replace(PARAMS, **change), CONFIG, Variant.TURBO)


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=str)
def test_a_parameter_outside_its_range_is_refused_with_what_is_allowed(change, words):
    with pytest.raises(AceStepError, match=words):
        refuse(replace(PARAMS, **change), CONFIG, Variant.TURBO)


@pytest.mark.parametrize(("change", "words"), SETTINGS, ids=str)
def test_a_setting_outside_its_range_is_refused_with_what_is_allowed(change, words):
    with pytest.raises(AceStepError, match=words):
        refuse(PARAMS, replace(CONFIG, **change), Variant.TURBO)


@pytest.mark.parametrize("variant", [Variant.BASE, Variant.SFT])
def test_base_models_take_two_hundred_steps(variant: Variant):
    refuse(replace(PARAMS, inference_steps=200), CONFIG, variant)
    with pytest.raises(AceStepError, match=r"201.*1 to 200"):
        refuse(replace(PARAMS, inference_steps=201), CONFIG, variant)


@pytest.mark.parametrize(
    "change",
    [{"bpm": "fast"}, {"caption": 5}, {"thinking": 1}, {"timesteps": "1, 0"}, {"seed": 1.5}],
    ids=str,
)
def test_a_value_of_another_kind_is_a_programming_error(change: dict[str, Any]):
    (name,) = change
    with pytest.raises(TypeError, match=name):
        check_params(replace(PARAMS, **change), CONFIG, Variant.TURBO)


def test_a_refusal_is_a_result_and_not_an_exception(make: Make):
    result = make(bpm=1000)
    assert (result.success, result.audios) == (False, [])
    assert result.error is not None
    assert "30 to 300" in result.error
    assert result.error in result.status_message


def test_a_programming_error_is_raised(make: Make):
    with pytest.raises(TypeError, match="caption"):
        make(caption=5)
    with pytest.raises(TypeError, match="AceStepHandler"):
        make(handler="acestep-v15-turbo")
    with pytest.raises(TypeError, match="GenerationConfig"):
        make(config={"batch_size": 1})


def test_filters_that_are_none_are_off_and_an_empty_nucleus_holds_the_likeliest_token():
    off = sampling_params_of(0.85, None, None)
    assert (off.top_k, off.top_p) == (0, 1.0)
    assert 0 < sampling_params_of(0.85, 0, 0.0).top_p < 1e-6

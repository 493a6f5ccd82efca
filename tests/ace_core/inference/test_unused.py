"""Nothing unused is unsaid: the table of what a run does not read is walked, field by field."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    LLMHandler,
    create_sample,
    format_sample,
    music,
    understand_music,
)
from ace_core.inference.lm_calls import TextParams
from ace_core.inference.unused import RULES, Facts, unused_notes
from ace_core.types import Variant

from .conftest import ONE, QUICK, Make
from .watched import stand_in

ALWAYS_READ = set(
    """task_type instruction reference_audio caption instrumental vocal_language bpm keyscale
    timesignature infer_method timesteps thinking use_cot_metas use_cot_caption use_cot_language
    cot_caption reuse_cot velocity_norm_threshold velocity_ema_factor retake_variance
    chunk_mask_mode latent_shift latent_rescale enable_normalization fade_in_duration
    fade_out_duration flow_edit_morph audio2audio_enable src_audio_path batch_size
    use_random_seed lyric_timestamps score best_of prefer until lora""".split()
)
TABLE = {name for rule in RULES for name in rule.fields.split()}
CODES = "".join(f"<|audio_code_{index * 700}|>" for index in range(50))
SUNG = {"lyrics": "[Verse]\nla la"}
LENGTH = {"duration": -1.0}
WORDS = {"flow_edit_source_caption": "loud guitars"}
EVERY: dict[str, Any] = {  # a value of each field that asks for something
    "audio_codes": CODES,
    "lyrics": "[Verse]\nla la",
    "duration": 30.0,
    "inference_steps": 2,
    "shift": 3.0,
    "guidance_scale": 5.0,
    "use_adg": True,
    "cfg_interval_start": 0.5,
    "cfg_interval_end": 0.7,
    "repainting_start": 1.0,
    "repainting_end": 3.0,
    "audio_cover_strength": 0.4,
    "lm_temperature": 0.5,
    "lm_cfg_scale": 3.0,
    "lm_top_k": 5,
    "lm_top_p": 0.5,
    "lm_negative_prompt": "noise",
    "use_cot_lyrics": True,
    "use_constrained_decoding": False,
    "dcw_mode": "low",
    "dcw_scaler": 0.1,
    "dcw_high_scaler": 0.1,
    "flow_edit_source_caption": "loud guitars",
    "flow_edit_source_lyrics": "[Verse]\nother words",
    "flow_edit_n_min": 0.5,
    "flow_edit_n_max": 0.7,
    "flow_edit_n_avg": 2,
    "sampler_mode": "heun",
    "guidance_variant": "cfg",
    "retake_seed": 3,
    "cover_noise_strength": 0.6,
    "repaint_mode": "aggressive",
    "repaint_strength": 0.9,
    "repaint_latent_crossfade_frames": 3,
    "repaint_wav_crossfade_sec": 0.3,
    "normalization_db": -6.0,
    "ref_audio_strength": 0.9,
    "velocity_norm_threshold": 0.1,
    "velocity_ema_factor": 0.5,
    "retake_variance": 0.5,
    "chunk_mask_mode": "auto",
    "latent_shift": 0.1,
    "latent_rescale": 0.9,
    "fade_in_duration": 1.0,
    "caption": "loud guitars",
    "bpm": 77,
}
SOURCE = {**LENGTH, "inference_steps": 3, "src_audio": "the recording"}
SITUATIONS: dict[str, dict[str, Any]] = {
    "a new song": {"inference_steps": 3},
    "a new song by sde": {"inference_steps": 3, "infer_method": "sde"},
    "times": {"timesteps": [1.0, 0.6, 0.3, 0.0]},
    "without DCW": {"inference_steps": 3, "dcw_enabled": False, "instrumental": True, **SUNG},
    "codes": {**LENGTH, "inference_steps": 3, "audio_codes": CODES},
    "codes at a strength of 0": {
        **LENGTH,
        "inference_steps": 3,
        "audio_codes": CODES,
        "audio_cover_strength": 0.0,
    },
    "a cover": {**SOURCE, "task_type": "cover"},
    "audio to audio": {**SOURCE, "audio2audio_enable": True},
    "a conservative repaint": {
        **SOURCE,
        "task_type": "repaint",
        "repaint_mode": "conservative",
        "repainting_start": 2.0,
        "repainting_end": 4.0,
    },
    "a morph": {**SOURCE, "flow_edit_morph": True, **WORDS},
    "a morph of no step": {
        **SOURCE,
        "flow_edit_morph": True,
        "flow_edit_n_max": 0.0,
        "instruction": "Play it:",
    },
    "guided": {"inference_steps": 3, "handler": "base", "guidance_variant": "cfg"},
    "not guided": {"inference_steps": 3, "handler": "base", "guidance_scale": 1.0},
}


def understand(lm: LLMHandler, **writing: Any) -> Any:
    return understand_music(lm, CODES, **writing)


def create(lm: LLMHandler, **writing: Any) -> Any:
    return create_sample(lm, "rain", **writing)


def polish(lm: LLMHandler, **writing: Any) -> Any:
    return format_sample(lm, "calm", "[Verse]\nla", **writing)


def test_every_field_is_read_always_or_has_a_rule():
    every = {field.name for kind in (GenerationParams, GenerationConfig) for field in fields(kind)}
    assert (TABLE - {"instruction"}) | ALWAYS_READ == every
    assert {"instruction"} == TABLE & ALWAYS_READ


@pytest.fixture
def quick_vae(encoded_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A VAE whose sound is two of the latent's channels: the walk makes six hundred songs."""
    monkeypatch.setattr(music, "decode_audio", stand_in)


@pytest.mark.usefixtures("quick_vae")
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_field_changes_the_song_or_is_said_to_be_unused(
    make: Make, base: AceStepHandler, recording: str, situation: str
):
    given = dict(SITUATIONS[situation])
    if "src_audio" in given:
        given["src_audio"] = recording
    if given.get("handler") == "base":
        given["handler"] = base
    plain = make(**given)
    assert plain.success, plain.error
    wrong = []
    for name, value in EVERY.items():
        if given.get(name) == value:
            continue
        changed = make(**{**given, name: value})
        if not changed.success:  # refused, which says it
            continue
        same = torch.equal(changed.audios[0]["tensor"], plain.audios[0]["tensor"])
        if same != (name in unused(changed.status_message)):
            wrong.append(name)
    assert wrong == []


def unused(status: str) -> set[str]:
    """The fields that a status message calls unused, and a length that is none of codes."""
    lines = [line.split(" not used: ")[0] for line in status.splitlines() if " not used: " in line]
    names = {name for line in lines for name in re.findall("`([a-z_]+)`", line)}
    return names | ({"duration"} if "The length of" in status else set())


def said(config: GenerationConfig = ONE, **known: Any) -> set[str]:
    """What is unused of a request: `known` are facts, and parameters."""
    facts = {name: known.pop(name) for name in list(known) if name in FACTS}
    params = replace(QUICK, thinking=True, **known)
    given = Facts(params, config, facts.pop("variant", Variant.TURBO), **facts)
    return unused("\n".join(unused_notes(given))) - {"guidance_scale"}


FACTS = {field.name for field in fields(Facts)}
LM = {name: value for name, value in EVERY.items() if name.startswith("lm_")}


def test_what_steers_a_language_model_is_said_where_it_does_not_write():
    config = replace(ONE, allow_lm_batch=True, constrained_decoding_debug=True, batch_size=2)
    given = {**LM, "use_constrained_decoding": False}
    codes_only = {"lm_cfg_scale", "lm_negative_prompt", "allow_lm_batch"}
    nothing = said(config, **given)
    assert nothing == {*given, "allow_lm_batch", "constrained_decoding_debug"}
    assert said(config, **given, thinks=True) == codes_only
    assert said(config, **given, thinks=True, composes=True, codes=True) == set()
    assert said(config, **given, composes=True, codes=True) == {"use_constrained_decoding"}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"lm_temperature": 0.0, "lm_top_k": 5, "lm_top_p": 0.5}, {"lm_top_k", "lm_top_p"}),
        ({"lm_cfg_scale": 1.0, "lm_negative_prompt": "noise"}, {"lm_negative_prompt"}),
        ({"seed": 7}, set()),
        ({"seed": 9}, {"seed"}),
        ({"reuse_cot": True, "cot_bpm": 90, "bpm": 80}, {"cot_bpm"}),
        ({"reuse_cot": True, "cot_bpm": 90}, set()),
        ({"cot_bpm": 90, "bpm": 80}, set()),  # a run filled it in
        ({"enable_normalization": False, "normalization_db": -3.0}, {"normalization_db"}),
        ({"ref_audio_input": "a.wav"}, {"ref_audio_input"}),
    ],
    ids=str,
)
def test_a_field_beside_the_one_that_turns_it_off(given: dict[str, Any], names: set[str]):
    assert said(**given, thinks=True, composes=True, codes=True) == names


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"use_random_seed": True}, {"seeds"}),
        ({"lm_batch_chunk_size": 2}, {"lm_batch_chunk_size"}),
        ({"lm_batch_chunk_size": 2, "allow_lm_batch": True, "batch_size": 2}, set()),
        ({"allow_lm_batch": True}, {"allow_lm_batch"}),
    ],
    ids=str,
)
def test_a_setting_of_the_run_that_does_nothing(changes: dict[str, Any], names: set[str]):
    assert said(replace(ONE, **changes), thinks=True, composes=True, codes=True) == names


def test_a_format_is_not_used_where_nothing_is_saved(make: Make, tmp_path: Any):
    config = replace(ONE, audio_format="wav")
    said = "`audio_format` is not used: nothing is saved."
    assert said in make(config=config).status_message
    assert said not in make(config=config, save_dir=str(tmp_path)).status_message


def test_fields_of_one_reason_share_a_line():
    notes = unused_notes(
        Facts(replace(QUICK, repainting_start=1.0, repainting_end=2.0), ONE, Variant.BASE)
    )
    assert notes == [
        "`repainting_start` and `repainting_end` are not used: text2music has no region."
    ]
    assert unused_notes(Facts(QUICK, ONE, Variant.BASE)) == []


@pytest.mark.parametrize("call", [understand, create, polish])
def test_a_cold_language_model_reads_neither_top_k_nor_seed_and_says_so(
    lm: LLMHandler, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    options = TextParams.options  # the miniature writes on and on at this temperature
    monkeypatch.setattr(
        TextParams, "options", lambda self, lm: replace(options(self, lm), max_tokens=40)
    )
    warm = call(lm, temperature=0.0, top_k=0, top_p=1.0, seed=-1)
    told = call(lm, temperature=0.0, top_k=5, top_p=0.5, seed=7)
    assert warm.success, warm.error
    assert (told.caption, told.lyrics) == (warm.caption, warm.lyrics)
    assert "not used" not in warm.status_message
    assert told.status_message.splitlines()[-1] == (
        "`top_k`, `top_p` and `seed` are not used: `temperature` 0 takes the most likely token."
    )
    assert "not used" not in call(lm, top_k=5, top_p=0.5, seed=20).status_message

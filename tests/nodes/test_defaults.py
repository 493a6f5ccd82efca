"""One default on both faces: every value of a node that the library has, too, by its name there."""

import dataclasses
import inspect
from typing import Any

import pytest

from ace_core import inference
from ace_core.inference import GenerationConfig, GenerationParams
from tools.hosts.checkout import ROOT
from tools.hosts.pack import Pack

PARAMS = {field.name: field.default for field in dataclasses.fields(GenerationParams)}
CONFIG = {field.name: field.default for field in dataclasses.fields(GenerationConfig)}
WRITING = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}
WRITING |= {"repetition_penalty": "repetition_penalty"}
WRITING |= {"constrained_decoding": "use_constrained_decoding"}
WRITING |= {"trace": "constrained_decoding_debug"}
LM = {"temperature": "lm_temperature", "top_p": "lm_top_p", "top_k": "lm_top_k"}
LM |= {"trace": "constrained_decoding_debug"}
RETAKE = {"retake_seed": "retake_seed", "retake_variance": "retake_variance"}
FACES: dict[str, dict[str, str]] = {  # by node: an input, and its name in the library
    "Song": {
        "caption": "caption",
        "lyrics": "lyrics",
        "seconds": "duration",
        "bpm": "bpm",
        "key": "keyscale",
        "time_signature": "timesignature",
        "language": "vocal_language",
        "instrumental": "instrumental",
    },
    "Think": {
        "metadata": "use_cot_metas",
        "caption": "use_cot_caption",
        "language": "use_cot_language",
        "constrained_decoding": "use_constrained_decoding",
        **LM,
    },
    "ComposeCodes": {
        "cfg": "lm_cfg_scale",
        "negative_prompt": "lm_negative_prompt",
        "chunk_size": "lm_batch_chunk_size",
        **LM,
    },
    "TextToMusic": {"cover_strength": "audio_cover_strength", "instruction": "instruction"},
    "Cover": {
        "cover_strength": "audio_cover_strength",
        "source_strength": "cover_noise_strength",
        "instruction": "instruction",
    },
    "AudioToAudio": {"ref_audio_strength": "ref_audio_strength"},
    "Morph": {
        "n_min": "flow_edit_n_min",
        "n_max": "flow_edit_n_max",
        "n_avg": "flow_edit_n_avg",
    },
    "Repaint": {
        "start": "repainting_start",
        "end": "repainting_end",
        "mode": "repaint_mode",
        "strength": "repaint_strength",
    },
    "Schedule": {"settings.steps": "inference_steps", "settings.shift": "shift"},
    "Guidance": {
        "scale": "guidance_scale",
        "start": "cfg_interval_start",
        "end": "cfg_interval_end",
        "norm_threshold": "velocity_norm_threshold",
        "velocity_ema": "velocity_ema_factor",
    },
    "Solver": {
        "solver": "sampler_mode",
        "dcw.scaler": "dcw_scaler",
        "dcw.high_scaler": "dcw_high_scaler",
    },
    "DCW": {"dcw.scaler": "dcw_scaler", "dcw.high_scaler": "dcw_high_scaler"},
    "Sampler": {"seed": "seed", **RETAKE},
    "Noise": {"seed": "seed", **RETAKE},
    "SaveAudio": {
        "normalization_db": "normalization_db",
        "fade_in_duration": "fade_in_duration",
        "fade_out_duration": "fade_out_duration",
    },
}
CALLS = {  # nodes that are a call of the library
    "Understand": ("understand_music", WRITING),
    "CreateSample": (
        "create_sample",
        {"query": "query", "instrumental": "instrumental", **WRITING},
    ),
    "FormatSample": ("format_sample", WRITING),
}
SAME: list[tuple[Any, Any]] = [  # one meaning, in the words of each face
    ("auto", ""),
    ("auto", "unknown"),
    (0, None),
    ("", None),
    (-1, None),
    (1.0, None),  # top_p: off
    ("", PARAMS["instruction"]),
    ("", "NO USER INPUT"),
    ("", inspect.Parameter.empty),  # what has to be given
]
DEVIATIONS = {  # rows of docs/deviations.md
    "Song.seconds": (120.0, -1.0),
    "Schedule.settings.shift": (3.0, 1.0),
    "Sampler.seed": (0, -1),
    "Noise.seed": (0, -1),
    "Sampler.retake_variance": (0.2, 0.0),
    "Noise.retake_variance": (0.2, 0.0),
}


def defaults_of(pack: Pack, name: str) -> dict[str, Any]:
    """The defaults of a node's values; those inside a choice behind its name and a dot."""
    found: dict[str, Any] = {}
    for each in pack.nodes[f"AceStep15{name}"].GET_SCHEMA().inputs:
        found[each.id] = getattr(each, "default", None)
        for option in getattr(each, "options", None) or ():
            for inner in getattr(option, "inputs", ()):
                found[f"{each.id}.{inner.id}"] = inner.default
    return found


def pairs(pack: Pack) -> list[tuple[str, Any, Any]]:
    """(node and input, its default, that of the library)."""
    made = []
    for node, names in FACES.items():
        here = defaults_of(pack, node)
        made += [(f"{node}.{n}", here[n], {**PARAMS, **CONFIG}[f]) for n, f in names.items()]
    for node, (call, names) in CALLS.items():
        here = defaults_of(pack, node)
        there = inspect.signature(getattr(inference, call)).parameters
        made += [(f"{node}.{n}", here[n], there[f].default) for n, f in names.items()]
    return made


def test_the_defaults_of_both_faces_are_one_or_a_row_of_the_deviations(pack: Pack) -> None:
    differ = {
        name: (here, there)
        for name, here, there in pairs(pack)
        if here != there and (here, there) not in SAME
    }
    assert differ == DEVIATIONS
    page = (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8")
    unsaid = [name for name in differ if f"`{name}`" not in page]
    assert unsaid == []


WITHOUT = {  # fields of the library that no widget holds, and what stands for them in a graph
    "task_type": "the node",
    "reference_audio": "Reference Audio",
    "src_audio": "the source",
    "audio_codes": "the codes",
    "infer_method": "Solver.solver",
    "timesteps": "Schedule.settings.timesteps",
    "thinking": "Think and Compose Codes",
    "dcw_enabled": "Solver.dcw",
    "dcw_mode": "Solver.dcw",
    "use_adg": "Guidance.kind",
    "guidance_variant": "Guidance.kind",
    "flow_edit_morph": "Morph",
    "flow_edit_source_caption": "Morph.source_song",
    "flow_edit_source_lyrics": "Morph.source_song",
    "audio2audio_enable": "Audio to Audio",
    "ref_audio_input": "another name",
    "src_audio_path": "another name",
    "enable_normalization": "Save Audio.normalization",
    "batch_size": "of each task",
    "allow_lm_batch": "Compose Codes.chunk_size",
    "use_random_seed": "the widget of the seed",
    "seeds": "Sampler.seeds",
    "audio_format": "Save Audio.format",
    "lyric_timestamps": "Lyric Timestamps",
    "score": "Score",
    "best_of": "Text to Music.batch_size and Keep Best",
    "prefer": "Keep Best",
    "until": "Try Until It Fits",
    "tries": "Try Until It Fits",
    "reuse_cot": "a planned song",
    "lora": "Load LoRA",
}
LIBRARY_ALONE = {  # said in docs/api.md
    "dcw_wavelet",
    "use_cot_lyrics",
    "chunk_mask_mode",
    "repaint_latent_crossfade_frames",
    "repaint_wav_crossfade_sec",
    "latent_shift",
    "latent_rescale",
}


@pytest.mark.parametrize("name", [*PARAMS, *CONFIG])
def test_every_field_of_the_library_has_its_place_in_a_graph_or_is_said_to_have_none(name: str):
    held = {field for names in FACES.values() for field in names.values()}
    assert sum([name in held, name in WITHOUT, name in LIBRARY_ALONE, name.startswith("cot_")]) == 1
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    alone = page.split("## What the nodes do not have", 1)[1].split("\n## ", 1)[0]
    assert (f"`{name}`" in alone) == (name in LIBRARY_ALONE)

"""The published document's tables: names, types and defaults, in their order."""

from typing import Any

Field = tuple[str, str, Any]

PARAMS: list[Field] = [
    ("task_type", "str", "text2music"),
    ("instruction", "str", "Fill the audio semantic mask based on the given conditions:"),
    ("reference_audio", "str | None", None),
    ("src_audio", "str | None", None),
    ("audio_codes", "str", ""),
    ("caption", "str", ""),
    ("lyrics", "str", ""),
    ("instrumental", "bool", False),
    ("vocal_language", "str", "unknown"),
    ("bpm", "int | None", None),
    ("keyscale", "str", ""),
    ("timesignature", "str", ""),
    ("duration", "float", -1.0),
    ("inference_steps", "int", 8),
    ("seed", "int", -1),
    ("guidance_scale", "float", 7.0),
    ("use_adg", "bool", False),
    ("cfg_interval_start", "float", 0.0),
    ("cfg_interval_end", "float", 1.0),
    ("shift", "float", 1.0),
    ("infer_method", "str", "ode"),
    ("timesteps", "list[float] | None", None),
    ("repainting_start", "float", 0.0),
    ("repainting_end", "float", -1),
    ("audio_cover_strength", "float", 1.0),
    ("thinking", "bool", True),
    ("lm_temperature", "float", 0.85),
    ("lm_cfg_scale", "float", 2.0),
    ("lm_top_k", "int", 0),
    ("lm_top_p", "float", 0.9),
    ("lm_negative_prompt", "str", "NO USER INPUT"),
    ("use_cot_metas", "bool", True),
    ("use_cot_caption", "bool", True),
    ("use_cot_lyrics", "bool", False),
    ("use_cot_language", "bool", True),
    ("use_constrained_decoding", "bool", True),
    ("cot_bpm", "int | None", None),
    ("cot_keyscale", "str", ""),
    ("cot_timesignature", "str", ""),
    ("cot_duration", "float | None", None),
    ("cot_vocal_language", "str", "unknown"),
    ("cot_caption", "str", ""),
    ("cot_lyrics", "str", ""),
]
LATER: dict[str, list[Field]] = {  # what the official class has gained since, behind the others
    "GenerationParams": [
        ("dcw_enabled", "bool | None", None),
        ("dcw_mode", "str", "double"),
        ("dcw_scaler", "float", 0.05),
        ("dcw_high_scaler", "float", 0.02),
        ("dcw_wavelet", "str", "haar"),
        ("reuse_cot", "bool", False),  # ours
        ("flow_edit_morph", "bool", False),
        ("flow_edit_source_caption", "str", ""),
        ("flow_edit_source_lyrics", "str", ""),
        ("flow_edit_n_min", "float", 0.0),
        ("flow_edit_n_max", "float", 1.0),
        ("flow_edit_n_avg", "int", 1),
        ("sampler_mode", "str", "euler"),
        ("velocity_norm_threshold", "float", 0.0),
        ("velocity_ema_factor", "float", 0.0),
        ("guidance_variant", "str", ""),  # ours, by the official names of its values
        ("retake_seed", "int | None", None),
        ("retake_variance", "float", 0.0),
        ("cover_noise_strength", "float", 0.0),
        ("chunk_mask_mode", "str", "explicit"),  # official: auto
        ("repaint_mode", "str", "balanced"),
        ("repaint_strength", "float", 0.5),
        ("repaint_latent_crossfade_frames", "int", 10),
        ("repaint_wav_crossfade_sec", "float", 0.0),
        ("latent_shift", "float", 0.0),
        ("latent_rescale", "float", 1.0),
        ("enable_normalization", "bool", True),
        ("normalization_db", "float", -1.0),
        ("fade_in_duration", "float", 0.0),
        ("fade_out_duration", "float", 0.0),
        ("audio2audio_enable", "bool", False),  # ours, by the names of other tools
        ("ref_audio_strength", "float", 0.5),
        ("ref_audio_input", "str | None", None),
        ("src_audio_path", "str | None", None),
        ("lora", "list[str] | str | None", None),  # ours
    ],
    "GenerationConfig": [  # ours
        ("lyric_timestamps", "str", ""),
        ("score", "bool", False),
        ("best_of", "int", 1),
        ("prefer", "str", ""),
        ("until", "str", ""),
        ("tries", "int", 4),
    ],
}
CONFIG: list[Field] = [
    ("batch_size", "int", 2),
    ("allow_lm_batch", "bool", False),
    ("use_random_seed", "bool", True),
    ("seeds", "list[int] | int | None", None),  # "can also be single int"
    ("lm_batch_chunk_size", "int", 8),
    ("constrained_decoding_debug", "bool", False),
    ("audio_format", "str", "flac"),
]
RESULT: list[Field] = [
    ("audios", "list[dict[str, typing.Any]]", []),
    ("status_message", "str", ""),
    ("extra_outputs", "dict[str, typing.Any]", {}),
    ("success", "bool", True),
    ("error", "str | None", None),
]
SONG: list[Field] = [
    ("caption", "str", ""),
    ("lyrics", "str", ""),
    ("bpm", "int | None", None),
    ("duration", "float | None", None),
    ("keyscale", "str", ""),
    ("language", "str", ""),
    ("timesignature", "str", ""),
]
STATUS: list[Field] = [
    ("status_message", "str", ""),
    ("success", "bool", True),
    ("error", "str | None", None),
]
CLASSES: dict[str, list[Field]] = {
    "GenerationParams": PARAMS,
    "GenerationConfig": CONFIG,
    "GenerationResult": RESULT,
    "UnderstandResult": [*SONG, *STATUS],
    "CreateSampleResult": [*SONG, ("instrumental", "bool", False), *STATUS],
    "FormatSampleResult": [*SONG, *STATUS],
}

REQUIRED = "required"
WRITING: list[tuple[str, Any]] = [
    ("temperature", 0.85),
    ("top_k", None),
    ("top_p", None),
    ("repetition_penalty", 1.0),
    ("use_constrained_decoding", True),
    ("constrained_decoding_debug", False),
]
FUNCTIONS: dict[str, list[tuple[str, Any]]] = {
    "generate_music": [
        ("dit_handler", REQUIRED),
        ("llm_handler", REQUIRED),
        ("params", REQUIRED),
        ("config", REQUIRED),
        ("save_dir", None),
        ("progress", None),
    ],
    "understand_music": [("llm_handler", REQUIRED), ("audio_codes", REQUIRED), *WRITING],
    "create_sample": [
        ("llm_handler", REQUIRED),
        ("query", REQUIRED),
        ("instrumental", False),
        ("vocal_language", None),
        *WRITING,
    ],
    "format_sample": [
        ("llm_handler", REQUIRED),
        ("caption", REQUIRED),
        ("lyrics", REQUIRED),
        ("user_metadata", None),
        *WRITING,
    ],
}
METHODS: dict[str, list[str]] = {  # as the quick start calls them, by keyword
    "AceStepHandler.initialize_service": ["project_root", "config_path", "device"],
    "LLMHandler.initialize": ["checkpoint_dir", "lm_model_path", "backend", "device"],
}
AUDIO = ["path", "tensor", "key", "sample_rate", "params"]
EXTRA = ["lm_metadata", "time_costs", "latents", "masks"]
TIMES = ["lm_phase1_time", "lm_phase2_time", "dit_total_time_cost", "pipeline_total_time"]
OFFLOAD = "offload_to_cpu"
OURS = {"seed", "source_repaint_latents"}  # what our functions take beyond the published ones

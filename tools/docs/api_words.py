"""What `docs/api.md` says of each field and argument; names, types and defaults are the code's."""

from typing import Final

PARAMS: Final = {
    "task_type": "`text2music`, `cover`, `cover-nofsq` (remix), `repaint`, `lego`, `extract` or "
    "`complete`; see Tasks.",
    "instruction": "The task's instruction to the model. The default stands for the task's own. "
    "lego, extract and complete read their tracks from it.",
    "reference_audio": "Path of a recording to sound like: voices, instruments, mix. Any task.",
    "src_audio": "Path of the recording that a task starts from.",
    "audio_codes": "Audio codes to follow, as `<|audio_code_N|>` or numbers. They decide the "
    "length.",
    "caption": "Style, mood, instruments. At most 512 characters. May hold wildcards.",
    "lyrics": "Words to sing, with section tags. At most 4,096 characters. Empty: nobody sings. "
    "May hold wildcards.",
    "instrumental": "Nobody sings, whatever `lyrics` says.",
    "vocal_language": "Language of the lyrics, by its code; `unknown` is found by the language "
    "model. One that is given is kept.",
    "bpm": "Beats per minute, 30 to 300. `None`: automatic.",
    "keyscale": "As in `C Major`, `Am`, `F# minor`. Empty: automatic.",
    "timesignature": "`2`, `3`, `4` or `6` (`2/4`, `3/4`, `4/4`, `6/8`). Empty: automatic.",
    "duration": "Seconds, 10 to 600. 0, below or `None`: the language model chooses. Not used by "
    "tasks that have a source.",
    "inference_steps": "1 to 20 on turbo (8 is usual), 1 to 200 on base and sft (32 to 64).",
    "seed": "From 0; -1 is drawn. Used when `use_random_seed` is off and there are no `seeds`.",
    "guidance_scale": "1 to 15. Base and sft only; on turbo it is not used, and said so.",
    "use_adg": "Angle-based dynamic guidance (ADG) in place of APG. Base and sft only.",
    "cfg_interval_start": "Lowest flow time that is guided, 0 to 1; 0 is the end of the run.",
    "cfg_interval_end": "Highest flow time that is guided, 0 to 1; 1 is the first step.",
    "shift": "1 to 5. Above 1, more steps are spent early. 3 is usual.",
    "infer_method": "`ode` (Euler) or `sde` (noised again after each step, from the seed).",
    "timesteps": "Falling flow times in the place of steps and shift. On turbo each is moved to "
    "the nearest that it was trained on, and said so. A missing final 0 is added.",
    "repainting_start": "Seconds where new music begins (repaint, lego). Below 0: before the "
    "source.",
    "repainting_end": "Seconds where it ends. -1: with the source. Past it: the song gets longer.",
    "audio_cover_strength": "Share of the steps that hear the source (cover) or the codes, 0 to 1.",
    "thinking": "Ask the language model at all: for facts, caption, language and codes.",
    "lm_temperature": "0 to 2; 0 always takes the likeliest token.",
    "lm_cfg_scale": "How strongly the song steers its codes; 1 is off.",
    "lm_top_k": "Draw from so many of the likeliest tokens; 0 is off.",
    "lm_top_p": "Draw from the likeliest that hold this share, 0 to 1; 1 is off.",
    "lm_negative_prompt": "What to lead away from; `NO USER INPUT` is nothing in particular.",
    "use_cot_metas": "Fill tempo, length, key and time signature where they are open.",
    "use_cot_caption": "Word the caption anew.",
    "use_cot_lyrics": "Reserved; does nothing and says so.",
    "use_cot_language": "Find the language where it is open.",
    "use_constrained_decoding": "Keep the language model to fields and values that exist.",
    "cot_bpm": "Filled in by a run: what the language model found where nothing was given.",
    "cot_keyscale": "Likewise.",
    "cot_timesignature": "Likewise.",
    "cot_duration": "Likewise.",
    "cot_vocal_language": "Likewise.",
    "cot_caption": "The caption that the language model worded.",
    "cot_lyrics": "Stays empty: lyrics are not worded anew.",
    "dcw_enabled": "Correct each step in the wavelet domain (DCW), as the official code does since "
    "20 April 2026. `None`: on for turbo, off for base and sft. `False`: the numbers of before "
    "that day. `sde` is never corrected.",
    "dcw_mode": "Bands to correct: `low`, `high`, `double` (both) or `pix` (no transform).",
    "dcw_scaler": "How far the low band is moved; in `high` and `pix` the one that is there.",
    "dcw_high_scaler": "How far the high band is moved in `double`.",
    "reuse_cot": "Ours: take the plan of the `cot_` fields; no language model is asked.",
    "dcw_wavelet": "Only `haar` (or its other name, `db1`).",
    "flow_edit_morph": "Exchange the words of `src_audio` by flow edit: text2music sees nothing "
    "else of it, cover its codes.",
    "flow_edit_source_caption": "Style of the recording as it is; empty: that of `caption`.",
    "flow_edit_source_lyrics": "Its lyrics as they are; empty: those of `lyrics`.",
    "flow_edit_n_min": "Share of the steps that are skipped before the edit; higher keeps more.",
    "flow_edit_n_max": "Share of the steps at which the edit ends; then the new words rule.",
    "flow_edit_n_avg": "Draws of noise per step that are averaged.",
    "sampler_mode": "`euler`, or `heun`: two forwards per step, more exact. With `infer_method` "
    "`ode`.",
    "velocity_norm_threshold": "Largest norm of the velocity, in norms of the latent; 2 is usual. "
    "0: off. Turbo too.",
    "velocity_ema_factor": "Share of the previous step's velocity that is kept, 0 to 0.99; 0.1 is "
    "usual. 0: off. Turbo too.",
    "guidance_variant": "Ours, by the official names: `apg_classic`, `cfg`, `adg`, `adg_w_norm` "
    "(wider angles, the norm is kept) or `adg_wo_clip` (no limit of the angle). Empty: APG, or "
    "ADG with `use_adg`. Base and sft only.",
    "retake_seed": "Seed of a second noise that is mixed into the first; `None` or -1 is drawn. "
    "Those of further songs are derived.",
    "retake_variance": "Share of the second noise: 0 is the same song, 0.2 a close variation, 1 "
    "another song.",
    "cover_noise_strength": "Cover: share of the source in the starting noise, 0 to 1; the steps "
    "before it are left out.",
    "chunk_mask_mode": "`explicit`: the model gets the region of new music as 0 and 1. `auto`: it "
    "gets 2 everywhere and decides itself, the official default since August 2026.",
    "repaint_mode": "How what lies outside the region is kept: `conservative` in every step, "
    "`balanced` as `repaint_strength` says, `aggressive` not at all.",
    "repaint_strength": "For `balanced`: 0 keeps most, 1 changes most.",
    "repaint_latent_crossfade_frames": "Latent frames (25 per second) of the ramp on either side "
    "of the region, 0 to 250. 10, the default: the mode's own, 12 for `balanced` at 0.5.",
    "repaint_wav_crossfade_sec": "Seconds of the waveform's ramp, 0 to 10. 0, the default: the "
    "mode's own, 0.025 for `balanced` at 0.5.",
    "latent_shift": "Added to the finished latents before they are decoded, -10 to 10.",
    "latent_rescale": "Factor of the finished latents before the shift, 0.01 to 10.",
    "enable_normalization": "Bring every song's peak to `normalization_db`. A repaint keeps the "
    "level of its source. Off: a peak above full scale is lowered to it, as the nodes do.",
    "normalization_db": "Peak in dB of full scale, -60 to 0.",
    "fade_in_duration": "Seconds of a linear fade at the beginning.",
    "fade_out_duration": "Seconds of a linear fade at the end.",
    "audio2audio_enable": "Audio to audio: a new song (`text2music`) that starts from `src_audio` "
    "with noise added; the model sees nothing else of it.",
    "ref_audio_strength": "With `audio2audio_enable`: how much of the recording is left at the "
    "start, 0 (none) to 1.",
    "ref_audio_input": "Another name of `src_audio` with `audio2audio_enable`.",
    "src_audio_path": "Another name of `src_audio`.",
    "lora": "Ours: adapters of the diffusion model for this call, each as `FILE` or "
    "`FILE:STRENGTH`; a file, a PEFT folder, or a name in `loras`. Together, in their order. "
    "`None`: those that the handler holds (`load_lora`); an empty list: none.",
}
CONFIG: Final = {
    "batch_size": "Songs to make, 1 to 8.",
    "allow_lm_batch": "Write the codes of several songs side by side: faster, the same codes.",
    "use_random_seed": "Draw every seed anew. Off: `seeds`, else `seed`, the rest derived from the "
    "first.",
    "seeds": "A list or one number; -1 is drawn, and so are those that are missing. Used when "
    "`use_random_seed` is off.",
    "lm_batch_chunk_size": "How many songs are side by side with `allow_lm_batch`.",
    "constrained_decoding_debug": "Write each token with its field into the log.",
    "lyric_timestamps": "Ours: `lrc`, `karaoke` (a time per word) or `srt`: find when each word is "
    "sung, and write it beside each saved song.",
    "score": "Ours: score each song, 0 to 1: how the singing follows the lyrics and, with a "
    "language model, how the music fits its description.",
    "best_of": "Ours: takes of the song, 1 to 8, in place of `batch_size`; all are returned, "
    "ranked by `prefer`. 1: none are ranked.",
    "prefer": "Ours: by what takes are ranked, as in `tempo,key`, or `tempo:2,key` with a weight: "
    "`tempo`, `tempo_or_octave`, `key`, `meter`, `length`, `lyrics`, `quality`, `clipping`, "
    "`ending`.",
    "until": "Ours: make further takes, `batch_size` at once, until one fits by all that is named, "
    "as in `tempo,key`. Empty: none.",
    "tries": "Ours: takes that `until` makes at most, 1 to 32.",
    "audio_format": "`flac` (24 bit), `wav` (24 bit), `mp3`, `opus`, `aac` in .m4a (320 kbit/s) "
    "or `wav32` (float).",
}
RESULT: Final = {
    "audios": "One dictionary a song; see below.",
    "status_message": "What was done, and what was not used as given, a line each.",
    "extra_outputs": "See below.",
    "success": "Whether there are songs.",
    "error": "What to change, if not.",
}
SONG: Final = {
    "caption": "Style, mood, instruments; at most 512 characters, so that it can be given back.",
    "lyrics": "At most 4,096 characters, likewise.",
    "bpm": "Beats per minute.",
    "duration": "Seconds.",
    "keyscale": "As in `F# minor`.",
    "language": "By its code.",
    "timesignature": "`2`, `3`, `4` or `6`.",
    "instrumental": "Whether nobody sings.",
    "status_message": "What was found, cut or not understood, and the seed.",
    "success": "Whether there is an answer.",
    "error": "What to change, if not.",
}
ARGUMENTS: Final = {
    "dit_handler": "An initialised `AceStepHandler`.",
    "llm_handler": "An initialised `LLMHandler`; `generate_music` also takes `None`.",
    "params": "The song.",
    "config": "The run.",
    "save_dir": "Folder for the files; made if missing. `None`: nothing is saved.",
    "source_repaint_latents": "Ours as an argument: the latents of the run that made `src_audio`, "
    "[T, 64] or [1 or B, T, 64]; a repaint then does not encode it.",
    "progress": "Called with the share of the run that is done and `desc=`; may raise to stop.",
    "audio_codes": "The music; dots behind the last code are ignored.",
    "query": "The idea; empty leaves it to the model.",
    "instrumental": "Nobody sings.",
    "vocal_language": "Language of the lyrics; `None` or `unknown`: the model chooses.",
    "caption": "The draft's caption, at most 512 characters.",
    "lyrics": "The draft's lyrics, at most 4,096 characters.",
    "user_metadata": "Facts to keep: bpm, duration, keyscale, timesignature, language.",
    "temperature": "0 to 2.",
    "top_k": "`None` or 0: off.",
    "top_p": "`None` or 1: off.",
    "repetition_penalty": "1: off.",
    "use_constrained_decoding": "Keep the model to fields and values that exist.",
    "constrained_decoding_debug": "Write each token into the log.",
    "seed": "Ours: `None` is drawn, and said in `status_message`.",
    "project_root": "Folder below which names are looked for.",
    "config_path": "Name of a checkpoint (`acestep-v15-turbo`), or its path.",
    "device": "`auto`, `cuda`, `cuda:1`, `mps`, `xpu` or `cpu`.",
    "offload_to_cpu": "Rest in main memory, be on the device only while working.",
    "quantization": "`int8` (or `int8_weight_only`): the large weights take a byte each. For the "
    "language model it is ours.",
    "dtype": "`bf16`, `fp16`, `fp32` or `auto`: bf16 where the device is fast at it, fp16 on a GPU "
    "that has no bf16.",
    "use_flash_attention": "Not used: torch chooses its fastest attention; said in the message.",
    "compile_model": "torch compiles the layers of the diffusion model, when they are first used.",
    "offload_dit_to_cpu": "Not used alone, and said: `offload_to_cpu` offloads all models.",
    "prefer_source": "Not used, and said: nothing is downloaded.",
    "use_mlx_dit": "Not used; `False` is said.",
    "variant": "Ours: what the model was trained as, when nothing else tells.",
    "tokenizer": "Ours: path of Qwen's tokenizer, where none lies with the models or around them.",
    "vae": "Ours: name or path of another VAE than the one that lies with the models.",
    "checkpoint_dir": "Folder below which the language model is looked for.",
    "lm_model_path": "Name (`acestep-5Hz-lm-0.6B`) or path.",
    "backend": "`vllm`, `pt` and `mlx` are taken and mean the same: this library's own loop.",
}

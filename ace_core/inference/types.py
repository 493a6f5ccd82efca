"""The value types of the published API: parameters of a song, configuration of a run, results.

Parameters may be changed before a run; they are checked when it starts (`limits.py`), where the
model is known. The order of the fields is part of the interface. An error is a value, too: the
`success` of a result is False.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..prompts import TEXT_TO_MUSIC


@dataclass
class GenerationParams:
    """One song. `None`, -1, an empty text and "unknown" mean "not given"."""

    # task
    task_type: str = "text2music"
    instruction: str = TEXT_TO_MUSIC

    # paths of recordings
    reference_audio: str | None = None
    src_audio: str | None = None

    audio_codes: str = ""

    # text
    caption: str = ""
    lyrics: str = ""
    instrumental: bool = False

    # metadata
    vocal_language: str = "unknown"
    bpm: int | None = None
    keyscale: str = ""
    timesignature: str = ""
    duration: float = -1.0

    # diffusion
    inference_steps: int = 8
    seed: int = -1
    guidance_scale: float = 7.0
    use_adg: bool = False
    cfg_interval_start: float = 0.0
    cfg_interval_end: float = 1.0
    shift: float = 1.0
    infer_method: str = "ode"
    timesteps: list[float] | None = None

    # the source of a task
    repainting_start: float = 0.0
    repainting_end: float = -1
    audio_cover_strength: float = 1.0

    # language model
    thinking: bool = True
    lm_temperature: float = 0.85
    lm_cfg_scale: float = 2.0
    lm_top_k: int = 0
    lm_top_p: float = 0.9
    lm_negative_prompt: str = "NO USER INPUT"
    use_cot_metas: bool = True
    use_cot_caption: bool = True
    use_cot_lyrics: bool = False
    use_cot_language: bool = True
    use_constrained_decoding: bool = True

    # what the language model found; a run fills it in
    cot_bpm: int | None = None
    cot_keyscale: str = ""
    cot_timesignature: str = ""
    cot_duration: float | None = None
    cot_vocal_language: str = "unknown"
    cot_caption: str = ""
    cot_lyrics: str = ""

    # correction of each step in the wavelet domain; None: on for turbo, off for the others
    dcw_enabled: bool | None = None
    dcw_mode: str = "double"
    dcw_scaler: float = 0.05
    dcw_high_scaler: float = 0.02
    dcw_wavelet: str = "haar"

    # ours: True takes the plan of the `cot_` fields and asks no language model
    reuse_cot: bool = False

    # a morph: the words of a recording exchanged by flow edit
    flow_edit_morph: bool = False
    flow_edit_source_caption: str = ""
    flow_edit_source_lyrics: str = ""
    flow_edit_n_min: float = 0.0
    flow_edit_n_max: float = 1.0
    flow_edit_n_avg: int = 1

    # more of diffusion
    sampler_mode: str = "euler"
    velocity_norm_threshold: float = 0.0
    velocity_ema_factor: float = 0.0
    guidance_variant: str = ""
    retake_seed: int | None = None
    retake_variance: float = 0.0

    # more of the source of a task
    cover_noise_strength: float = 0.0
    chunk_mask_mode: str = "explicit"
    repaint_mode: str = "balanced"
    repaint_strength: float = 0.5
    repaint_latent_crossfade_frames: int = 10
    repaint_wav_crossfade_sec: float = 0.0

    # what is done to the latents and to the sound at the end
    latent_shift: float = 0.0
    latent_rescale: float = 1.0
    enable_normalization: bool = True
    normalization_db: float = -1.0
    fade_in_duration: float = 0.0
    fade_out_duration: float = 0.0

    # audio to audio: a new song that starts from `src_audio` with noise added
    audio2audio_enable: bool = False
    ref_audio_strength: float = 0.5
    # other tools' names of `src_audio`
    ref_audio_input: str | None = None
    src_audio_path: str | None = None
    # ours: adapters of the diffusion model, FILE or FILE:STRENGTH; None: those of the handler
    lora: list[str] | str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, ready for JSON."""
        return asdict(self)


@dataclass
class GenerationConfig:
    """How many songs a run makes, from which seeds, and how they are saved."""

    batch_size: int = 2
    allow_lm_batch: bool = False
    use_random_seed: bool = True
    seeds: list[int] | int | None = None
    lm_batch_chunk_size: int = 8
    constrained_decoding_debug: bool = False
    audio_format: str = "flac"

    # ours: what is found out about the finished songs
    lyric_timestamps: str = ""
    score: bool = False

    # ours: takes of one song, judged by what was asked and ranked: `best_of` takes by `prefer`, or
    # further takes `until` one fits, of at most `tries`
    best_of: int = 1
    prefer: str = ""
    until: str = ""
    tries: int = 4

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, ready for JSON."""
        return asdict(self)


@dataclass
class GenerationResult:
    """Songs, or the error.

    Each of `audios` has "path" (empty without a folder to save in), "tensor" [channels, samples]
    float32 on the CPU, "key", "sample_rate" and "params", and where the configuration asks for
    them "lyric_timestamps", "score" and "fit"; with "fit" the best is the first. `extra_outputs`
    holds "latents" [B, T, C], "masks" [B, T], "lm_metadata" and "time_costs" (seconds).
    """

    audios: list[dict[str, Any]] = field(default_factory=list)
    status_message: str = ""
    extra_outputs: dict[str, Any] = field(default_factory=dict)
    success: bool = True
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class SongDescription:
    """What the language model says about a song."""

    caption: str = ""
    lyrics: str = ""
    bpm: int | None = None
    duration: float | None = None
    keyscale: str = ""
    language: str = ""
    timesignature: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class UnderstandResult(SongDescription):
    """A description of audio codes. `None` or empty: not found."""

    status_message: str = ""
    success: bool = True
    error: str | None = None


@dataclass
class CreateSampleResult(SongDescription):
    """A song made up from an idea."""

    instrumental: bool = False
    status_message: str = ""
    success: bool = True
    error: str | None = None


@dataclass
class FormatSampleResult(SongDescription):
    """A draft in the wording and layout that the models were trained on."""

    status_message: str = ""
    success: bool = True
    error: str | None = None

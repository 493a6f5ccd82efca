"""The config.json of each folder of a miniature, with the keys that are published."""

from typing import Any

from ace_core.constants import NORM_EPS, ROPE_THETA, SLIDING_WINDOW
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.qwen3 import Qwen3Config
from ace_core.models.vae import OobleckConfig

Config = dict[str, Any]


def official_dit(config: DiTConfig, version: str) -> Config:
    """As beside an official DiT; XL alone names its encoder's sizes."""
    extra: Config = {}
    if config.timbre_cls:
        extra = {f"encoder_{key}": value for key, value in _sizes(config.encoder).items()}
    return {
        "architectures": ["AceStepConditionGenerationModel"],
        "model_type": "acestep",
        "model_version": version,
        "is_turbo": version == "turbo",
        **_sizes(config.decoder),
        **extra,
        **_common(config.decoder, config.layers),
        "num_hidden_layers": config.layers,
        "in_channels": config.context_channels + config.latent_channels,
        "audio_acoustic_hidden_dim": config.latent_channels,
        "patch_size": config.patch,
        "text_hidden_dim": config.text_hidden_size,
        "timbre_hidden_dim": config.latent_channels,
        "timbre_fix_frame": 750,
        "num_lyric_encoder_hidden_layers": config.lyric_layers,
        "num_timbre_encoder_hidden_layers": config.timbre_layers,
        "num_attention_pooler_hidden_layers": config.pooler_layers,
        "fsq_dim": config.encoder.hidden_size,
        **_codes(config),
        "dtype": "bfloat16",
    }


def diffusers_dit(config: DiTConfig, version: str) -> dict[str, Config]:
    """Of the four folders that together are the DiT."""
    encoder = {**_sizes(config.encoder), **_common(config.encoder, config.lyric_layers)}
    acoustic = {"audio_acoustic_hidden_dim": config.latent_channels}
    return {
        "transformer": {
            "_class_name": "AceStepTransformer1DModel",
            **_sizes(config.decoder),
            **_common(config.decoder, config.layers),
            **acoustic,
            "num_hidden_layers": config.layers,
            "in_channels": config.context_channels + config.latent_channels,
            "patch_size": config.patch,
            "encoder_hidden_size": config.encoder.hidden_size,
            "is_turbo": version == "turbo",
            "model_version": version,
        },
        "condition_encoder": {
            "_class_name": "AceStepConditionEncoder",
            **encoder,
            "text_hidden_dim": config.text_hidden_size,
            "timbre_hidden_dim": config.latent_channels,
            "num_lyric_encoder_hidden_layers": config.lyric_layers,
            "num_timbre_encoder_hidden_layers": config.timbre_layers,
        },
        "audio_tokenizer": {
            "_class_name": "AceStepAudioTokenizer",
            **encoder,
            **acoustic,
            **_codes(config),
            "fsq_dim": config.encoder.hidden_size,
            "num_attention_pooler_hidden_layers": config.pooler_layers,
        },
        "audio_token_detokenizer": {
            "_class_name": "AceStepAudioTokenDetokenizer",
            **encoder,
            **acoustic,
            "pool_window_size": config.frames_per_code,
            "num_attention_pooler_hidden_layers": config.detokenizer_layers,
        },
    }


def model_index() -> Config:
    return {
        "_class_name": "AceStepPipeline",
        "audio_token_detokenizer": ["ace_step", "AceStepAudioTokenDetokenizer"],
        "audio_tokenizer": ["ace_step", "AceStepAudioTokenizer"],
        "condition_encoder": ["ace_step", "AceStepConditionEncoder"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "Qwen3Model"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", "AceStepTransformer1DModel"],
        "vae": ["diffusers", "AutoencoderOobleck"],
    }


def scheduler() -> Config:
    return {
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "num_train_timesteps": 1,
        "shift": 1.0,
    }


def qwen3(config: Qwen3Config) -> Config:
    return {
        "architectures": ["Qwen3Model"],
        "model_type": "qwen3",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "rms_norm_eps": config.norm_eps,
        "rope_theta": config.rope_theta,
        "max_position_embeddings": 32_768,
        "attention_bias": False,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "dtype": "bfloat16",
    }


def vae(config: OobleckConfig) -> Config:
    return {
        "_class_name": "AutoencoderOobleck",
        "audio_channels": config.audio_channels,
        "channel_multiples": list(config.channel_multiples),
        "decoder_channels": config.decoder_channels,
        "decoder_input_channels": config.latent_channels,
        "downsampling_ratios": list(config.strides),
        "encoder_hidden_size": config.encoder_channels,
        "sampling_rate": 48_000,
    }


def tokenizer() -> Config:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<|endoftext|>",
        "eos_token": "<|im_end|>",
        "model_max_length": 131_072,
    }


def _sizes(stack: StackConfig) -> Config:
    return {
        "hidden_size": stack.hidden_size,
        "intermediate_size": stack.intermediate_size,
        "num_attention_heads": stack.heads,
        "num_key_value_heads": stack.kv_heads,
    }


def _common(stack: StackConfig, layers: int) -> Config:
    return {
        "head_dim": stack.head_dim,
        "rope_theta": ROPE_THETA,
        "rms_norm_eps": NORM_EPS,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "sliding_window": SLIDING_WINDOW,
        "layer_types": [
            "sliding_attention" if place % 2 == 0 else "full_attention" for place in range(layers)
        ],
    }


def _codes(config: DiTConfig) -> Config:
    return {
        "pool_window_size": config.frames_per_code,
        "fsq_input_levels": list(config.fsq_levels),
        "fsq_input_num_quantizers": 1,
    }

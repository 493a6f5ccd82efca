"""The diffusers modules of ACE-Step 1.5, holding the very weights of one of our models.

Whatever needs diffusers takes it from here; where it cannot be imported, its tests are skipped.
"""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig, StackConfig

if torch.__version__ < (2, 5):  # an operator that it registers is written for newer ones
    pytest.skip(f"no oracle: diffusers needs torch 2.5, not {torch.__version__}",
                allow_module_level=True)  # fmt: skip

from diffusers import AceStepPipeline, AutoencoderOobleck
from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel
from diffusers.pipelines.ace_step.modeling_ace_step import (
    AceStepAudioTokenDetokenizer,
    AceStepAudioTokenizer,
    AceStepConditionEncoder,
)

__all__ = (
    "AceStepAudioTokenDetokenizer",
    "AceStepAudioTokenizer",
    "AceStepConditionEncoder",
    "AceStepPipeline",
    "AceStepTransformer1DModel",
    "AutoencoderOobleck",
    "Diffusers",
    "diffusers_of",
)

RENAMED = {
    ".q_proj.": ".to_q.",
    ".k_proj.": ".to_k.",
    ".v_proj.": ".to_v.",
    ".o_proj.": ".to_out.0.",
    ".q_norm.": ".norm_q.",
    ".k_norm.": ".norm_k.",
    "proj_in.1.": "proj_in_conv.",
    "proj_out.1.": "proj_out_conv.",
}


@dataclass(frozen=True)
class Diffusers:
    transformer: AceStepTransformer1DModel
    encoder: AceStepConditionEncoder
    tokenizer: AceStepAudioTokenizer
    detokenizer: AceStepAudioTokenDetokenizer


def diffusers_of(model: AceStepModel) -> Diffusers:
    """Diffusers' four modules with `model`'s sizes and weights, in the dtype of these."""
    config = model.config
    parts = Diffusers(
        _transformer(config),
        _encoder(config),
        AceStepAudioTokenizer(
            **_stack(config.encoder),
            fsq_dim=config.encoder.hidden_size,
            num_attention_pooler_hidden_layers=config.pooler_layers,
        ),
        AceStepAudioTokenDetokenizer(
            **_stack(config.encoder),
            num_attention_pooler_hidden_layers=config.detokenizer_layers,
        ),
    )
    state = model.state_dict()
    null = {"null_condition_emb": state["null_condition_emb"]}
    _load(parts.transformer, _under(state, "decoder."))
    _load(parts.encoder, _under(state, "encoder.") | null)
    _load(parts.tokenizer, _under(state, "tokenizer."))
    _load(parts.detokenizer, _under(state, "detokenizer."))
    return parts


def _transformer(config: DiTConfig) -> AceStepTransformer1DModel:
    return AceStepTransformer1DModel(
        **_stack(config.decoder),
        num_hidden_layers=config.layers,
        encoder_hidden_size=config.encoder.hidden_size,
    )


def _encoder(config: DiTConfig) -> AceStepConditionEncoder:
    return AceStepConditionEncoder(
        **_stack(config.encoder),
        text_hidden_dim=config.text_hidden_size,
        num_lyric_encoder_hidden_layers=config.lyric_layers,
        num_timbre_encoder_hidden_layers=config.timbre_layers,
    )


def _stack(size: StackConfig) -> dict[str, Any]:
    return {
        "hidden_size": size.hidden_size,
        "intermediate_size": size.intermediate_size,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.kv_heads,
        "head_dim": size.head_dim,
        "sliding_window": size.window,
    }


def _under(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        _renamed(key[len(prefix) :]): value
        for key, value in state.items()
        if key.startswith(prefix)
    }


def _renamed(key: str) -> str:
    for ours, theirs in RENAMED.items():
        key = key.replace(ours, theirs)
    return key


def _load(module: nn.Module, state: dict[str, torch.Tensor]) -> None:
    report = module.load_state_dict(state, strict=False)
    left = [key for key in report.missing_keys if key != "silence_latent"]  # theirs alone
    if left or report.unexpected_keys:
        raise ValueError(f"missing {left}, unexpected {report.unexpected_keys}")
    module.to(next(iter(state.values())).dtype).eval()

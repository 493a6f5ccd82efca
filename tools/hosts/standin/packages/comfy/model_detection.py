"""Stand-in for `comfy.model_detection`: knows ACE-Step 1.5 and nothing else."""

from typing import Any

from . import supported_models

_MARK = "encoder.lyric_encoder.layers.0.input_layernorm.weight"


def model_config_from_unet(
    state_dict: dict[str, Any], unet_key_prefix: str, *_: Any, **__: Any
) -> Any:
    if f"{unet_key_prefix}{_MARK}" not in state_dict:
        return None
    return supported_models.ACEStep15({"audio_model": "ace1.5"})

"""Stand-in for `comfy.supported_models`: the configuration object of an ACE-Step 1.5 model."""

from typing import Any, ClassVar

import torch

from . import latent_formats


class ACEStep15:
    unet_extra_config: ClassVar[dict[str, Any]] = {}
    memory_usage_factor = 4.7
    supported_inference_dtypes: ClassVar[list[torch.dtype]] = [torch.bfloat16, torch.float32]
    manual_cast_dtype: torch.dtype | None = None
    custom_operations: Any = None
    quant_config: Any = None
    scaled_fp8: Any = None

    def __init__(self, unet_config: dict[str, Any]) -> None:
        self.unet_config = dict(unet_config)
        self.sampling_settings = {"multiplier": 1.0, "shift": 3.0}
        self.latent_format = latent_formats.ACEAudio15()
        self.optimizations = {"fp8": False}

    def set_inference_dtype(
        self, dtype: torch.dtype, manual_cast_dtype: torch.dtype | None
    ) -> None:
        self.unet_config["dtype"] = dtype
        self.manual_cast_dtype = manual_cast_dtype

    def process_unet_state_dict(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        return state_dict

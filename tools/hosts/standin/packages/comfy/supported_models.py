"""Stand-in for `comfy.supported_models`: the configuration object of an ACE-Step 1.5 model."""

from typing import Any

import torch

from . import latent_formats


class ACEStep15:
    memory_usage_factor = 4.7
    manual_cast_dtype: torch.dtype | None = None
    custom_operations: Any = None

    def __init__(self, unet_config: dict[str, Any]) -> None:
        self.unet_config = dict(unet_config)
        self.sampling_settings = {"multiplier": 1.0, "shift": 3.0}
        self.latent_format = latent_formats.ACEAudio15()

    def set_inference_dtype(
        self, dtype: torch.dtype, manual_cast_dtype: torch.dtype | None
    ) -> None:
        self.unet_config["dtype"] = dtype
        self.manual_cast_dtype = manual_cast_dtype

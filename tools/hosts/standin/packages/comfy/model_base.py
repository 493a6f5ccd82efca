"""Stand-in for `comfy.model_base`: a diffusion model behind the host's sampling interface."""

import math
from enum import Enum
from typing import Any

import torch

from . import model_management, model_sampling, ops


class ModelType(Enum):
    EPS = 1
    FLOW = 6
    FLUX = 8


class _FlowSampling(model_sampling.ModelSamplingDiscreteFlow, model_sampling.CONST):
    pass


class BaseModel(torch.nn.Module):
    def __init__(
        self,
        model_config: Any,
        model_type: ModelType = ModelType.EPS,
        device: Any = None,
        unet_model: Any = None,
    ) -> None:
        super().__init__()
        if model_type is not ModelType.FLOW:
            raise NotImplementedError("the stand-in samples flow models only")
        config = model_config.unet_config
        self.latent_format = model_config.latent_format
        self.model_config = model_config
        self.manual_cast_dtype = model_config.manual_cast_dtype
        self.device = device
        self.current_patcher: Any = None
        if not config.get("disable_unet_model_creation", False):
            operations = model_config.custom_operations or ops.pick_operations(
                config.get("dtype"), self.manual_cast_dtype
            )
            self.diffusion_model = unet_model(**config, device=device, operations=operations)
            self.diffusion_model.eval()
            model_management.archive_model_dtypes(self.diffusion_model)
        self.model_type = model_type
        self.model_sampling = _FlowSampling(model_config)
        self.memory_usage_factor = model_config.memory_usage_factor

    def apply_model(self, x: torch.Tensor, t: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        return self._apply_model(x, t, *args, **kwargs)

    def _apply_model(
        self,
        x: torch.Tensor,
        t: torch.Tensor,
        c_concat: Any = None,
        c_crossattn: Any = None,
        control: Any = None,
        transformer_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        dtype = self.get_dtype_inference()
        model_output = self.diffusion_model(
            self.model_sampling.calculate_input(t, x).to(dtype),
            self.model_sampling.timestep(t).float(),
            context=_cast(c_crossattn, dtype),
            control=control,
            transformer_options=dict(transformer_options or {}),
            **{name: _cast(extra, dtype) for name, extra in kwargs.items()},
        )
        return self.model_sampling.calculate_denoised(t, model_output.float(), x)

    def get_dtype(self) -> torch.dtype:
        return self.diffusion_model.dtype

    def get_dtype_inference(self) -> torch.dtype:
        return self.manual_cast_dtype or self.get_dtype()

    def extra_conds(self, **kwargs: Any) -> dict[str, Any]:
        return {}

    def extra_conds_shapes(self, **kwargs: Any) -> dict[str, Any]:
        return {}

    def process_latent_in(self, latent: torch.Tensor) -> torch.Tensor:
        return self.latent_format.process_in(latent)

    def process_latent_out(self, latent: torch.Tensor) -> torch.Tensor:
        return self.latent_format.process_out(latent)

    def memory_required(self, input_shape: Any, cond_shapes: Any = None) -> float:
        area = input_shape[0] * math.prod(input_shape[2:])
        bytes_each = model_management.dtype_size(self.get_dtype_inference())
        return area * bytes_each * 0.01 * self.memory_usage_factor * 1024 * 1024


class ACEStep15(BaseModel):
    """Only a base class here: the stand-in has no ACE-Step network of its own."""


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Tensors, also in a list, to the inference dtype, but for integers."""
    if isinstance(value, list):
        return [_cast(each, dtype) for each in value]
    if not torch.is_tensor(value) or value.dtype in (torch.int, torch.long):
        return value
    return value.to(dtype)

"""Latents to audio codes, through the code tokenizer inside a diffusion model."""

from typing import Any

import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.conditioning.context import fit_length
from ...ace_core.constants import FRAMES_PER_CODE
from ...ace_core.types import AudioCodes
from .adopted_model import ace_model_of
from .lora import refuse_foreign_patches

_PLACES = 3  # the pooler reads 1.2 tokens a frame, the decoder that the estimate is for 0.5


@torch.inference_mode()
def encode_codes(model: Any, samples: Tensor, silence: Tensor) -> tuple[AudioCodes, ...]:
    """Codes of each item of `samples` [B, C, T]; `silence` [1, S, C] serves models that carry none.

    A last code that is not full is filled up with silence.

    Raises:
        CheckpointError: the MODEL is not of ACE-Step 1.5, or a LoRA does not fit it.
    """
    ace = ace_model_of(model)
    refuse_foreign_patches(model)
    needed = ace.memory_required([_PLACES, *samples.shape[1:]])
    comfy.model_management.load_models_gpu([model], memory_required=needed)
    dtype = ace.get_dtype_inference()
    latents = samples.transpose(1, 2).to(model.load_device, dtype)  # [B, T, C]
    own = silence if ace.silence is None else ace.silence
    whole = -(-latents.shape[1] // FRAMES_PER_CODE) * FRAMES_PER_CODE
    return tuple(
        _codes(ace.diffusion_model.tokenizer(fit_length(item[None], whole, own)))
        for item in latents
    )


def _codes(codes: Tensor) -> AudioCodes:
    """[1, S] as a value."""
    return AudioCodes(tuple(codes[0].tolist()))

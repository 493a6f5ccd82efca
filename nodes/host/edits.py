"""What a task node with a source hands out: conditioning, and a LATENT that holds the source."""

from dataclasses import replace
from typing import Any

import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.conditioning.context import unquantized_source
from ...ace_core.sources import SourceAudio
from ...ace_core.task import Task
from .conditioning import KEY, conditioning, unconditional
from .vae import encode, silence_of


def encode_source(vae: Any, audio: Tensor) -> Tensor:
    """48 kHz stereo [B, 2, N] to latents of the core, [B, T, C]."""
    return encode(vae, audio)["samples"].transpose(1, 2)


def task_outputs(task: Task, source: SourceAudio, vae: Any) -> tuple[list, list, dict[str, Any]]:
    """Positive, negative and latent of `task`, with the source encoded into it."""
    task = replace(task, source=encode_source(vae, source.audio))
    silence = silence_of(vae)
    positive = conditioning(task, silence)
    return positive, unconditional(positive), source_latent(task, silence, source.songs)


def source_latent(task: Task, silence: Tensor, batch: int) -> dict[str, Any]:
    """A LATENT [B, C, T] that holds the source, so that any sampler may start from it, and that
    remembers what is spliced in after decoding."""
    start = unquantized_source(task, silence).transpose(1, 2)  # [1 or B, C, T]
    rest = comfy.model_management.intermediate_device()
    return {
        "samples": start.to(rest, torch.float32).expand(batch, -1, -1).clone(),
        "type": "audio",
        KEY: {"splice": task.splice},
    }

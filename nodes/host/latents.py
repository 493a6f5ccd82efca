"""LATENT: empty, or of a source with its task's conditioning; and the items of a batch.

Our sampler writes the seeds of the items beside `samples`, a task node what is spliced in and left
out after decoding, all under `KEY`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.conditioning.context import unquantized_source
from ...ace_core.constants import LATENT_CHANNELS
from ...ace_core.latents import latent_samples
from ...ace_core.sources import SourceAudio
from ...ace_core.task import Task
from .conditioning import KEY, conditioning, unconditional
from .vae import encode, silence_of


def empty_latent(frames: int, batch: int, padding: int = 0) -> dict[str, Any]:
    """An empty LATENT [B, C, T], of whose frames the last `padding` are beyond the music."""
    device = comfy.model_management.intermediate_device()
    return {
        "samples": torch.zeros(batch, LATENT_CHANNELS, frames, device=device),
        "type": "audio",
        KEY: {"canvas": (frames, padding)},
    }


def encode_source(vae: Any, audio: Tensor) -> Tensor:
    """48 kHz stereo [B, 2, N] to latents of the core, [B, T, C]."""
    return encode(vae, audio)["samples"].transpose(1, 2)


def task_outputs(task: Task, source: SourceAudio, vae: Any) -> tuple[list, list, dict[str, Any]]:
    """Positive, negative and latent of `task`, with the source in it, encoded where its latents
    are not given."""
    if source.latents is None:
        latents = encode_source(vae, source.audio)
    else:
        device = comfy.model_management.intermediate_device()
        latents = source.latents.to(device, torch.float32)
    task = replace(task, source=latents)
    silence = silence_of(vae)
    positive = conditioning(task, silence)
    return positive, unconditional(positive), source_latent(task, silence, source.songs)


def source_latent(task: Task, silence: Tensor, batch: int) -> dict[str, Any]:
    """A LATENT [B, C, T] that holds the source, so that any sampler may start from it, and that
    carries what is spliced in and left out after decoding."""
    start = unquantized_source(task, silence).transpose(1, 2)  # [1 or B, C, T]
    device = comfy.model_management.intermediate_device()
    return {
        "samples": start.to(device, torch.float32).expand(batch, -1, -1).clone(),
        "type": "audio",
        KEY: {"splice": task.splice, "canvas": (task.frames, task.padding)},
    }


def seeds_of(latent: dict[str, Any]) -> tuple[int, ...]:
    """One per item, as our sampler recorded them; none for a latent of another sampler."""
    return tuple(latent.get(KEY, {}).get("seeds", ()))


def select_items(latent: dict[str, Any], items: Sequence[int]) -> dict[str, Any]:
    """The batch of these items, in this order."""
    count = len(latent_samples(latent))
    made = {**latent, "samples": latent["samples"][list(items)]}
    mask = latent.get("noise_mask")
    if mask is not None and len(mask) == count:
        made["noise_mask"] = mask[list(items)]
    if "batch_index" in latent:
        made["batch_index"] = [latent["batch_index"][item] for item in items]
    seeds = seeds_of(latent)
    if seeds:
        made[KEY] = {**latent[KEY], "seeds": tuple(seeds[item] for item in items)}
    return made

"""What the diffusion model sees beside the noise: source latents, chunk mask, encoded conditions.

Runs once per generation. Knows the model's parts, no sampler and no files.
Source: prepare_condition in acestep/models/*/modeling_acestep_v15_*.py.
"""

from dataclasses import replace

import torch
from torch import Tensor

from ..constants import FRAMES_PER_CODE, LATENT_CHANNELS, TIMBRE_FRAMES
from ..models.acestep import AceStepModel
from ..task import SourceUse, Task
from ..types import AudioCodes


def first_frames(silence: Tensor, frames: int) -> Tensor:
    """The first `frames` of a silence latent [1, S, C], repeated when it is short."""
    repeats = -(-frames // silence.shape[1])
    return silence.repeat(1, repeats, 1)[:, :frames] if repeats > 1 else silence[:, :frames]


def fitted(latents: Tensor, frames: int, silence: Tensor) -> Tensor:
    """`latents` [B, T, C] cut to `frames`, or filled up with the beginning of the silence."""
    missing = frames - latents.shape[1]
    if missing <= 0:
        return latents[:, :frames]
    rest = first_frames(silence, missing).to(latents)
    return torch.cat([latents, rest.expand(len(latents), -1, -1)], dim=1)


def code_hints(model: AceStepModel, codes: AudioCodes, like: Tensor) -> Tensor:
    """Audio codes decoded to 25 Hz latents, [1, 5 * S, C], in `like`'s dtype and device."""
    values = torch.tensor([codes.values], device=like.device)
    return model.hints(values, like.dtype).to(like)


def round_trip(model: AceStepModel, latents: Tensor, silence: Tensor) -> Tensor:
    """`latents` [B, T, C] as the codes remember them: melody and rhythm without the sound."""
    frames = latents.shape[1]
    whole = -(-frames // FRAMES_PER_CODE) * FRAMES_PER_CODE
    codes = model.tokenizer(fitted(latents, whole, silence))
    return model.hints(codes, latents.dtype)[:, :frames]


def source(model: AceStepModel, item: Task, silence: Tensor) -> Tensor:
    """Source latents [1 or B, T, C]: one for all items, or one each; `silence` [1, S, C] says
    dtype and device."""
    if item.source_use is SourceUse.INIT_ONLY:
        return first_frames(silence, item.frames)
    if item.codes is not None:
        return fitted(code_hints(model, item.codes, silence), item.frames, silence)
    if item.source is not None and item.source_use is SourceUse.QUANTIZED:
        return round_trip(model, plain_source(item, silence), silence)
    return plain_source(item, silence)


def plain_source(item: Task, silence: Tensor) -> Tensor:
    """The source [1 or B, T, C] as it was given, silent where it is masked."""
    if item.source is None:
        return first_frames(silence, item.frames)
    latents = fitted(item.source.to(silence), item.frames, silence)
    if item.source_use is SourceUse.MASKED and item.mask is not None:
        played = item.mask.to(latents) > 0  # [1, T, 1]
        return torch.where(played, first_frames(silence, item.frames), latents)
    return latents


def start(model: AceStepModel, item: Task, silence: Tensor) -> Tensor:
    """Latents [1 or B, T, C] that a run may start from: the source itself, not what codes remember.

    Source: cover_noise_strength mixes in the argument `src_latents`, before the round trip.
    """
    if item.source_use is SourceUse.MASKED:
        return source(model, item, silence)
    return source(model, replace(item, source_use=SourceUse.WHOLE), silence)


def context(model: AceStepModel, item: Task, silence: Tensor) -> Tensor:
    """Source latents and chunk mask side by side, [1 or B, T, 2C]."""
    latents = source(model, item, silence)
    mask = item.mask.to(latents) if item.mask is not None else latents.new_ones(1, item.frames, 1)
    return torch.cat([latents, mask.expand(len(latents), -1, LATENT_CHANNELS)], dim=-1)


def encoded(model: AceStepModel, item: Task, silence: Tensor) -> Tensor:
    """Lyrics, timbre and text through the condition encoder, [1, L, E]."""
    timbre = item.timbre
    if timbre is None:
        timbre = first_frames(silence, TIMBRE_FRAMES)  # [1, 750, C]
    return model.encoder(item.text.to(silence), item.lyrics.to(silence), timbre.to(silence))

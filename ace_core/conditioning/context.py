"""The diffusion model's inputs beside the noise: source latents, chunk mask, encoded conditions.

Runs once per generation. Knows the model's modules, no sampler and no files.
Source: prepare_condition in acestep/models/*/modeling_acestep_v15_*.py; process_reference_audio in
acestep/core/generation/handler/io_audio.py, which chooses its segments without a seed.
"""

import math
import random
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from ..constants import (
    CODE_RATE,
    FRAMES_PER_CODE,
    LATENT_CHANNELS,
    LATENT_HOP,
    TIMBRE_FRAMES,
)
from ..errors import InvalidAudioError, InvalidCodesError
from ..models.acestep import AceStepModel
from ..precision import check_finite
from ..task import SourceUse, Task
from ..timing import seconds_of
from ..types import AudioCodes

AUTO_MASK: Final = 2.0  # in place of the chunk mask: the model decides where to play
REFERENCE_SAMPLES: Final = TIMBRE_FRAMES * LATENT_HOP  # 30 s
SEGMENTS: Final = 3
SEGMENT_SAMPLES: Final = REFERENCE_SAMPLES // SEGMENTS  # 10 s


def silence_frames(silence: Tensor, frames: int) -> Tensor:
    """The first `frames` of a silence latent [1, S, C], repeated when it is shorter."""
    repeats = -(-frames // silence.shape[1])
    return silence.repeat(1, repeats, 1)[:, :frames] if repeats > 1 else silence[:, :frames]


def fit_length(latents: Tensor, frames: int, silence: Tensor) -> Tensor:
    """`latents` [B, T, C] cut to `frames`, or padded with the beginning of the silence."""
    missing = frames - latents.shape[1]
    if missing <= 0:
        return latents[:, :frames]
    padding = silence_frames(silence, missing).to(latents)
    return torch.cat([latents, padding.expand(len(latents), -1, -1)], dim=1)


def code_hints(model: AceStepModel, codes: AudioCodes, like: Tensor) -> Tensor:
    """Audio codes decoded to 25 Hz latents, [1, 5 * S, C], in `like`'s dtype and device.

    Raises:
        InvalidCodesError: a code is not in the model's codebook.
    """
    size = math.prod(model.tokenizer.quantizer.levels)
    largest = max(codes.values, default=0)
    if largest >= size:
        raise InvalidCodesError(
            f"Code {largest} is of another model: this one decodes codes 0 to {size - 1}. Make the "
            "codes with the language model or the diffusion model that belongs to it."
        )
    values = torch.tensor([codes.values], device=like.device)
    return model.hints(values, like.dtype).to(like)


def quantize_source(model: AceStepModel, latents: Tensor, silence: Tensor) -> Tensor:
    """`latents` [B, T, C] through audio codes and back: melody and rhythm without the sound."""
    frames = latents.shape[1]
    padded = -(-frames // FRAMES_PER_CODE) * FRAMES_PER_CODE
    codes = model.tokenizer(fit_length(latents, padded, silence))
    return model.hints(codes, latents.dtype)[:, :frames]


def codes_of_latents(model: AceStepModel, latents: Tensor, silence: Tensor) -> AudioCodes:
    """The audio codes of music [1, T, C]; a last code that is not full is filled up with silence.

    Raises:
        InvalidAudioError: it is shorter than one code.
    """
    check_code_frames(latents.shape[1])
    whole = -(-latents.shape[1] // FRAMES_PER_CODE) * FRAMES_PER_CODE
    codes = model.tokenizer(fit_length(latents, whole, silence))  # [1, S]
    return AudioCodes(tuple(codes[0].tolist()))


def check_code_frames(frames: int) -> None:
    """
    Raises:
        InvalidAudioError: `frames` latent frames are shorter than one code.
    """
    if frames < FRAMES_PER_CODE:
        raise InvalidAudioError(
            f"The audio is {seconds_of(frames):g} seconds long, but one code takes "
            f"{1 / CODE_RATE:g}. Give a longer clip."
        )


def source_latents(model: AceStepModel, task: Task, silence: Tensor) -> Tensor:
    """Source latents [1 or B, T, C]: one for all items, or one for each; in the dtype and on the
    device of `silence` [1, S, C]."""
    if task.source_use is SourceUse.INIT_ONLY:
        return silence_frames(silence, task.frames)
    if task.codes is not None:
        return fit_length(code_hints(model, task.codes, silence), task.frames, silence)
    if task.source is not None and task.source_use is SourceUse.QUANTIZED:
        return quantize_source(model, unquantized_source(task, silence), silence)
    return unquantized_source(task, silence)


def unquantized_source(task: Task, silence: Tensor) -> Tensor:
    """The source [1 or B, T, C] as it was given, or silence where it is masked."""
    if task.source is None:
        return silence_frames(silence, task.frames)
    latents = fit_length(task.source.to(silence), task.frames, silence)
    if task.source_use is SourceUse.MASKED and task.mask is not None:
        repainted = task.mask.to(latents) > 0  # [1, T, 1]
        return torch.where(repainted, silence_frames(silence, task.frames), latents)
    return latents


def start_latents(model: AceStepModel, task: Task, silence: Tensor) -> Tensor:
    """Latents [1 or B, T, C] that a run may start from: the source itself, not quantised.

    Source: cover_noise_strength mixes in the argument `src_latents`, before the round trip.
    """
    if task.source_use is SourceUse.MASKED:
        return source_latents(model, task, silence)
    return source_latents(model, replace(task, source_use=SourceUse.WHOLE), silence)


def context(model: AceStepModel, task: Task, silence: Tensor) -> Tensor:
    """Source latents and chunk mask side by side, [1 or B, T, 2C]."""
    latents = source_latents(model, task, silence)
    mask = task.mask.to(latents) if task.mask is not None else latents.new_ones(1, task.frames, 1)
    if task.auto_mask:
        mask = torch.full_like(mask, AUTO_MASK)
    return torch.cat([latents, mask.expand(len(latents), -1, LATENT_CHANNELS)], dim=-1)


def encode_conditions(model: AceStepModel, task: Task, silence: Tensor) -> Tensor:
    """Lyrics, timbre and text through the condition encoder, [1, L, E].

    Raises:
        NonFiniteError: it computes NaN or infinity.
    """
    timbre = task.timbre
    if timbre is None:
        timbre = silence_frames(silence, TIMBRE_FRAMES)  # [1, 750, C]
    encoded = model.encoder(task.text.to(silence), task.lyrics.to(silence), timbre.to(silence))
    return check_finite(encoded, "condition encoder")


def reference_segments(audio: Tensor, seed: int) -> Tensor:
    """`audio` [1, 2, N] at 48 kHz to the 30 s that stand for its sound, [1, 2, 1440000]: ten
    seconds from each third, chosen by the seed.

    A shorter recording is repeated until it is long enough.
    """
    repeats = -(-REFERENCE_SAMPLES // audio.shape[-1])
    repeated = audio.repeat(1, 1, repeats) if repeats > 1 else audio
    starts = segment_starts(repeated.shape[-1], seed)
    return torch.cat([repeated[..., start : start + SEGMENT_SAMPLES] for start in starts], dim=-1)


def segment_starts(samples: int, seed: int) -> list[int]:
    """The first sample of each segment, in a recording of at least 30 s."""
    rng = random.Random(seed)  # noqa: S311  a reproducible choice, no secret
    third = samples // SEGMENTS
    ends = [third * (index + 1) for index in range(SEGMENTS - 1)] + [samples]
    starts = [third * index for index in range(SEGMENTS)]
    return [
        start + rng.randint(0, end - start - SEGMENT_SAMPLES)
        for start, end in zip(starts, ends, strict=True)
    ]

"""This project's side of a parity case: the toy model in our modules, and our task functions.

In float64, so that every processor gives the same numbers, unless another dtype is given.
"""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ace_core import prompts
from ace_core.conditioning import tasks
from ace_core.conditioning.text import TextEncoder
from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.pipeline import Models
from ace_core.sampling.repaint import region
from ace_core.task import Length, Task, source_length
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Variant
from tools.miniature.tokenizer import write_tokenizer

from . import recipe
from .cases import Case


def stack(size: dict[str, int]) -> StackConfig:
    return StackConfig(
        hidden_size=size["width"],
        intermediate_size=size["mlp"],
        heads=size["heads"],
        kv_heads=size["kv_heads"],
        head_dim=size["head"],
        window=recipe.WINDOW,
    )


def config(xl: bool) -> DiTConfig:
    return DiTConfig(
        decoder=stack(recipe.XL_DECODER if xl else recipe.ENCODER),
        encoder=stack(recipe.ENCODER),
        layers=recipe.LAYERS["decoder"],
        lyric_layers=recipe.LAYERS["lyric"],
        timbre_layers=recipe.LAYERS["timbre"],
        pooler_layers=recipe.LAYERS["pooler"],
        detokenizer_layers=recipe.LAYERS["pooler"],
        text_hidden_size=recipe.ENCODER["width"],
        latent_channels=recipe.CHANNELS,
        context_channels=2 * recipe.CHANNELS,
        patch=2,
        time_features=256,
        frames_per_code=5,
        fsq_levels=(8, 8, 8, 5, 5, 5),
        timbre_cls=xl,
    )


def text_config() -> Qwen3Config:
    size = recipe.ENCODER
    return Qwen3Config(
        vocab_size=recipe.WORDS,
        hidden_size=size["width"],
        intermediate_size=size["mlp"],
        layers=2,
        heads=size["heads"],
        kv_heads=size["kv_heads"],
        head_dim=size["head"],
    )


def weights(module: nn.Module, model: str) -> dict[str, Tensor]:
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    return recipe.weights(shapes, model)


def _filled(module: nn.Module, model: str, dtype: torch.dtype) -> None:
    module.load_state_dict(weights(module, model))
    module.to(dtype).requires_grad_(False).eval()


@cache
def text_encoder(dtype: torch.dtype = torch.float64) -> TextEncoder:
    model = Qwen3(text_config())
    _filled(model, "text", dtype)
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(Path(folder))
        return TextEncoder(load_tokenizer(folder), model, keep_metadata=False)


@cache
def models(family: str, dtype: torch.dtype = torch.float64) -> Models:
    """`family` is 2b or xl. Latents are compared, so the VAE is an empty one."""
    dit = AceStepModel(config(family == "xl"))
    _filled(dit, family, dtype)
    vae = Oobleck(OobleckConfig(encoder_channels=1, decoder_channels=1, channel_multiples=(1,) * 5))
    return Models(dit, text_encoder(dtype), vae, recipe.silence().to(dtype), Variant.TURBO)


def source(case: Case) -> tuple[Tensor, Length, Tensor | None]:
    """The case's source [1, T, C], extended where the region reaches beyond it, its length, and the
    region's mask."""
    waveform, seconds = recipe.audio(case.name, case.samples), case.samples / recipe.RATE
    where = None
    if case.start is not None:
        where = region(case.start, case.end, case.samples)
        waveform = nn.functional.pad(waveform, (where.pad_left, where.pad_right))
    latents = recipe.encode(waveform)
    length = source_length(latents.shape[1], seconds)
    return latents, length, None if where is None else where.mask(length.frames)


def task(case: Case, dtype: torch.dtype = torch.float64, **changes: Any) -> Task:
    """The case through its task function, with its references; `changes` are other fields."""
    strength = changes.pop("cover_strength", case.cover_strength)
    made = with_strength(_task(case, text_encoder(dtype)), case, strength, dtype)
    if case.references:
        clips = [
            recipe.encode(recipe.audio(f"{case.name}/{clip}", 30 * recipe.RATE))
            for clip in range(case.references)
        ]
        made = replace(made, timbre=torch.cat(clips))
    return replace(made, **changes)


def with_strength(
    made: Task, case: Case, strength: float, dtype: torch.dtype = torch.float64
) -> Task:
    seconds = case.samples / recipe.RATE if case.samples else case.song.seconds
    encoder = text_encoder(dtype)
    return tasks.with_cover_strength(made, strength, case.song, encoder, seconds or 0.0)


def _task(case: Case, text: TextEncoder) -> Task:
    if case.task == "text2music" and case.codes:
        made = tasks.text_to_music(case.song, text, AudioCodes(case.codes))
        # officially the text names the song's length, whatever the codes play; ours names theirs
        official = prompts.text_prompt(case.song, prompts.COVER, case.song.seconds)
        return replace(made, text=text.states(official))
    if case.task == "text2music":
        return tasks.text_to_music(case.song, text)
    latents, length, mask = source(case)
    return replace(_edit(case, text, length, mask), source=latents)


def _edit(case: Case, text: TextEncoder, length: Length, mask: Tensor | None) -> Task:
    if case.task == "cover":
        return tasks.cover(case.song, text, length)
    if case.task == "repaint" and mask is not None:
        return tasks.repaint(case.song, text, length, mask)
    if case.task == "lego":
        return tasks.lego(case.song, text, length, case.tracks[0], mask)
    if case.task == "extract":
        return tasks.extract(case.song, text, length, case.tracks[0])
    return tasks.complete(case.song, text, length, case.tracks)

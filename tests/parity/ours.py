"""This project's side of a parity case: the toy model in our modules, and our task functions.

In float64, so that every processor gives the same numbers, where nothing else is asked for.
"""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from ace_core.conditioning import tasks
from ace_core.conditioning.tasks import Source
from ace_core.conditioning.text import TextEncoder
from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.pipeline import Models
from ace_core.sampling.region import region
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Conditioning, Variant
from tools.miniature_tokenizer import write_tokenizer

from . import recipe
from .cases import Case


def stack(size: dict[str, int]) -> StackConfig:
    return StackConfig(
        width=size["width"],
        mlp_width=size["mlp"],
        heads=size["heads"],
        kv_heads=size["kv_heads"],
        head_width=size["head"],
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
        text_width=recipe.ENCODER["width"],
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
        vocabulary=recipe.WORDS,
        width=size["width"],
        mlp_width=size["mlp"],
        layers=2,
        heads=size["heads"],
        kv_heads=size["kv_heads"],
        head_width=size["head"],
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
        return TextEncoder(load_tokenizer(folder), model)


@cache
def models(family: str, dtype: torch.dtype = torch.float64) -> Models:
    """`family` is 2b or xl. Latents are compared, so the VAE is an empty one."""
    dit = AceStepModel(config(family == "xl"))
    _filled(dit, family, dtype)
    vae = Oobleck(OobleckConfig(encoder_channels=1, decoder_channels=1, multiples=(1,) * 5))
    return Models(dit, text_encoder(dtype), vae, recipe.silence().to(dtype), Variant.TURBO)


def source(case: Case) -> tuple[Source, Tensor | None]:
    """The case's source, extended where the region reaches beyond it, and the region's mask."""
    waveform = recipe.audio(case.name, case.samples)
    seconds = case.samples / recipe.RATE
    if case.start is None:
        return Source(recipe.encode(waveform), seconds), None
    where = region(case.start, case.end, case.samples)
    padded = nn.functional.pad(waveform, (where.pad_left, where.pad_right))
    extended = Source(recipe.encode(padded), seconds)
    return extended, where.mask(extended.frames)


def conditioning(case: Case, dtype: torch.dtype = torch.float64) -> Conditioning:
    """The case through its task function, with its references."""
    item = _task(case, text_encoder(dtype))
    if not case.references:
        return item
    clips = [
        recipe.encode(recipe.audio(f"{case.name}/{clip}", 30 * recipe.RATE))
        for clip in range(case.references)
    ]
    return replace(item, timbre=torch.cat(clips))


def _task(case: Case, text: TextEncoder) -> Conditioning:
    if case.task == "text2music":
        return tasks.text_to_music(case.song, text, AudioCodes(case.codes) if case.codes else None)
    heard, mask = source(case)
    if case.task == "cover":
        return tasks.cover(case.song, text, heard)
    if case.task == "repaint" and mask is not None:
        return tasks.repaint(case.song, text, heard, mask)
    if case.task == "lego":
        return tasks.lego(case.song, text, heard, case.tracks[0], mask)
    if case.task == "extract":
        return tasks.extract(case.song, text, heard, case.tracks[0])
    return tasks.complete(case.song, text, heard, case.tracks)


def free(case: Case, item: Conditioning, dtype: torch.dtype = torch.float64) -> Conditioning:
    """The item of the steps behind the cover strength."""
    seconds = case.samples / recipe.RATE if case.samples else case.song.seconds
    return tasks.uncovered(item, case.song, text_encoder(dtype), seconds or 0.0)

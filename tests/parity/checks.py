"""How far we are from the official code, one number per case, family and stage.

The goldens were recorded in float32 and are compared with ours in float64: what is left is the
rounding of the recording, the same on every processor. How far our own float32 is from our float64
is measured apart. The tests hold the numbers under their limits; `tools/docs/parity.py` writes them
down. Each is measured once per process.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from ace_core.conditioning.context import context, encode_conditions
from ace_core.pipeline import sample
from ace_core.sampling.dcw import DCW_OFF
from ace_core.sampling.guidance import Guidance
from ace_core.sampling.recipe import Recipe
from ace_core.sampling.repaint import RepaintMode, preservation
from ace_core.task import Task
from ace_core.types import Variant
from tests.rounding import RECORDED, SINGLE, difference

from . import ours, recipe
from .cases import BY_NAME, SCALE, SEED, SHIFT, STEPS

GOLDENS: Final = Path(__file__).parents[1] / "goldens"
KEPT: Final = slice(None, None, 4)  # the goldens hold every fourth channel of latents
ENCODED: Final = RECORDED  # one pass of the encoders
BALANCED: Final = preservation(RepaintMode.BALANCED, 0.5)
RUN: Final = SINGLE  # a whole trajectory, recorded in float32
Check = Callable[[str, str], float]


def golden_file(case: str, size: str) -> Path:
    """`size` is 2b or xl."""
    return GOLDENS / f"conditioning_{size}_{case}.safetensors"


@cache
def golden(case: str, size: str) -> dict[str, Tensor]:
    return load_file(golden_file(case, size))


@cache
def official_texts(case: str, size: str) -> dict[str, str]:
    """Instruction, text prompt and lyric prompt of the official code."""
    with safe_open(golden_file(case, size), framework="pt") as file:
        return file.metadata()


@cache
def item(case: str, dtype: torch.dtype = torch.float64) -> Task:
    """With what is kept of a source around a region, as the goldens were sampled."""
    ranged = BY_NAME[case].start is not None
    return ours.task(BY_NAME[case], dtype, keep=BALANCED if ranged else None)


@cache
def item_without_source(case: str) -> Task:
    """Of the steps after any cover strength below 1."""
    rest = ours.with_strength(item(case), BY_NAME[case], 0.5).without_source()
    assert rest is not None
    return rest


@cache
def instruction(case: str, size: str) -> float:
    """Both prompts, compared by what the text encoder makes of them."""
    encoder, official = ours.text_encoder(), official_texts(case, size)
    return max(
        difference(item(case).text, encoder.states(official["text"])),
        difference(item(case).lyrics, encoder.embeddings(official["lyrics"])),
    )


@cache
def source_and_mask(case: str, size: str) -> float:
    """The two halves of the context."""
    return _context_error(case, size, item(case), "source")


@cache
def source_and_mask_without_source(case: str, size: str) -> float:
    return _context_error(case, size, item_without_source(case), "free_source")


def _context_error(case: str, size: str, task: Task, name: str) -> float:
    models = ours.models(size)
    inputs = context(models.dit, task, models.silence)
    source, mask = inputs[..., : recipe.CHANNELS], inputs[..., recipe.CHANNELS :]
    wanted = golden(case, size)["mask"].reshape(1, -1, 1).expand(-1, -1, recipe.CHANNELS)
    if mask.shape != wanted.shape or not (mask == wanted).all():
        return float("inf")
    return difference(source[..., KEPT], golden(case, size)[name])


@cache
def condition(case: str, size: str) -> float:
    """Lyrics, timbre and text after the condition encoder, packed."""
    return _condition_error(case, size, item(case), "condition")


@cache
def condition_without_source(case: str, size: str) -> float:
    return _condition_error(case, size, item_without_source(case), "free_condition")


def _condition_error(case: str, size: str, task: Task, name: str) -> float:
    models = ours.models(size)
    return difference(encode_conditions(models.dit, task, models.silence), golden(case, size)[name])


def without_source(case: str, size: str) -> float:
    """Context and condition of the steps after the cover strength."""
    return max(source_and_mask_without_source(case, size), condition_without_source(case, size))


def turbo_trajectory(case: str, size: str) -> float:
    return _trajectory_error(case, size, Variant.TURBO)


def base_trajectory(case: str, size: str) -> float:
    """With guidance. The official base and sft files give the same."""
    return _trajectory_error(case, size, Variant.BASE)


def sampling_recipe(variant: Variant) -> Recipe:
    """How the goldens were sampled: turbo in its 8 steps, the others guided, all without DCW."""
    recipe_turbo = Recipe(seeds=(SEED,), shift=SHIFT, dcw=DCW_OFF)
    if variant.distilled:
        return recipe_turbo
    return replace(recipe_turbo, steps=STEPS, guidance=Guidance(scale=SCALE))


@cache
def latents(case: str, size: str, variant: Variant, dtype: torch.dtype = torch.float64) -> Tensor:
    """Ours, from noise on."""
    models = replace(ours.models(size, dtype), variant=variant)
    return sample(models, item(case, dtype), sampling_recipe(variant))


def _trajectory_error(case: str, size: str, variant: Variant) -> float:
    made = latents(case, size, variant)
    return difference(made[..., KEPT], golden(case, size)[variant.value])


def turbo_rounding(case: str, size: str) -> float:
    return _rounding(case, size, Variant.TURBO)


def base_rounding(case: str, size: str) -> float:
    return _rounding(case, size, Variant.BASE)


def _rounding(case: str, size: str, variant: Variant) -> float:
    """What a whole run of ours in float32 is off ours in float64."""
    return difference(latents(case, size, variant, torch.float32), latents(case, size, variant))


def fingerprints(case: str, size: str) -> dict[str, tuple[float, float]]:
    """Fingerprints of the tensors that seeds gave here and where the golden was made."""
    official, models = official_texts(case, size), ours.models(size)
    waveform = recipe.audio(case, BY_NAME[case].samples)
    found = {
        "fingerprint": recipe.fingerprint(models.dit.state_dict()),
        "text_fingerprint": recipe.fingerprint(models.text.model.state_dict()),
        "audio_fingerprint": recipe.fingerprint({"a": waveform}) if waveform.numel() else 0.0,
    }
    return {name: (value, float(official[name])) for name, value in found.items()}

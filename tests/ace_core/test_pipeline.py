"""Song to latent to sound: equal to diffusers' pipeline, item by item, from every layout."""

import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch

from ace_core.conditioning.tasks import text_to_music
from ace_core.conditioning.text import TextEncoder
from ace_core.errors import InvalidScheduleError
from ace_core.models.ops import Ops
from ace_core.pipeline import Models, decode_audio, sample
from ace_core.sampling.dcw import DCW, DCW_OFF, DCWMode
from ace_core.sampling.guidance import Guidance, GuidanceKind
from ace_core.sampling.recipe import Recipe
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import Solver
from ace_core.task import Task
from ace_core.tokens import load_tokenizer
from ace_core.types import Song, Variant
from ace_core.weights import (
    Kind,
    inspect,
    load_dit,
    load_text_encoder,
    load_vae,
    silence_latent,
    tokenizer_file,
)
from tests.float64 import as_float64, in_float64
from tests.rounding import assert_same, difference

FLOAT64 = Ops(dtype=torch.float64)
SONG = Song("calm piano, rain", "[verse]\nhello there", 10.0, 90, "C major", 4, "en")


def models_of(dit: Any, text: Any, vae: Any) -> Models:
    loaded = load_dit(dit, FLOAT64)
    file = tokenizer_file(inspect(text), Kind.TEXT_ENCODER)
    assert file is not None
    decoder = load_vae(vae, FLOAT64)
    silence = silence_latent(loaded.checkpoint, lambda zeros: decoder.encode(zeros.double()).mean)
    return Models(
        dit=loaded.model,
        text=TextEncoder(load_tokenizer(file), load_text_encoder(text, FLOAT64)),
        vae=decoder,
        silence=silence.double(),
        variant=loaded.variant or Variant.TURBO,
    )


@pytest.fixture(scope="module")
def models(checkpoints) -> Models:
    return models_of(checkpoints.diffusers, checkpoints.diffusers, checkpoints.diffusers)


@pytest.fixture(scope="module")
def item(models: Models) -> Task:
    return text_to_music(SONG, models.text)


@pytest.fixture(scope="module")
def peer(checkpoints):
    """diffusers' own pipeline on the same folder; a VAE of its own, since latents are compared."""
    from tests.oracle import AceStepPipeline, AutoencoderOobleck  # may skip

    warnings.simplefilter("ignore", FutureWarning)  # diffusers' VAE uses torch's old weight norm
    vae = AutoencoderOobleck(
        downsampling_ratios=[2, 4, 4, 6, 10],
        channel_multiples=[1] * 5,
        decoder_channels=8,
        sampling_rate=48_000,
    )
    loaded = AceStepPipeline.from_pretrained(
        checkpoints.diffusers, vae=vae.double(), dtype=torch.float64
    )
    as_float64(loaded.text_encoder)
    return loaded


def by_diffusers(peer: Any, noise: torch.Tensor, turbo: bool, **settings: Any) -> torch.Tensor:
    peer.is_turbo = turbo  # what it read from the config: whether guidance may be used
    peer.set_progress_bar_config(disable=True)
    settings |= {"latents": noise, "output_type": "latent"}
    with in_float64():
        return _asked(peer, **settings)


def _asked(peer: Any, **settings: Any) -> torch.Tensor:
    return peer(
        prompt=SONG.caption,
        lyrics=SONG.lyrics,
        audio_duration=SONG.seconds,
        vocal_language=SONG.language,
        bpm=SONG.bpm,
        keyscale=SONG.key,
        timesignature=str(SONG.time_signature),
        **settings,
    ).audios


def as_they_hold_them(steps: int, shift: float) -> tuple[float, ...]:
    """The times of a schedule in float32, as diffusers' scheduler keeps them."""
    return tuple(torch.tensor(timesteps(steps, shift), dtype=torch.float32).tolist())


def start(items: int = 1) -> torch.Tensor:
    return torch.randn(items, 250, 64, generator=torch.Generator().manual_seed(3)).double()


def test_turbo_latents_are_those_of_the_diffusers_pipeline(models, item, peer):
    theirs = by_diffusers(peer, start(), turbo=True, num_inference_steps=8, shift=3.0)
    ours = sample(models, item, Recipe(times=as_they_hold_them(8, 3.0), dcw=DCW_OFF), start=start())
    assert_same(ours, theirs)


def test_guided_base_latents_are_those_of_the_diffusers_pipeline(models, item, peer):
    theirs = by_diffusers(
        peer, start(), turbo=False, num_inference_steps=6, shift=2.0, guidance_scale=5.0
    )
    base = replace(models, variant=Variant.BASE)
    recipe = Recipe(times=as_they_hold_them(6, 2.0), guidance=Guidance(scale=5.0))
    ours = sample(base, item, recipe, start=start())
    assert_same(ours, theirs)
    plain = sample(models, item, replace(recipe, guidance=None), start=start())
    assert difference(plain, ours) > 1e-3


def test_every_layout_of_one_checkpoint_gives_the_same_song(checkpoints, models, item):
    split = models_of(
        checkpoints.split_turbo, checkpoints.split_text_encoder, checkpoints.split_vae
    )
    official = models_of(checkpoints.turbo, checkpoints.text_encoder, checkpoints.vae)
    bundled = models_of(*[checkpoints.all_in_one] * 3)
    expected = sample(models, item, Recipe(), start=start())
    sound = decode_audio(models, expected)
    for other in (split, official, bundled):
        # single files carry no silence of their own, so the one of the folder is lent to them
        other = replace(other, silence=models.silence)
        latents = sample(other, text_to_music(SONG, other.text), Recipe(), start=start())
        assert_same(latents, expected)
        assert_same(decode_audio(other, latents), sound)


def test_an_item_of_a_batch_is_what_it_is_alone(models, item):
    batch = sample(models, item, Recipe(seeds=(5, 6, 7)))
    for place, seed in enumerate((5, 6, 7)):
        alone = sample(models, item, Recipe(seeds=(seed,)))
        assert_same(batch[place : place + 1], alone)
    assert difference(batch[0], batch[1]) > 0.1


def test_dcw_corrects_every_item_of_a_batch_as_it_corrects_it_alone(models, item):
    recipe = Recipe(seeds=(5, 6), dcw=DCW(DCWMode.HIGH, 0.1))
    batch = sample(models, item, recipe)
    assert difference(batch, sample(models, item, replace(recipe, dcw=DCW_OFF))) > 1e-3
    assert_same(batch[1:], sample(models, item, recipe.part(1, 2)))


@pytest.mark.parametrize("variant", Variant)
def test_dcw_is_applied_to_turbo_alone_unless_the_recipe_says_otherwise(models, item, variant):
    """Guidance 1, so that the variants differ in nothing else."""
    models = replace(models, variant=variant)
    auto = Recipe(seeds=(5,), steps=4, guidance=Guidance(GuidanceKind.CFG, 1.0))
    made = sample(models, item, auto)
    with_dcw = sample(models, item, replace(auto, dcw=DCW()))
    without = sample(models, item, replace(auto, dcw=DCW_OFF))
    assert torch.equal(made, with_dcw if variant.distilled else without)
    assert difference(with_dcw, without) > 1e-3


def test_sde_is_never_corrected(models, item):
    auto = Recipe(seeds=(5,), steps=4, solver=Solver.SDE)
    assert torch.equal(sample(models, item, auto), sample(models, item, replace(auto, dcw=DCW_OFF)))


def test_the_same_seed_gives_the_same_song_and_another_seed_another(models, item):
    first = sample(models, item, Recipe(seeds=(1,)))
    assert torch.equal(first, sample(models, item, Recipe(seeds=(1,))))
    assert not torch.equal(first, sample(models, item, Recipe(seeds=(2,))))


def test_the_variant_fills_in_what_the_recipe_leaves_open(models, item):
    steps: list[int] = []
    sample(models, item, Recipe(), on_step=lambda step, _: steps.append(step))
    assert steps == list(range(8))
    explicit = sample(models, item, Recipe(steps=8, shift=3.0), start=start())
    assert torch.equal(explicit, sample(models, item, Recipe(), start=start()))


@pytest.mark.parametrize("steps", [0, -1])
def test_no_steps_are_refused_and_not_taken_for_automatic(models, item, steps):
    with pytest.raises(InvalidScheduleError, match="steps"):
        sample(models, item, Recipe(steps=steps))


def test_no_shift_is_refused_and_not_taken_for_automatic(models, item):
    with pytest.raises(InvalidScheduleError, match="shift"):
        sample(models, item, Recipe(shift=0.0))


def test_sound_is_stereo_48_khz_and_never_above_full_scale(models, item):
    sound = decode_audio(models, 20 * sample(models, item, Recipe(seeds=(1, 2))))
    assert sound.shape == (2, 2, 480_000)
    assert torch.isfinite(sound).all()
    assert sound.abs().amax(dim=(1, 2)).le(1.0).all()
    assert sound.abs().amax() > 0.01

"""What a recipe does to a task: cover strength, repaint's keeping, retake, starts from a source."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ace_core.conditioning import context as ctx
from ace_core.conditioning import tasks
from ace_core.conditioning.text import TextEncoder
from ace_core.errors import AceStepError, InvalidRequestError, InvalidScheduleError
from ace_core.models.ops import Ops
from ace_core.pipeline import Models, sample
from ace_core.sampling.guidance import Guidance, GuidanceKind
from ace_core.sampling.recipe import Recipe, Retake
from ace_core.sampling.repaint import RepaintMode, preservation
from ace_core.sampling.solvers import Solver
from ace_core.task import Length, SourceUse, Task
from ace_core.tokens import load_tokenizer
from ace_core.types import Song, Variant
from ace_core.weights import load_dit, load_text_encoder, load_vae
from tests.rounding import assert_same

FLOAT64 = Ops(dtype=torch.float64)
SONG = Song("calm piano", "[verse]\nhello", seconds=10.0)
FAST = Recipe(seeds=(4,), steps=4, shift=3.0)


@pytest.fixture(scope="module")
def models(checkpoints) -> Models:
    loaded = load_dit(checkpoints.base, FLOAT64)
    assert loaded.silence is not None
    folder = checkpoints.text_encoder
    return Models(
        dit=loaded.model,
        text=TextEncoder(load_tokenizer(folder), load_text_encoder(folder, FLOAT64)),
        vae=load_vae(checkpoints.vae, FLOAT64),
        silence=loaded.silence.double(),
        variant=Variant.TURBO,  # one forward per step
    )


@pytest.fixture(scope="module")
def source() -> torch.Tensor:
    return torch.randn(1, 200, 64, generator=torch.Generator().manual_seed(1)).double()


def covered(models: Models, source: torch.Tensor, strength: float = 1.0, **more: Any) -> Task:
    """A cover of `source` whose steps see it as far as `strength` says."""
    length = Length(source.shape[1], source.shape[1] / 25)
    task = tasks.cover(SONG, models.text, length)
    task = tasks.with_cover_strength(task, strength, SONG, models.text, length.seconds)
    return replace(task, source=source, **more)


def test_cover_strength_one_and_zero_are_the_two_pure_branches(models, source):
    half = covered(models, source, 0.5)
    without = half.without_source()
    assert without is not None
    whole = sample(models, covered(models, source), FAST)
    at_once = sample(models, covered(models, source, 0.0), FAST)
    assert_same(at_once, sample(models, without, FAST))
    between = sample(models, half, FAST)
    assert not torch.allclose(between, whole)
    assert not torch.allclose(between, at_once)


def test_half_a_cover_strength_sees_the_source_in_the_first_half_of_the_steps(models, source):
    seen: dict[float, list[torch.Tensor]] = {0.5: [], 1.0: []}
    for strength, steps in seen.items():
        task = covered(models, source, strength)
        sample(models, task, FAST, on_step=lambda _, x0, steps=steps: steps.append(x0))
    same = [torch.equal(a, b) for a, b in zip(*seen.values(), strict=True)]
    assert same == [True, True, False, False]


def test_a_cover_strength_below_one_without_its_text_is_refused(models, source):
    with pytest.raises(InvalidRequestError, match="with_cover_strength"):
        replace(covered(models, source), cover_strength=0.5)


@pytest.mark.parametrize("mode", list(RepaintMode))
def test_a_repaint_keeps_the_source_bit_for_bit_outside_its_blend(models, source, mode):
    mask = torch.zeros(1, 200, 1)
    mask[:, 80:120] = 1
    keep = preservation(mode, 0.5)
    task = tasks.repaint(SONG, models.text, Length(200, 8.0), mask)
    done = sample(models, replace(task, source=source, keep=keep), FAST)
    reach = keep.blend_frames
    same = (done == source).all(dim=-1)[0]
    if mode is RepaintMode.AGGRESSIVE:
        assert not same.any()
        return
    assert same[: 80 - reach].all()
    assert same[120 + reach :].all()
    assert not same[80:120].any()


@pytest.mark.parametrize("kind", ["cover", "remix", "audio to audio", "repaint"])
def test_each_of_several_sources_makes_the_song_that_it_makes_alone(models, kind):
    latents = torch.randn(2, 150, 64, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(1, 150, 1)
    mask[:, 60:90] = 1

    def made(latents, *seeds):
        if kind == "repaint":
            keep = preservation(RepaintMode.BALANCED)
            task = tasks.repaint(SONG, models.text, Length(150, 6.0), mask)
            task = replace(task, source=latents, keep=keep, source_strength=0.2)
        elif kind == "audio to audio":
            task = tasks.audio_to_audio(SONG, models.text, Length(150, 6.0), 0.2)
            task = replace(task, source=latents)
        else:
            use = SourceUse.QUANTIZED if kind == "cover" else SourceUse.WHOLE
            task = covered(models, latents, 0.5, source_strength=0.2, source_use=use)
        return sample(models, task, replace(FAST, seeds=seeds))

    together = made(latents, 4, 5)
    assert_same(together[:1], made(latents[:1], 4))
    assert_same(together[1:], made(latents[1:], 5))
    assert not torch.allclose(together[1:], made(latents[:1], 5), atol=1e-3)


def test_another_number_of_seeds_than_sources_is_refused(models):
    item = covered(models, torch.randn(2, 150, 64))
    with pytest.raises(InvalidRequestError, match="2 sources for 3 songs"):
        sample(models, item, replace(FAST, seeds=(1, 2, 3)))


def test_audio_to_audio_hears_nothing_and_starts_from_all_of_the_source(models, source):
    item = replace(tasks.audio_to_audio(SONG, models.text, Length(200, 8.0), 0.5), source=source)
    quiet = ctx.silence_frames(models.silence, 200)
    assert torch.equal(ctx.source_latents(models.dit, item, models.silence), quiet)
    assert torch.equal(ctx.start_latents(models.dit, item, models.silence), source)


def test_a_retake_of_no_variance_is_the_same_song_and_of_full_variance_the_other(models):
    item = tasks.text_to_music(SONG, models.text)
    first = sample(models, item, FAST)
    other = sample(models, item, replace(FAST, seeds=(9,)))
    for variance, expected in ((0.0, first), (1.0, other)):
        retake = replace(FAST, retake=Retake((9,), variance))
        assert torch.equal(sample(models, item, retake), expected)
    between = sample(models, item, replace(FAST, retake=Retake((9,), 0.2)))
    assert (between - first).norm() < (between - other).norm()


def test_starting_from_the_source_stays_nearer_to_it_and_takes_fewer_steps(models, source):
    item = covered(models, source, source_use=SourceUse.WHOLE)
    steps: list[int] = []
    started = replace(item, source_strength=0.5)
    near = sample(models, started, FAST, on_step=lambda step, _: steps.append(step))
    far = sample(models, item, FAST)
    assert len(steps) < 4
    assert (near - source).norm() < (far - source).norm()


def test_a_cover_starts_from_the_source_itself_and_hears_it_as_its_codes(models, source):
    item = covered(models, source)
    assert torch.equal(ctx.start_latents(models.dit, item, models.silence), source)
    assert not torch.allclose(ctx.source_latents(models.dit, item, models.silence), source)


@pytest.mark.parametrize("solver", list(Solver))
def test_every_solver_gives_an_item_of_a_batch_what_it_gives_it_alone(models, solver):
    item = tasks.text_to_music(SONG, models.text)
    recipe = replace(FAST, solver=solver, seeds=(1, 2))
    batch = sample(models, item, recipe)
    alone = sample(models, item, replace(recipe, seeds=(2,)))
    assert_same(batch[1:], alone)


def test_the_solvers_differ(models):
    item = tasks.text_to_music(SONG, models.text)
    done = [sample(models, item, replace(FAST, solver=solver)) for solver in Solver]
    assert not torch.allclose(done[0], done[1])
    assert not torch.allclose(done[0], done[2])


@pytest.mark.parametrize("kind", list(GuidanceKind))
def test_an_interval_of_everything_equals_no_interval_and_of_nothing_no_guidance(models, kind):
    item = tasks.text_to_music(SONG, models.text)
    whole = sample(models, item, replace(FAST, guidance=Guidance(kind, 5.0)))
    plain = sample(models, item, FAST)
    same = replace(FAST, guidance=Guidance(kind, 5.0, interval=(0.0, 1.0)))
    none = replace(FAST, guidance=Guidance(kind, 5.0, interval=(0.001, 0.002)))
    assert torch.equal(sample(models, item, same), whole)
    assert torch.equal(sample(models, item, none), plain)
    assert not torch.allclose(whole, plain)


def test_custom_times_replace_steps_and_shift(models):
    item = tasks.text_to_music(SONG, models.text)
    steps: list[int] = []
    recipe = replace(FAST, times=(1.0, 0.7, 0.2))
    sample(models, item, recipe, on_step=lambda step, _: steps.append(step))
    assert steps == [0, 1, 2]  # the missing 0 is added


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Recipe(seeds=()), "no seed"),
        (lambda: Recipe(seeds=(1, 2), retake=Retake((3,))), "one retake seed per item|retake seed"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_at_birth(build, words):
    with pytest.raises(InvalidScheduleError, match=words):
        build()


@pytest.mark.parametrize(
    "change",
    [
        {"retake": Retake((1,), 2.0)},
        {"times": (0.5, 0.9)},
    ],
)
def test_a_value_out_of_range_is_refused_by_the_run(models, change):
    item = tasks.text_to_music(SONG, models.text)
    with pytest.raises(AceStepError):
        sample(models, item, replace(FAST, **change))


@pytest.mark.parametrize("change", [{"cover_strength": 1.5}, {"source_strength": -0.1}])
def test_a_strength_out_of_range_is_refused_at_birth(models, change):
    with pytest.raises(InvalidRequestError, match="outside 0 to 1"):
        replace(tasks.text_to_music(SONG, models.text), **change)

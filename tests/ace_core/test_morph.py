"""A morph through the whole pipeline, with turbo and base, on the miniature models."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ace_core.conditioning import context as ctx
from ace_core.conditioning import tasks
from ace_core.conditioning.text import TextEncoder
from ace_core.errors import InvalidRequestError
from ace_core.models.ops import Ops
from ace_core.pipeline import Models, sample
from ace_core.sampling.dcw import DCW, DCW_OFF
from ace_core.sampling.guidance import Guidance, GuidanceKind
from ace_core.sampling.recipe import Recipe, Retake
from ace_core.sampling.repaint import RepaintMode, preservation
from ace_core.sampling.solvers import Solver
from ace_core.task import EditWindow, Length, SourceUse, Task
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Song, Variant
from ace_core.weights import load_dit, load_text_encoder, load_vae
from tests.rounding import assert_same, difference

FLOAT64 = Ops(dtype=torch.float64)
OLD = Song("calm piano", "[verse]\nhello", language="en")
NEW = Song("loud rock band", "[verse]\ngoodbye all of you", language="en")
FRAMES = 150
RECIPE = Recipe(seeds=(4,), steps=4, shift=3.0)
UNCORRECTED = replace(RECIPE, dcw=DCW_OFF)  # as every morph is
CONTEXTS = (SourceUse.INIT_ONLY, SourceUse.QUANTIZED, SourceUse.WHOLE)


@pytest.fixture(scope="module", params=[Variant.TURBO, Variant.BASE])
def models(checkpoints, request) -> Models:
    """Turbo takes one forward per step and words, base two and APG."""
    folder = checkpoints.turbo if request.param is Variant.TURBO else checkpoints.base
    loaded = load_dit(folder, FLOAT64)
    assert loaded.silence is not None
    text = checkpoints.text_encoder
    return Models(
        dit=loaded.model,
        text=TextEncoder(load_tokenizer(text), load_text_encoder(text, FLOAT64)),
        vae=load_vae(checkpoints.vae, FLOAT64),
        silence=loaded.silence.double(),
        variant=request.param,
    )


def recordings(items: int = 1) -> torch.Tensor:
    return torch.randn(items, FRAMES, 64, generator=torch.Generator().manual_seed(1)).double()


def morph(
    models: Models,
    old: Song = OLD,
    new: Song = NEW,
    context: SourceUse = SourceUse.INIT_ONLY,
    source: torch.Tensor | None = None,
    **window: Any,
) -> Task:
    songs = tasks.SongEdit(old, new, EditWindow(**window))
    task = tasks.morph(songs, models.text, Length(FRAMES, FRAMES / 25), context)
    return replace(task, source=recordings() if source is None else source)


@pytest.mark.parametrize("context", CONTEXTS)
def test_equal_words_give_the_recording_back(models: Models, context: SourceUse) -> None:
    assert_same(sample(models, morph(models, OLD, OLD, context), RECIPE), recordings())


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_narrow_window_changes_less_than_a_wide_one(models: Models, context: SourceUse) -> None:
    narrow, wide = (
        sample(models, morph(models, context=context, n_min=share), RECIPE) for share in (0.5, 0)
    )
    source = recordings()
    assert 1e-3 < (narrow - source).norm() < (wide - source).norm()


def test_an_empty_window_is_text_to_music_under_the_new_words(models: Models) -> None:
    song = tasks.text_to_music(replace(NEW, seconds=10.0), models.text)
    task = morph(models, n_max=0.0)
    plain = replace(song, text=task.text, lyrics=task.lyrics, frames=FRAMES)
    assert_same(sample(models, task, RECIPE), sample(models, plain, UNCORRECTED))


def test_an_empty_window_with_codes_is_a_cover_under_the_new_words(models: Models) -> None:
    cover = tasks.cover(NEW, models.text, Length(FRAMES, FRAMES / 25))
    expected = sample(models, replace(cover, source=recordings()), UNCORRECTED)
    task = morph(models, context=SourceUse.QUANTIZED, n_max=0.0)
    assert_same(sample(models, task, RECIPE), expected)


def test_the_contexts_differ(models: Models) -> None:
    done = [sample(models, morph(models, context=each), RECIPE) for each in CONTEXTS]
    assert difference(done[0], done[1]) > 1e-4
    assert difference(done[1], done[2]) > 1e-4


def test_lyrics_alone_and_style_alone_are_two_edits(models: Models) -> None:
    words = replace(OLD, lyrics=NEW.lyrics)
    style = replace(OLD, caption=NEW.caption)
    one, other = (sample(models, morph(models, OLD, each), RECIPE) for each in (words, style))
    assert difference(one, recordings()) > 1e-4
    assert difference(one, other) > 1e-4


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", [GuidanceKind.APG, GuidanceKind.CFG])
def test_an_item_of_a_batch_is_what_it_is_alone(
    models: Models, kind: GuidanceKind, count: int
) -> None:
    guidance = Guidance(kind, 3.0, velocity_ema=0.2)
    recipe = replace(RECIPE, seeds=(4, 5), guidance=guidance)
    sources = recordings(2)
    both = sample(models, morph(models, source=sources, n_avg=count, n_max=0.8), recipe)
    for item in range(2):
        part = morph(models, source=sources[item : item + 1], n_avg=count, n_max=0.8)
        assert_same(sample(models, part, recipe.part(item, item + 1)), both[item : item + 1])
    assert difference(both[0], both[1]) > 1e-3


def test_one_recording_makes_a_song_per_seed(models: Models) -> None:
    both = sample(models, morph(models), replace(RECIPE, seeds=(4, 5)))
    assert_same(both[:1], sample(models, morph(models), RECIPE))
    assert difference(both[0], both[1]) > 1e-4


def test_a_retake_is_mixed_into_every_draw(models: Models) -> None:
    first, other = (
        sample(models, morph(models, n_avg=2), replace(RECIPE, seeds=(seed,))) for seed in (4, 9)
    )
    for variance, expected in ((0.0, first), (1.0, other)):
        retake = replace(RECIPE, retake=Retake((9,), variance))
        assert_same(sample(models, morph(models, n_avg=2), retake), expected)


def test_a_given_start_is_the_first_draw(models: Models) -> None:
    start = RECIPE.initial_noise(FRAMES)
    assert_same(
        sample(models, morph(models), RECIPE, start=start), sample(models, morph(models), RECIPE)
    )
    other = sample(models, morph(models), RECIPE, start=start.flip(1))
    assert difference(other, sample(models, morph(models), RECIPE)) > 1e-5


def test_a_reference_sounds_under_both_words(models: Models) -> None:
    clip = torch.randn(1, 750, 64, generator=torch.Generator().manual_seed(3)).double()
    plain, alike = morph(models), replace(morph(models), timbre=clip)
    assert torch.equal(alike.with_source_words().timbre, clip)  # pyright: ignore
    assert difference(sample(models, alike, RECIPE), sample(models, plain, UNCORRECTED)) > 1e-6
    equal = replace(morph(models, OLD, OLD), timbre=clip)
    assert_same(sample(models, equal, RECIPE), recordings())


def test_the_model_sees_silence_of_the_recording_unless_it_is_to_see_more(models: Models) -> None:
    quiet = ctx.silence_frames(models.silence, FRAMES)
    assert torch.equal(ctx.source_latents(models.dit, morph(models), models.silence), quiet)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"solver": Solver.HEUN}, "heun"),
        ({"solver": Solver.SDE}, "sde"),
        ({"guidance": Guidance(GuidanceKind.ADG)}, "ADG"),
        ({"dcw": DCW()}, "DCW"),
    ],
)
def test_a_recipe_that_a_morph_cannot_follow_is_refused(models, change, said) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        sample(models, morph(models), replace(RECIPE, **change))


def test_a_morph_without_its_recording_is_refused(models: Models) -> None:
    with pytest.raises(InvalidRequestError, match="starts from a recording"):
        sample(models, replace(morph(models), source=None), RECIPE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source_strength": 0.2}, "source strength"),
        ({"codes": AudioCodes((1,) * 10)}, "audio codes"),
        ({"keep": preservation(RepaintMode.BALANCED)}, "kept outside a mask"),
    ],
)
def test_what_a_morph_cannot_be_joined_to_is_refused_at_birth(models, change, said) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        replace(morph(models), **change)


def test_words_that_are_missing_are_refused(models: Models) -> None:
    with pytest.raises(InvalidRequestError, match="both empty"):
        morph(models, old=Song())

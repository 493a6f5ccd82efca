"""The core's own song on a full device: groups of items, smaller tiles, the same sound."""

from dataclasses import replace

import pytest
import torch

from ace_core import pipeline
from ace_core.memory import NotEnoughMemoryError, OomHandler
from ace_core.models.dit import memory_estimate
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.pipeline import Models, decode_audio, sample
from ace_core.sampling.guidance import Guidance
from ace_core.sampling.recipe import Recipe, Retake
from ace_core.sampling.repaint import RepaintMode, preservation
from ace_core.sampling.solvers import Solver
from ace_core.task import Preservation, Task
from ace_core.types import Variant
from tests.crowded import crowd
from tests.rounding import assert_same
from tests.toy import TEXT_HIDDEN_SIZE, acestep, randn, randn64

FRAMES = 40
PLAIN = Recipe(seeds=(3, 4, 5), steps=3, shift=3.0)


@pytest.fixture(scope="module")
def models() -> Models:
    torch.manual_seed(2)
    vae = Oobleck(OobleckConfig(encoder_channels=2, decoder_channels=2)).requires_grad_(False)
    return Models(acestep().double(), None, vae, 0.1 * randn64(1, 800, 64), Variant.TURBO)  # type: ignore


@pytest.fixture
def item() -> Task:
    mask = torch.zeros(1, FRAMES, 1)
    mask[:, 10:30] = 1
    text, lyrics = randn(1, 6, TEXT_HIDDEN_SIZE), randn(1, 5, TEXT_HIDDEN_SIZE, seed=2)
    return Task(text, lyrics, FRAMES, source=randn(1, FRAMES, 64, seed=3), mask=mask)


@pytest.mark.parametrize(
    ("recipe", "keep"),
    [
        (PLAIN, None),
        (replace(PLAIN, guidance=Guidance(scale=5.0)), None),
        (replace(PLAIN, solver=Solver.SDE, retake=Retake((7, 8, 9))), None),
        (PLAIN, preservation(RepaintMode.BALANCED)),
    ],
    ids=["plain", "guided", "sde and retake", "repaint"],
)
def test_songs_that_do_not_fit_together_are_the_same_in_groups(
    models: Models,
    item: Task,
    recipe: Recipe,
    keep: Preservation | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    item = replace(item, keep=keep)
    together = sample(models, item, recipe)
    seen = crowd(monkeypatch, models.dit.decoder, "forward", lambda x: len(x) <= 2)
    messages: list[str] = []
    apart = sample(models, item, recipe, oom=OomHandler(notify=messages.append))
    assert_same(apart, together)
    assert {shape[0] for shape in seen} == {2, 1}
    assert messages == ["Out of memory with 3 songs at once: made 2 at a time."]


def test_each_of_several_sources_stays_with_its_song(
    models: Models, item: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, keep = randn(3, FRAMES, 64, seed=8), preservation(RepaintMode.BALANCED)
    several = replace(item, source=sources, source_strength=0.3, keep=keep)
    together = sample(models, several, PLAIN)
    crowd(monkeypatch, models.dit.decoder, "forward", lambda x: len(x) <= 2)
    assert_same(sample(models, several, PLAIN), together)


def test_a_start_of_ones_own_is_split_with_its_items(
    models: Models, item: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = randn(3, FRAMES, 64, seed=9)
    together = sample(models, item, PLAIN, start=start)
    crowd(monkeypatch, models.dit.decoder, "forward", lambda x: len(x) == 1)
    apart = sample(models, item, PLAIN, start=start)
    assert_same(apart, together)


def test_the_devices_free_memory_decides_the_first_group(
    models: Models, item: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CPU does not tell what is free, so what a device would tell is put in its place."""
    room = int(1.5 * memory_estimate(models.dit.config, 2, FRAMES, 8)) + 1
    together = sample(models, item, PLAIN)
    monkeypatch.setattr(pipeline, "free_bytes", lambda _: room)
    seen = crowd(monkeypatch, models.dit.decoder, "forward", lambda x: True)
    messages: list[str] = []
    apart = sample(models, item, PLAIN, oom=OomHandler(notify=messages.append))
    assert_same(apart, together)
    assert {shape[0] for shape in seen} == {2, 1}
    assert messages == ["3 songs at once would not fit into memory: made 2 at a time."]


def test_a_song_that_does_not_fit_alone_is_refused(
    models: Models, item: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, models.dit.decoder, "forward", lambda x: False)
    with pytest.raises(NotEnoughMemoryError, match="Make it shorter"):
        sample(models, item, PLAIN)


def test_another_error_of_the_model_passes(
    models: Models, item: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, models.dit.decoder, "forward", lambda x: len(x) == 1, RuntimeError)
    with pytest.raises(RuntimeError, match="no room"):
        sample(models, item, PLAIN)


def test_sound_that_does_not_fit_is_rendered_in_smaller_tiles(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents = randn(1, 70, 64)
    whole = decode_audio(models, latents)
    crowd(monkeypatch, models.vae, "decode", lambda x: x.shape[-1] <= 60)
    messages: list[str] = []
    part = decode_audio(models, latents, oom=OomHandler(notify=messages.append))
    assert_same(part, whole)
    assert messages[-1] == "Out of memory: trying again with tiles of 32 latent frames."

"""A batch of different recordings: each makes the song that it would make alone."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

from tests.nodes import music
from tests.nodes.lm_prompts import shown
from tests.nodes.task_prompts import DEFAULTS, Run, loaders, times, whole
from tests.rounding import assert_same
from tools.hosts.pack import Pack

SECONDS = 6.0
SEEDS = (5, 6)
CHANGES: dict[str, dict[str, Any]] = {
    "Cover": {"cover_strength": 0.5, "source_strength": 0.2},
    "AudioToAudio": {},
    "Morph": {"n_max": 0.7, "n_avg": 2, "context": "codes"},
    "Repaint": {"start": 2.4, "end": 3.6},
    "Extract": {},
}


@pytest.fixture(scope="module")
def given(run: Run) -> dict[str, Any]:
    """Models, a song and a schedule."""
    names = ("text", "vae", "song", "times")
    nodes = {**loaders(), "song": whole("Cover")["song"], "times": times()}
    found = run({**nodes, **{f"show {name}": shown(name, 0) for name in (*names, "model")}})
    assert found.complete, found.why()
    return {name: found.values[name][0] for name in (*names, "model")}


@pytest.fixture(scope="module")
def sources() -> torch.Tensor:
    """Two recordings, [2, 2, N]."""
    first = music.music(SECONDS)
    return torch.stack([first, first.flip(1).roll(9_000, dims=1)])


def task(
    pack: Pack, given: dict[str, Any], kind: str, sources: torch.Tensor, batch: int = 1
) -> tuple[Any, ...]:
    links = {"text_encoder": given["text"], "vae": given["vae"], "song": given["song"]}
    if kind == "Morph":
        links["source_song"] = replace(given["song"], caption="loud rock band")
    source = {"waveform": sources, "sample_rate": 48_000}
    fields = DEFAULTS[kind] | CHANGES.get(kind, {})
    execute = pack.nodes[f"AceStep15{kind}"].execute
    with torch.inference_mode():
        return execute(**links, source=source, batch_size=batch, **fields).result


def song(pack: Pack, given: dict[str, Any], made: tuple[Any, ...], *seeds: int) -> dict[str, Any]:
    """A task's outputs through the sampler."""
    positive, negative, latent = made
    links = {"model": given["model"], "sigmas": given["times"], "seed": 0}
    execute = pack.nodes["AceStep15Sampler"].execute
    listed = ", ".join(map(str, seeds))
    with torch.inference_mode():
        done = execute(**links, positive=positive, negative=negative, latent=latent, seeds=listed)
    return done.result[0]


def sound(pack: Pack, given: dict[str, Any], latent: dict[str, Any]) -> torch.Tensor:
    with torch.inference_mode():
        done = pack.nodes["AceStep15DecodeAudio"].execute(latent, given["vae"])
    return done.result[0]["waveform"]


Alone = Callable[[str, int, int], tuple[torch.Tensor, torch.Tensor]]


@pytest.fixture(scope="module")
def alone(pack: Pack, given: dict[str, Any], sources: torch.Tensor) -> Alone:
    """The latent and the sound that a task makes of one recording with one seed, made once."""

    @cache
    def made(kind: str, place: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        own = task(pack, given, kind, sources[place : place + 1])
        latent = song(pack, given, own, seed)
        return latent["samples"][0], sound(pack, given, latent)[0]

    return made


@pytest.mark.parametrize("kind", list(CHANGES))
@pytest.mark.parametrize("batch", [1, 2])
def test_each_recording_makes_the_song_that_it_makes_alone(
    pack: Pack,
    given: dict[str, Any],
    sources: torch.Tensor,
    alone: Alone,
    kind: str,
    batch: int,
) -> None:
    both = song(pack, given, task(pack, given, kind, sources, batch), *SEEDS)
    heard = sound(pack, given, both)
    assert both["samples"].shape == (2, 64, 150)
    for place, seed in enumerate(SEEDS):
        latent, own = alone(kind, place, seed)
        assert_same(both["samples"][place], latent)
        assert_same(heard[place], own)
    other, _ = alone(kind, 0, SEEDS[1])
    assert (both["samples"][1] - other).abs().max() > 1e-3


def test_a_part_of_the_batch_keeps_its_own_recording(
    pack: Pack, given: dict[str, Any], sources: torch.Tensor
) -> None:
    """As when a batch does not fit into memory."""
    positive, negative, latent = task(pack, given, "Repaint", sources)
    host, recipe = pack.submodule("nodes.host"), pack.submodule("ace_core.sampling.recipe")
    steps = {"sigmas": given["times"], "recipe": recipe.Recipe(SEEDS), "guidance": None}
    links = {"positive": positive, "negative": negative, "latent": latent}
    batch = host.Batch(given["model"], **links, **steps, sampler=host.ace_solver())
    with torch.inference_mode():
        whole_batch, second = host.sample(batch), host.sample(batch.part(1, 2))
    assert_same(whole_batch["samples"][1], second["samples"][0])


def test_the_region_of_several_recordings_is_one(pack: Pack, sources: torch.Tensor) -> None:
    where = {"by": "seconds", "start": 1.0, "end": 2.0}
    audio = {"waveform": sources, "sample_rate": 48_000}
    mask = pack.nodes["AceStep15RegionMask"].execute(audio, where).result[0]
    assert mask.shape == (1, 1, 150)
    assert mask.sum() == 25


@pytest.mark.parametrize("batch", [3, 8])
def test_another_number_of_songs_than_recordings_is_refused(
    pack: Pack, given: dict[str, Any], sources: torch.Tensor, batch: int
) -> None:
    with pytest.raises(Exception, match="Set `batch_size` to 1 or 2"):
        task(pack, given, "Cover", sources, batch)


def test_a_silent_recording_among_others_is_named(
    pack: Pack, given: dict[str, Any], sources: torch.Tensor
) -> None:
    muted = torch.cat([sources[:1], torch.zeros_like(sources[:1])])
    with pytest.raises(Exception, match="The source's item 2 of 2 is silent"):
        task(pack, given, "Cover", muted)


def test_more_recordings_than_songs_at_once_are_refused(
    pack: Pack, given: dict[str, Any], sources: torch.Tensor
) -> None:
    nine = sources[:1].expand(9, -1, -1)
    with pytest.raises(Exception, match="9 items, but at most 8 are made at once"):
        task(pack, given, "Cover", nine)


def test_a_batch_whose_items_were_picked_does_not_get_anothers_sound(
    pack: Pack, given: dict[str, Any], sources: torch.Tensor
) -> None:
    latent = task(pack, given, "Repaint", sources)[2]
    picked = {**latent, "samples": latent["samples"][:1]}
    with pytest.raises(Exception, match="holds 2 sources to put back, but has 1 items"):
        sound(pack, given, picked)

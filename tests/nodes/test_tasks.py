"""The tasks that start from a recording, as nodes on whichever host there is."""

from dataclasses import replace

import pytest
import torch

from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import (
    BASE,
    DEFAULTS,
    Run,
    advanced,
    loaders,
    made,
    sampler,
    task,
    whole,
)
from tests.nodes.without_host import core, core_song, host_task
from tests.rounding import assert_same
from tools.hosts.pack import Pack

SECONDS = 6.0


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_every_task_makes_a_song_as_long_as_its_source(run: Run, kind: str) -> None:
    found = run(whole(kind))
    assert made(found).shape == (1, 64, 150)
    assert made(found).isfinite().all()
    warned = f"the task {kind.lower()}" in found.values["music"][1].lower()
    assert warned == (kind in ("Lego", "Extract", "Complete"))


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_a_task_is_the_same_through_our_sampler_and_through_the_stock_one(
    run: Run, kind: str
) -> None:
    ours = made(run(whole(kind)))
    stock = made(run(advanced(kind)))
    assert_same(ours, stock)


@pytest.mark.parametrize("file", ["melody.flac", "melody.mp3"])
def test_a_source_of_another_kind_is_heard(run: Run, file: str) -> None:
    nodes = {**loaders(), **task("Cover", file), "out": shown("task", 2)}
    samples = run(nodes).values["task"][2]["samples"]
    assert samples.shape[-1] in (150, 151)  # mp3 adds less than a frame
    assert samples.std() > 0.1


def test_cover_strength_one_and_zero_are_the_two_pure_branches(run: Run) -> None:
    covered = made(run(whole("Cover")))
    free = made(run(whole("Cover", cover_strength=0.0)))
    half = made(run(whole("Cover", cover_strength=0.5)))
    assert (covered - free).abs().max() > 0.01
    assert (half - free).abs().max() > 1e-3
    assert (half - covered).abs().max() > 1e-3


def test_the_cover_switch_is_the_cores_in_any_sampler(pack: Pack, run: Run) -> None:
    stock = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
    uncorrected = node("Solver", solver="euler", dcw="off")
    ours = made(run(advanced("Cover", solver=uncorrected, cover_strength=0.5)))
    other = made(run(advanced("Cover", solver=stock, cover_strength=0.5)))
    assert_same(ours, other)


def test_a_cover_with_the_free_text_only_is_text_to_music(run: Run) -> None:
    """At strength 0 neither the source nor its instruction is left."""
    nodes = whole("Cover", cover_strength=0.0)
    plain = whole("Cover")
    plain["task"]["inputs"]["instruction"] = (
        "Fill the audio semantic mask based on the given conditions:"
    )
    given = run({**plain, "out": shown("task", 0)}).values["task"][0]
    free = run({**nodes, "out": shown("task", 0)}).values["task"][0]
    assert torch.equal(free[0][1]["ace_step"].task.text_without_source, given[0][0])


@pytest.mark.parametrize("quantize", [True, False])
def test_a_cover_is_what_the_core_makes_without_a_host(
    pack: Pack, run: Run, quantize: bool
) -> None:
    strengths = {"cover_strength": 0.5, "source_strength": 0.2}
    found = run(whole("Cover", quantize=quantize, **strengths))
    tasks = core(pack, "conditioning.tasks")
    song, text = found.values["song"][0], found.values["text"][0]
    given = host_task(found).task
    task = tasks.cover(song, text, tasks.Length(given.frames, SECONDS), quantize)
    task = tasks.with_cover_strength(task, strengths["cover_strength"], song, text, SECONDS)
    strength = strengths["source_strength"]
    task = replace(task, source=given.source, source_strength=strength)
    assert_same(made(found), core_song(pack, found, task, seeds=(5,)))


def test_extract_and_complete_with_one_instruction_are_one_task(run: Run) -> None:
    words = "Extract the VOCALS track from the audio:"
    first = made(run(whole("Extract", BASE)))
    second = made(run(whole("Complete", BASE, instruction=words)))
    assert torch.equal(first, second)


def test_a_source_in_the_noise_leaves_fewer_steps_and_stays_nearer(run: Run) -> None:
    near = run(whole("Cover", source_strength=0.5))
    far = run(whole("Cover"))
    source = near.values["task"][2]["samples"]
    assert "steps: 2, at t = 0.5" in near.values["music"][1]
    assert (made(near) - source).norm() < (made(far) - source).norm()


def test_a_reference_changes_the_sound_and_two_differ_from_one(run: Run) -> None:
    nodes = whole("Cover")
    plain = made(run(nodes))
    nodes["one"] = node(
        "ReferenceAudio", positive=["task", 0], audio=["sound", 0], vae=["vae", 0], seed=1
    )
    nodes["music"] = sampler(positive=["one", 0])
    one = run(nodes)
    nodes["two"] = node(
        "ReferenceAudio", positive=["one", 0], audio=["sound", 0], vae=["vae", 0], seed=2
    )
    nodes["music"] = sampler(positive=["two", 0])
    two = run(nodes)
    assert host_task(one, "one").task.timbre.shape == (1, 750, 64)
    assert host_task(two, "two").task.timbre.shape == (2, 750, 64)
    assert (made(one) - plain).abs().max() > 1e-4
    assert (made(two) - made(one)).abs().max() > 1e-5


def test_audio_to_audio_is_a_cover_that_is_never_heard(run: Run) -> None:
    found = run(whole("AudioToAudio"))
    cover = run(whole("Cover", cover_strength=0.0, source_strength=0.5))
    assert_same(made(found), made(cover))
    assert torch.equal(found.values["task"][2]["samples"], cover.values["task"][2]["samples"])
    assert "steps: 2, at t = 0.5" in found.values["music"][1]
    assert "source strength: 0.5 of the source at the start" in found.values["music"][1]


def test_audio_to_audio_without_any_of_the_source_is_text_to_music(run: Run) -> None:
    """But as long as the source."""
    found = run(whole("AudioToAudio", ref_audio_strength=0.0))
    covered = made(run(whole("Cover", cover_strength=0.0)))
    assert_same(made(found), covered)

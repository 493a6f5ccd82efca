"""Guidance, solvers, schedules and seeds as nodes, on whichever host there is."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.nodes import music as rendered
from tests.nodes.lm_prompts import complaint, node, shown, song
from tests.nodes.task_prompts import BASE, TURBO, Nodes, advanced, loaders, sampler, times, whole
from tests.nodes.without_host import core, core_song
from tests.rounding import assert_same
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

Run = Callable[[Nodes], Outcome]
GUIDANCE = {"scale": 5.0, "start": 0.0, "end": 1.0, "norm_threshold": 0.0, "velocity_ema": 0.0}


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    return pack.host.run


def plain(model: str = TURBO, batch: int = 1, **changes: Any) -> Nodes:
    """Text to music; `changes` are inputs of the sampler."""
    return {
        **loaders(model),
        "song": song(),
        "task": node(
            "TextToMusic",
            text_encoder=["text", 0],
            vae=["vae", 0],
            song=["song", 0],
            batch_size=batch,
        ),
        "times": times(),
        "music": sampler(**changes),
        "out": shown("music", 1),
    }


def guided(kind: str, model: str = BASE, batch: int = 1, **changes: Any) -> Nodes:
    nodes = plain(model, batch, guidance=["guidance", 0])
    return {**nodes, "guidance": node("Guidance", kind=kind, **GUIDANCE | changes)}


def solved(solver: str, model: str = BASE, **changes: Any) -> Nodes:
    nodes = plain(model, solver=["solver", 0], **changes)
    return {**nodes, "solver": node("Solver", solver=solver)}


def made(outcome: Outcome) -> torch.Tensor:
    assert outcome.complete, outcome.why()
    return outcome.values["music"][0]["samples"].clone()


@pytest.mark.parametrize("kind", ["apg", "adg", "cfg"])
def test_a_guidance_is_the_same_in_our_sampler_and_in_the_stock_one(run: Run, kind: str) -> None:
    ours = made(run(guided(kind)))
    nodes = guided(kind)
    parts = advanced("Cover", BASE)
    nodes |= {name: parts[name] for name in ("guider", "noise", "solver", "music")}
    nodes["guider"]["inputs"]["guidance"] = ["guidance", 0]
    nodes["out"] = shown("music", 0)
    assert_same(made(run(nodes)), ours)
    assert (ours - made(run(guided("cfg", scale=1.0)))).abs().max() > 1e-2


def test_an_interval_of_everything_is_none_and_one_of_nothing_is_no_guidance(run: Run) -> None:
    whole_range, none = made(run(guided("apg"))), made(run(guided("cfg", scale=1.0)))
    nothing = made(run(guided("apg", start=0.001, end=0.002)))
    part = run(guided("apg", start=0.4, end=0.9))
    assert_same(nothing, none)
    assert (made(part) - none).abs().max() > 1e-3
    assert (made(part) - whole_range).abs().max() > 1e-3
    assert "for t from 0.4 to 0.9" in part.values["music"][1]


@pytest.mark.parametrize("extra", [{"norm_threshold": 0.5}, {"velocity_ema": 0.3}])
def test_clamp_and_smoothing_change_the_song(run: Run, extra: dict[str, Any]) -> None:
    assert (made(run(guided("apg", **extra))) - made(run(guided("apg")))).abs().max() > 1e-3


@pytest.mark.parametrize("solver", ["euler", "heun", "sde"])
def test_a_solver_gives_an_item_of_a_batch_what_it_gives_it_alone(run: Run, solver: str) -> None:
    nodes = solved(solver, TURBO, seeds="11, 12, 13")
    nodes["task"]["inputs"]["batch_size"] = 3
    batch = run(nodes)
    alone = made(run(solved(solver, TURBO, seed=12)))
    assert_same(made(batch)[1:2], alone)
    assert batch.values["music"][0]["ace_step"]["seeds"] == (11, 12, 13)
    assert f"solver: {solver}" in batch.values["music"][1]


def test_the_solvers_differ_and_euler_is_the_stock_one(run: Run) -> None:
    found = [made(run(solved(name, TURBO))) for name in ("euler", "heun", "sde")]
    assert (found[0] - found[1]).abs().max() > 1e-3
    assert (found[0] - found[2]).abs().max() > 1e-3
    nodes = plain(solver=["solver", 0])
    nodes["solver"] = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
    uncorrected = solved("euler", TURBO)
    uncorrected["solver"]["inputs"]["dcw"] = "off"
    assert_same(made(run(nodes)), made(run(uncorrected)))


@pytest.mark.parametrize("kind", ["apg", "adg"])
@pytest.mark.parametrize("solver", ["euler", "heun", "sde"])
def test_the_nodes_make_what_the_core_makes_without_a_host(
    pack: Pack, run: Run, solver: str, kind: str
) -> None:
    nodes = guided(kind, batch=2, velocity_ema=0.1)
    nodes["solver"] = node("Solver", solver=solver)
    nodes["music"]["inputs"] |= {"solver": ["solver", 0], "seeds": "5, 6"}
    found = run({**nodes, "a": shown("text", 0), "b": shown("vae", 0), "c": shown("model", 0)})
    values = {name: found.values[name][0] for name in ("text", "song", "guidance")}
    expected = core_song(
        pack,
        found,
        core(pack, "conditioning.tasks").text_to_music(values["song"], values["text"]),
        seeds=(5, 6),
        guidance=values["guidance"],
        solver=core(pack, "sampling.solvers").Solver(solver),
    )
    assert_same(made(found), expected)


@pytest.mark.parametrize(("start", "end"), [(0.2, 0.8), (0.5, 0.5)])
def test_the_ends_of_an_interval_are_guided_as_the_core_guides_them(
    pack: Pack, run: Run, start: float, end: float
) -> None:
    """The times are 1, 0.8, 0.5 and 0.2: single precision holds 0.8 above and 0.2 above itself."""
    found = run(
        {
            **guided("cfg", start=start, end=end),
            "a": shown("text", 0),
            "b": shown("vae", 0),
            "c": shown("model", 0),
        }
    )
    values = {name: found.values[name][0] for name in ("text", "song", "guidance")}
    item = core(pack, "conditioning.tasks").text_to_music(values["song"], values["text"])
    expected = core_song(pack, found, item, seeds=(5,), guidance=values["guidance"])
    assert_same(made(found), expected)


def test_seeds_are_given_drawn_and_recorded(run: Run) -> None:
    found = run(plain(batch=4, seeds="7, -1"))
    seeds = found.values["music"][0]["ace_step"]["seeds"]
    assert seeds[0] == 7
    assert len(set(seeds)) == 4
    assert f"seeds: {', '.join(map(str, seeds))}" in found.values["music"][1]
    assert (
        run(plain(batch=4, seeds="7, -1", retake_seed=0)).values["music"][0]["ace_step"]["seeds"]
        == seeds
    )


def test_too_many_seeds_and_words_are_refused(run: Run) -> None:
    assert "2 seeds were given for 1 items" in complaint(run(plain(seeds="1, 2")))
    assert "'piano' is not a seed" in complaint(run(plain(seeds="piano")))


def test_a_retake_moves_from_the_first_draw_to_the_second(run: Run) -> None:
    first, other = made(run(plain(seed=1))), made(run(plain(seed=9)))
    near = made(run(plain(seed=1, retake_seed=9, retake_variance=0.2)))
    whole_way = made(run(plain(seed=1, retake_seed=9, retake_variance=1.0)))
    assert torch.equal(whole_way, other)
    assert torch.equal(made(run(plain(seed=1, retake_seed=9))), near)  # the usual share
    assert torch.equal(made(run(plain(seed=1, retake_variance=0.6))), first)  # none was asked for
    assert 0 < (near - first).norm() < (near - other).norm()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("1, 0.5, 0.7, 0", "does not fall below"),
        ("1, 0.5, 0.5, 0", "does not fall below"),
        ("1.2, 0.5, 0", "outside 0 to 1"),
        ("1", "at least two times"),
        ("1, half, 0", "'half' is not a time"),
        ("", "at least two times"),
    ],
)
def test_times_that_are_no_schedule_are_refused(run: Run, values: str, said: str) -> None:
    nodes = {**loaders(), "times": times(values), "out": shown("times", 1)}
    assert said in complaint(run(nodes))


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("adg", {"scale": 1.0}, "no guidance"),
        ("apg", {"start": 0.9, "end": 0.1}, "starts at 0.9 and ends at 0.1"),
    ],
)
def test_guidance_that_cannot_be_is_refused(
    run: Run, kind: str, changes: dict[str, Any], said: str
) -> None:
    assert said in complaint(run(guided(kind, **changes)))


def test_a_list_without_its_zero_gets_it_and_turbo_snaps_aloud(run: Run) -> None:
    listed = {"settings.timesteps": "1, 0.51", "settings.snap": True}
    nodes = {
        **loaders(),
        "times": node("Schedule", model=["model", 0], settings="timesteps", **listed),
        "out": shown("times", 1),
    }
    sigmas, report = run(nodes).values["times"]
    assert sigmas.tolist() == [1.0, 0.5, 0.0]
    assert "it was added" in report
    assert "moved 0.51 to 0.5" in report
    nodes["times"]["inputs"]["settings.snap"] = False
    sigmas, report = run(nodes).values["times"]
    assert sigmas.tolist() == pytest.approx([1.0, 0.51, 0.0])
    assert "warning: Turbo was trained on 20 flow times only; 0.51" in report


def test_what_will_not_sound_well_is_warned_of_with_the_reason(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        report = run(guided("apg", TURBO)).values["music"][1]
        lego = run(whole("Lego")).values["music"][1]
    for words, said in (("Guidance 5 on turbo", report), ("The task lego on turbo", lego)):
        assert said.startswith(f"warning: {words}")
        assert words in caplog.text


def test_a_stock_sampler_that_forgets_the_source_is_named(run: Run) -> None:
    nodes = whole("Repaint")
    nodes["solver"] = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
    nodes["music"] = sampler(solver=["solver", 0])
    assert "sample_euler does not put the source back" in run(nodes).values["music"][1]

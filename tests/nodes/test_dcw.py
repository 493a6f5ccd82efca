"""DCW in the Solver and as a patch of the model, on whichever host there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.nodes import music as rendered
from tests.nodes.lm_prompts import complaint, node, shown
from tests.nodes.task_prompts import BASE, TURBO, Nodes, advanced, made, sampler, whole
from tests.nodes.without_host import core, core_song, host_task
from tests.rounding import assert_same, difference
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

Run = Callable[[Nodes], Outcome]
MODES = {
    "low": {"dcw.scaler": 0.1},
    "high": {"dcw.scaler": -0.1},
    "double": {"dcw.scaler": 0.2, "dcw.high_scaler": 0.1},
    "pix": {"dcw.scaler": 0.03},
}
GUIDANCE = {"scale": 5.0, "start": 0.3, "end": 0.9, "norm_threshold": 1.0, "velocity_ema": 0.1}
EULER = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    return pack.host.run


def repaint(model: str = TURBO, solver: dict[str, Any] | None = None, batch: int = 1) -> Nodes:
    """A repaint, which puts its source back after the correction; our solver unless one is given.

    What it is compared with needs loaders and task among the values.
    """
    nodes = whole("Repaint", model, batch_size=batch)
    for name in ("model", "text", "vae"):
        nodes[f"show_{name}"] = shown(name, 0)
    if solver is not None:
        nodes["solver"] = solver
        nodes["music"] = sampler(solver=["solver", 0])
    return nodes


def solved(mode: str, model: str = TURBO, batch: int = 1, **scalers: float) -> Nodes:
    return repaint(model, node("Solver", solver="euler", dcw=mode, **scalers), batch)


def patched(mode: str, model: str = TURBO, solver: dict[str, Any] = EULER, **changes: Any) -> Nodes:
    """The model behind ACE-Step DCW, under the stock sampler euler unless another is given."""
    nodes = repaint(model, solver)
    nodes["patch"] = node("DCW", model=["model", 0], dcw=mode, **changes)
    nodes["music"]["inputs"]["model"] = ["patch", 0]
    return nodes


def line(found: Outcome) -> str:
    return next(each for each in found.values["music"][1].splitlines() if each.startswith("dcw"))


def dcw(pack: Pack, mode: str, scaler: float, high_scaler: float = 0.02) -> Any:
    module = core(pack, "sampling.dcw")
    return module.DCW(module.DCWMode(mode), scaler, high_scaler)


def test_the_sampler_corrects_turbo_by_itself_and_says_so(pack: Pack, run: Run) -> None:
    found = run(repaint())
    task = host_task(found).task
    assert_same(made(found), core_song(pack, found, task, seeds=(5,)))
    assert line(found) == "dcw: DCW double 0.05 and 0.02"
    for same in (solved("auto"), repaint(solver=node("Solver", solver="euler"))):
        assert torch.equal(made(run(same)), made(found))
    off = run(solved("off"))
    assert line(off) == "dcw: off"
    april = core_song(pack, off, task, seeds=(5,), dcw=core(pack, "sampling.dcw").DCW_OFF)
    assert_same(made(off), april)
    assert difference(made(off), made(found)) > 1e-3


def test_base_is_left_alone_unless_it_is_asked_for(pack: Pack, run: Run) -> None:
    auto, off = run(solved("auto", BASE)), run(solved("off", BASE))
    assert line(auto) == line(off) == "dcw: off"
    assert torch.equal(made(auto), made(off))
    asked = run(solved("double", BASE, **MODES["double"]))
    assert line(asked) == "dcw: DCW double 0.2 and 0.1"
    assert difference(made(asked), made(off)) > 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_the_solver_is_the_cores(pack: Pack, run: Run, mode: str) -> None:
    found = run(solved(mode, batch=2, **MODES[mode]))
    applied = dcw(pack, mode, *MODES[mode].values())
    seeds = found.values["music"][0]["ace_step"]["seeds"]
    task = host_task(found).task
    assert_same(made(found), core_song(pack, found, task, seeds=seeds, dcw=applied))


def test_scalers_that_are_left_out_are_the_official_ones(run: Run) -> None:
    assert line(run(solved("double"))) == "dcw: DCW double 0.05 and 0.02"
    assert line(run(solved("pix"))) == "dcw: DCW pix 0.05"


def test_sde_is_not_corrected_and_refuses_to_be(run: Run) -> None:
    found = run(repaint(solver=node("Solver", solver="sde")))
    assert line(found) == "dcw: off"
    forced = repaint(solver=node("Solver", solver="sde", dcw="low", **MODES["low"]))
    assert "DCW low 0.1 corrects the steps of euler and heun" in complaint(run(forced))


@pytest.mark.parametrize("mode", MODES)
def test_a_patched_model_under_the_stock_euler_ends_where_our_solver_does(
    run: Run, mode: str
) -> None:
    """Aggressive, because no stock sampler puts the source back while it samples."""
    nodes = patched(mode, **MODES[mode])
    ours = solved(mode, **MODES[mode])
    for each in (nodes, ours):
        each["task"]["inputs"] |= {"mode": "aggressive"}
    found, wanted = run(nodes), run(ours)
    assert_same(made(found), made(wanted))
    assert line(found).endswith(", exact for the sampler euler")
    nodes["music"]["inputs"]["model"] = ["model", 0]
    assert difference(made(run(nodes)), made(wanted)) > 1e-3


def test_a_patch_follows_the_variant_and_says_what_it_chose(run: Run) -> None:
    for model, said in ((TURBO, "turbo: DCW double 0.05 and 0.02"), (BASE, "base: DCW off")):
        found = run(patched("auto", model))
        assert found.values["patch"][1] == said
        plain = made(run(repaint(model, EULER)))
        assert torch.equal(made(found), plain) == (model == BASE)


def test_without_a_patch_the_report_says_that_a_stock_sampler_corrects_nothing(run: Run) -> None:
    said = "dcw: off, as sample_euler corrects no steps: put ACE-Step DCW behind the model"
    assert line(run(repaint(TURBO, EULER))) == said
    assert line(run(repaint(BASE, EULER))) == "dcw: off"


def test_our_solver_corrects_a_patched_model_once(run: Run) -> None:
    ours = node("Solver", solver="euler", dcw="high", **MODES["high"])
    found = run(patched("low", solver=ours, **MODES["low"]))
    assert torch.equal(made(found), made(run(solved("high", **MODES["high"]))))
    assert line(found) == "dcw: DCW high -0.1"


def test_a_second_patch_takes_the_place_of_the_first(run: Run) -> None:
    twice = patched("low", **MODES["low"])
    twice["again"] = node("DCW", model=["patch", 0], dcw="pix", **MODES["pix"])
    twice["music"]["inputs"]["model"] = ["again", 0]
    assert torch.equal(made(run(twice)), made(run(patched("pix", **MODES["pix"]))))
    twice["again"] = node("DCW", model=["patch", 0], dcw="off")
    assert torch.equal(made(run(twice)), made(run(repaint(TURBO, EULER))))


def test_guided_steps_are_corrected_after_the_guidance(run: Run) -> None:
    ours, stock = solved("low", BASE, **MODES["low"]), patched("low", BASE, **MODES["low"])
    for each in (ours, stock):
        each["task"]["inputs"] |= {"mode": "aggressive"}
        each["guidance"] = node("Guidance", kind="apg", **GUIDANCE)
        each["music"]["inputs"]["guidance"] = ["guidance", 0]
    assert_same(made(run(stock)), made(run(ours)))


def test_the_stock_sampler_with_our_solver_corrects_too(run: Run) -> None:
    whole_run = advanced("Repaint")
    assert_same(made(run(whole_run)), made(run(repaint())))
    whole_run["solver"]["inputs"]["dcw"] = "off"
    assert_same(made(run(whole_run)), made(run(solved("off"))))


def test_an_option_that_there_is_not_is_refused(run: Run) -> None:
    """Hosts leave such an option out of what they hand on, as a missing one."""
    found = run(patched("all of them"))
    assert "`dcw` has no option of this node. Choose one of auto, off, low" in complaint(found)

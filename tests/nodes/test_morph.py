"""ACE-Step Morph on whichever host there is: the core's numbers, and what it promises."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.nodes.lm_prompts import complaint, node, shown
from tests.nodes.task_prompts import BASE, SOURCE_SONG, TURBO, Run, advanced, made, sampler, whole
from tests.nodes.without_host import core, core_song, host_task
from tests.rounding import SINGLE, assert_same, difference
from tools.hosts.pack import Pack

MODELS = [TURBO, BASE]
STOCK = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
WINDOW = {"n_min": 0.2, "n_max": 0.7, "n_avg": 2}
SECONDS = 6.0


Nodes = dict[str, dict[str, Any]]


def guidance(kind: str = "apg", **changes: Any) -> dict[str, Any]:
    given = {"kind": kind, "scale": 3.0, "start": 0.0, "end": 1.0}
    return node("Guidance", **given, **{"norm_threshold": 0.0, "velocity_ema": 0.0, **changes})


def morph(model: str = TURBO, **changes: Any) -> Nodes:
    """By our sampler: without guidance on turbo, by APG and a moving average on base."""
    nodes = whole("Morph", model, **changes)
    if model == BASE:
        nodes["guidance"] = guidance(velocity_ema=0.2)
        nodes["music"] = sampler(guidance=["guidance", 0])
    return nodes


def advanced_morph(model: str = TURBO, solver: Any = None, **changes: Any) -> Nodes:
    """The same by the stock SamplerCustomAdvanced."""
    nodes = advanced("Morph", model, solver, **changes)
    if model == BASE:
        nodes["guidance"] = guidance(velocity_ema=0.2)
        nodes["guider"]["inputs"]["guidance"] = ["guidance", 0]
    return nodes


def with_equal_words(nodes: Nodes) -> Nodes:
    return {**nodes, "song": {**nodes["song"], "inputs": nodes["song"]["inputs"] | SOURCE_SONG}}


def recording_of(found: Any) -> torch.Tensor:
    return found.values["task"][2]["samples"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("context", ["silence", "codes", "latent"])
def test_a_morph_is_what_the_core_makes_without_a_host(
    pack: Pack, run: Run, model: str, context: str
) -> None:
    found = run({**morph(model, context=context, **WINDOW), "o": shown("source_song", 0)})
    tasks, values = core(pack, "conditioning.tasks"), found.values
    task_module = core(pack, "task")
    use = {"silence": "INIT_ONLY", "codes": "QUANTIZED", "latent": "WHOLE"}[context]
    window = task_module.EditWindow(**WINDOW)
    songs = tasks.SongEdit(values["source_song"][0], values["song"][0], window)
    given = host_task(found).task
    length = tasks.Length(given.frames, SECONDS)
    task = tasks.morph(songs, values["text"][0], length, getattr(task_module.SourceUse, use))
    task = replace(task, source=given.source)
    chosen = values["guidance"][0] if model == BASE else None
    off = core(pack, "sampling.dcw").DCW_OFF
    expected = core_song(pack, found, task, seeds=(5,), guidance=chosen, dcw=off)
    assert_same(made(found), expected)
    assert difference(made(found), recording_of(found)) > 1e-3


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("draws", [1, 2])
def test_equal_words_give_the_recording_back(run: Run, model: str, draws: int) -> None:
    found = run(with_equal_words(morph(model, n_avg=draws)))
    assert difference(made(found), recording_of(found)) < SINGLE


def test_an_empty_window_is_text_to_music_as_long_as_the_recording(run: Run) -> None:
    free = run(
        {
            **whole("AudioToAudio", ref_audio_strength=0.0),
            "uncorrected": node("Solver", solver="euler", dcw="off"),
            "music": sampler(solver=["uncorrected", 0]),
        }
    )
    assert difference(made(run(morph(n_max=0.0))), made(free)) < SINGLE


@pytest.mark.parametrize("model", MODELS)
def test_a_narrow_window_changes_less_than_a_wide_one(run: Run, model: str) -> None:
    found = [run(morph(model, n_min=share)) for share in (0.75, 0.0)]
    narrow, wide = ((made(each) - recording_of(each)).norm() for each in found)
    assert 0 < narrow < wide


@pytest.mark.parametrize("model", MODELS)
def test_the_stock_sampler_morphs_with_our_solver_as_ours_does(run: Run, model: str) -> None:
    ours, stock = made(run(morph(model, **WINDOW))), made(run(advanced_morph(model, **WINDOW)))
    assert_same(ours, stock)


def test_a_stock_guider_morphs_with_plain_guidance(pack: Pack, run: Run) -> None:
    import comfy.samplers

    nodes = whole("Morph", BASE, **WINDOW)
    nodes |= {"guidance": guidance("cfg"), "music": sampler(guidance=["guidance", 0])}
    found = run({**nodes, "solver": node("Solver", solver="euler"), "o": shown("solver", 0)})
    positive, negative, latent = found.values["task"][:3]
    stock = comfy.samplers.CFGGuider(found.values["model"][0])
    stock.set_conds(positive, negative)
    stock.set_cfg(3.0)
    noise = core(pack, "sampling.recipe").noise((5,), 150).transpose(1, 2)
    chosen, times = found.values["solver"][0], found.values["times"][0]
    with torch.inference_mode():
        theirs = stock.sample(noise, latent["samples"], chosen, times, seed=5)
    assert difference(theirs, made(found)) < SINGLE


def test_a_stock_sampler_is_refused_in_words(run: Run) -> None:
    assert "This sampler cannot morph" in complaint(run(advanced_morph(solver=STOCK)))
    nodes = {**morph(), "stock": STOCK}
    nodes["music"] = sampler(solver=["stock", 0])
    assert "which a stock sampler does not" in complaint(run(nodes))


@pytest.mark.parametrize("solver", ["heun", "sde"])
@pytest.mark.parametrize("through", [morph, advanced_morph])
def test_another_solver_than_euler_is_refused(run: Run, solver: str, through: Any) -> None:
    chosen = node("Solver", solver=solver)
    if through is morph:
        nodes = {**morph(), "solver": chosen, "music": sampler(solver=["solver", 0])}
    else:
        nodes = advanced_morph(solver=chosen)
    assert f"the solver {solver}" in complaint(run(nodes))


def test_adg_is_refused(run: Run) -> None:
    for nodes in (morph(BASE), advanced_morph(BASE)):
        assert "ADG" in complaint(run({**nodes, "guidance": guidance("adg")}))


def test_the_report_names_the_window(run: Run) -> None:
    said = run(morph(**WINDOW)).values["music"][1]
    assert "morph: the words are exchanged from 0.2 to 0.7 of the steps, 2 draws per step" in said


def test_the_seed_decides_and_each_item_has_its_own(run: Run) -> None:
    first, again = made(run(morph())), made(run(morph(batch_size=2)))
    assert difference(again[:1], first) < SINGLE
    assert difference(again[1:], first) > 1e-4


def test_a_retake_is_mixed_into_every_draw(run: Run) -> None:
    def taken(**seeds: Any) -> torch.Tensor:
        nodes = morph(n_avg=2)
        nodes["music"] = sampler(**seeds)
        return made(run(nodes))

    other = taken(seed=9)
    retaken = taken(seed=5, retake_seed=9, retake_variance=1.0)
    assert difference(retaken, other) < SINGLE
    assert difference(taken(seed=5), other) > 1e-4


def test_a_preview_of_the_steps_is_drawn_for_each(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import latent_preview

    seen: list[tuple[int, int]] = []
    real = latent_preview.prepare_callback

    def recorded(*given: Any, **more: Any) -> Any:
        callback = real(*given, **more)

        def inner(step: int, x0: torch.Tensor, x: torch.Tensor, total: int) -> None:
            assert x0.shape == x.shape == (1, 64, 150)
            seen.append((step, total))
            callback(step, x0, x, total)

        return inner

    monkeypatch.setattr(latent_preview, "prepare_callback", recorded)
    made(run({**morph(n_min=0.25, n_max=0.5, n_avg=2), "k": shown("music", 1)}))
    assert seen == [(1, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize("nodes", [morph, advanced_morph])
def test_a_correction_that_is_chosen_is_refused(run: Run, nodes: Any) -> None:
    corrected = node("Solver", solver="euler", dcw="double")
    if nodes is advanced_morph:
        prompt = advanced_morph(solver=corrected)
    else:
        prompt = {**morph(), "corrected": corrected, "music": sampler(solver=["corrected", 0])}
    assert "cannot follow DCW double 0.05 and 0.02 (turn it off)" in complaint(run(prompt))

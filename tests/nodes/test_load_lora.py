"""Adapters on the canvas: their strength, their report, and those of another model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.nodes import music as rendered
from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import Nodes, sampler, times, whole
from tests.rounding import assert_same
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

LAYERS = ("layers.1.self_attn.q_proj", "layers.1.cross_attn.k_proj")
Save = Callable[..., str]


@pytest.fixture(scope="module")
def weights(pack: Pack, models: Path, base_directory: Path) -> dict[str, torch.Tensor]:
    """The decoder of the miniature turbo; and the recording that covers start from."""
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    found = pack.host.run({**whole("Cover"), "out": shown("model", 0)}).values["model"][0]
    state = found.model.state_dict()
    return {name: state[f"diffusion_model.decoder.{name}.weight"].clone() for name in LAYERS}


@pytest.fixture
def save(models: Path, weights: dict[str, torch.Tensor]) -> Save:
    """Writes a rank 2 adapter into models/loras and says what the widget names."""

    def save(
        name: str, prefix: str = "base_model.model.", config: Any = None, width: int = 0
    ) -> str:
        folder = models / "loras" / name
        folder.mkdir(parents=True, exist_ok=True)
        draw = torch.Generator().manual_seed(3)
        adapter = {}
        for layer, weight in weights.items():
            rows, columns = weight.shape
            down = torch.randn(2, width or columns, generator=draw)
            adapter[f"{prefix}{layer}.lora_A.weight"] = down
            adapter[f"{prefix}{layer}.lora_B.weight"] = torch.randn(rows, 2, generator=draw)
        save_file(adapter, folder / "adapter_model.safetensors")
        if config is not None:
            (folder / "adapter_config.json").write_text(json.dumps(config))
        return f"{name}/adapter_model.safetensors"

    return save


def song(*adapters: tuple[str, float]) -> Nodes:
    """A cover on a model with adapters in a row."""
    nodes = whole("Cover")
    last = "model"
    for place, (file, strength) in enumerate(adapters):
        nodes[f"lora{place}"] = node("LoadLoRA", model=[last, 0], file=file, strength=strength)
        last = f"lora{place}"
    nodes["times"] = times()
    nodes["music"] = sampler(model=[last, 0])
    return nodes


def samples(outcome: Outcome) -> torch.Tensor:
    assert outcome.complete, outcome.why()
    return outcome.values["music"][0]["samples"].clone()


def test_alpha_by_rank_is_the_true_strength(pack: Pack, save: Save) -> None:
    """Alpha 4 at rank 2 is twice what the bare weights give: as strength 2 on them."""
    run = pack.host.run
    bare, told = save("bare"), save("told", config={"r": 2, "lora_alpha": 4})
    plain = samples(run(song()))
    one, two = samples(run(song((told, 1.0)))), samples(run(song((bare, 2.0))))
    assert_same(one, two)
    assert (one - plain).abs().max() > 1e-4
    assert (one - samples(run(song((bare, 1.0))))).abs().max() > 1e-4
    assert torch.equal(samples(run(song((told, 0.0)))), plain)


def test_both_spellings_give_the_same_song_and_adapters_in_a_row_add_up(
    pack: Pack, save: Save
) -> None:
    run = pack.host.run
    official, single = save("official"), save("single", "diffusion_model.decoder.")
    one = samples(run(song((official, 1.0))))
    assert torch.equal(samples(run(song((single, 1.0)))), one)
    both = samples(run(song((official, 0.5), (single, 0.5))))
    assert_same(both, one)


def test_the_report_says_what_fitted_and_where_the_strength_is_from(pack: Pack, save: Save) -> None:
    told, bare = save("told", config={"r": 2, "lora_alpha": 4}), save("bare")
    for file, words in ((told, "alpha from adapter_config.json"), (bare, "no alpha in the file")):
        nodes = song((file, 1.0))
        nodes["out"] = shown("lora0", 1)
        report = pack.host.run(nodes).values["lora0"][1]
        assert "2 weights changed, strength 1" in report
        assert words in report


def test_an_adapter_of_another_width_is_refused_by_name(pack: Pack, save: Save) -> None:
    outcome = pack.host.run(song((save("wide", width=20), 1.0)))
    assert outcome.status == "error"
    assert outcome.error is not None
    assert "was made for another model" in outcome.error["exception_message"]


def test_a_file_that_is_not_there_is_refused_before_anything_runs(pack: Pack) -> None:
    outcome = pack.host.run(song(("none.safetensors", 1.0)))
    assert outcome.status == "refused"
    assert "lora0" in outcome.node_errors

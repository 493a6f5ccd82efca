"""At strength 1 our decoder with an adapter is the official one with it, whoever wrote the file."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ace_core.errors import CheckpointError
from ace_core.models.acestep import AceStepModel
from ace_core.weights.lora import Adapter, read_adapter
from tests.adapters import ALONE, CASES, FOLDER, LIMIT, file_of, golden, velocity
from tests.parity import ours
from tests.rounding import difference


def decoder(xl: bool = False) -> nn.Module:
    """A fresh one: merging is for good."""
    model = AceStepModel(ours.config(xl))
    model.load_state_dict(ours.weights(model, "xl" if xl else "2b"))
    return model.double().requires_grad_(False).eval().decoder


@torch.no_grad()
def merge(net: nn.Module, adapter: Adapter, strength: float) -> None:
    """Put an adapter into the weights, for good; several in a row add up."""
    for name, change in adapter.deltas.items():
        weight = net.get_parameter(f"{name}.weight")
        weight.copy_(change.added(weight, strength))


def read(name: str, into: nn.Module) -> Adapter:
    shapes = {key: tuple(weight.shape) for key, weight in into.state_dict().items()}
    return read_adapter(file_of(name), shapes)


def test_the_bare_decoder_is_the_official_one():
    assert difference(velocity(decoder()), golden()["none"]) < LIMIT


@pytest.mark.parametrize("case", CASES)
def test_an_adapter_does_what_it_does_in_the_official_code(case: str):
    net = decoder()
    for name, strength in CASES[case]:
        adapter = read(name, net)
        assert adapter.unmatched == ()
        merge(net, adapter, strength)
    assert difference(velocity(net), golden()[case]) < LIMIT
    assert difference(golden()[case], golden()["none"]) > 0.5  # the adapter changes the output


@pytest.mark.parametrize("name", ALONE)
def test_at_strength_zero_an_adapter_is_not_there(name: str):
    net = decoder()
    before = velocity(net)
    merge(net, read(name, net), 0.0)
    assert velocity(net).equal(before)


@pytest.mark.parametrize("name", ALONE)
def test_no_adapter_fits_a_model_of_another_width(name: str):
    with pytest.raises(CheckpointError, match="made for another model: its delta of"):
        read(name, decoder(xl=True))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lora_alpha", "adapter_config.json"),
        ("lora_diffusers", "the file's header"),
        ("lokr_official", "the file"),
    ],
)
def test_the_report_says_where_the_strength_is_from(name: str, words: str):
    assert read(name, decoder()).scale_source == f"alpha from {words}"


def test_a_folder_is_read_as_its_file(tmp_path: Path):
    net = decoder()
    shapes = {key: tuple(weight.shape) for key, weight in net.state_dict().items()}
    for name in ("lora_alpha", "lokr_official", "lora_diffusers"):
        found = read_adapter(FOLDER / name, shapes)
        assert found.deltas.keys() == read(name, net).deltas.keys()

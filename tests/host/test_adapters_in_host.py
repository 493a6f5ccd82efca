"""The official adapters on a MODEL of a real ComfyUI: the same numbers at strength 1."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.adapters import CASES, LIMIT, file_of, golden, velocity
from tests.parity import ours
from tests.rounding import difference
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def toy(pack: Pack, models: Path) -> Any:
    """The parity goldens' model, loaded from a file as a user's is."""
    file = models / "diffusion_models" / "parity_turbo.safetensors"
    state = ours.models("2b", torch.float32).dit.state_dict()
    save_file({name: weight.contiguous() for name, weight in state.items()}, file)
    return pack.submodule("nodes.host").load_model(file, None, "fp32")


def loaded(model: Any) -> Any:
    """The decoder with the patches of a MODEL on its weights."""
    import comfy.model_management

    comfy.model_management.load_models_gpu([model], force_patch_weights=True)
    return model.model.diffusion_model.decoder


def with_adapters(pack: Pack, model: Any, case: str) -> Any:
    for name, strength in CASES[case]:
        model, _ = pack.submodule("nodes.host").with_adapter(model, file_of(name), strength)
    return model


@pytest.mark.parametrize("case", CASES)
def test_an_adapter_does_in_the_host_what_it_does_in_the_official_code(
    pack: Pack, toy: Any, case: str
) -> None:
    changed = with_adapters(pack, toy, case)
    assert difference(velocity(loaded(changed)), golden()[case]) < LIMIT
    assert difference(velocity(loaded(toy)), golden()["none"]) < LIMIT  # and it comes off


def stock(model: Any, name: str, strength: float) -> torch.Tensor:
    """What the host's own Load LoRA makes of the file alone."""
    import comfy.sd
    import comfy.utils

    weights = comfy.utils.load_torch_file(str(file_of(name)))
    return velocity(loaded(comfy.sd.load_lora_for_models(model, None, weights, strength, 0)[0]))


def test_the_stock_loader_plays_an_official_lora_too_weakly(toy: Any) -> None:
    """Alpha 10 at rank 4: it needs a strength of 2.5 there, because the file holds no alpha."""
    assert difference(stock(toy, "lora_alpha", 2.5), golden()["lora_alpha"]) < LIMIT
    assert difference(stock(toy, "lora_alpha", 1.0), golden()["lora_alpha"]) > 0.1


def test_the_stock_loader_plays_an_official_lokr_but_no_dora(toy: Any) -> None:
    """Its alpha lies in the file; of a DoRA it divides by the length before the change."""
    assert difference(stock(toy, "lokr_official", 1.0), golden()["lokr_official"]) < LIMIT
    assert difference(stock(toy, "lokr_dora", 1.0), golden()["lokr_dora"]) > 0.1

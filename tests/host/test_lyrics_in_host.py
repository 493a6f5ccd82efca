"""Attention maps of the lyrics, computed under the host's memory manager."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.host.studio import Studio, open_studio
from tests.rounding import assert_same
from tools.hosts.pack import Pack

HEADS = "1: 0, 2; 3: 1"


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


def adapted(studio: Studio, file: Path) -> Any:
    """The MODEL with an adapter on what is looked with and looked at."""
    draw, weights = torch.Generator().manual_seed(1), {}
    for part in ("q_proj", "k_proj"):
        name = f"layers.1.cross_attn.{part}"
        rows, columns = studio.model.model.diffusion_model.decoder.get_submodule(name).weight.shape
        weights[f"base_model.model.{name}.lora_A.weight"] = torch.randn(2, columns, generator=draw)
        weights[f"base_model.model.{name}.lora_B.weight"] = torch.randn(rows, 2, generator=draw)
    save_file(weights, file)
    return studio.host.with_adapter(studio.model, file, 1.0)[0]


def maps_of(studio: Studio, model: Any) -> torch.Tensor:
    types, alignment = studio.core("types"), studio.core("alignment.lyric_tokens")
    song = types.Song("calm piano", "[Verse]\nla la", 10.04)
    tokens = alignment.lyric_tokens(studio.text.tokenizer, song)
    latent = torch.randn(1, 64, studio.frames, generator=torch.Generator().manual_seed(4))
    (maps,) = studio.host.lyric_maps(model, studio.positive, {"samples": latent}, tokens, HEADS)
    return maps.clone()


def test_a_model_that_is_loaded_layer_by_layer_attends_as_the_whole_one_does(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also through its adapter, which the host then adds as each layer is used."""
    model = adapted(studio, tmp_path / "looking.safetensors")
    whole = maps_of(studio, model)
    management = importlib.import_module("comfy.model_management")
    load, left = management.load_models_gpu, []

    def in_part(models: list, *args: Any, **kwargs: Any) -> None:
        load(models, *args, **kwargs)
        for each in models:
            each.partially_unload(each.offload_device, each.model_size())
            left.append(each.loaded_size() / each.model_size())

    monkeypatch.setattr(management, "load_models_gpu", in_part)
    assert_same(maps_of(studio, model), whole)
    assert left == [pytest.approx(0.0, abs=0.1)]
    assert (maps_of(studio, studio.model) - whole).abs().max() > 1e-4

"""What stock nodes save of a model that is held in int8: every loader there is reads it again."""

import importlib
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.host.stock import (
    Weights,
    comfy,
    cover,
    dit_weights,
    stock_clip,
    stock_model,
    stock_studio,
)
from tests.host.studio import Studio
from tests.host.test_int8_in_host import adapted, likeness
from tools.hosts.pack import Pack

PREFIX = "model.diffusion_model."
LAYER = "decoder.layers.1.mlp.up_proj"
LIMIT = {"atol": 1e-4, "rtol": 0}  # float32 of another order
EXACT = {"format": "int8_tensorwise", "full_precision_matrix_mult": True}


@pytest.fixture(scope="module")
def whole(pack: Pack, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return stock_studio(pack, models, dit_weights(), tmp_path_factory.mktemp("saving"))


@pytest.fixture(scope="module")
@torch.inference_mode()
def small(whole: Studio) -> Studio:
    file = whole.folder / "acestep_v1.5_turbo_stock.safetensors"
    return replace(whole, model=whole.host.load_model(file, None, "int8"))


def knows_int8() -> bool:
    return "int8_tensorwise" in comfy("quant_ops").QUANT_ALGOS


@torch.inference_mode()  # as the executor runs every node
def saved(model: Any, folder: Path, node: str = "ModelSave", **more: Any) -> Path:
    """The file that a stock node writes."""
    merging = importlib.import_module("comfy_extras.nodes_model_merging")
    saver = merging.NODE_CLASS_MAPPINGS[node]()
    saver.output_dir = str(folder)
    saver.save(model, filename_prefix="acestep_v1.5_turbo_saved", **more)
    (file,) = folder.glob("*.safetensors")
    return file


def song(studio: Studio, model: Any = None) -> torch.Tensor:
    return studio.sampled(model=model, positive=cover(studio))


def same(one: Any, other: Any) -> None:
    """No bit of the weights differs. Of a song the last bits do: they depend on where in a mapped
    file a weight lies."""
    held, exact = (rows_of(each.model.diffusion_model) for each in (one, other))
    assert held.keys() == exact.keys()
    assert [name for name, weight in held.items() if not torch.equal(weight, exact[name])] == []


def rows_of(net: Any) -> Weights:
    """Every weight as it is held."""
    found = {}
    for name, weight in net.named_parameters():
        if hasattr(weight, "_qdata"):
            found |= {name: weight._qdata, f"{name}_scale": weight._params.scale}
        else:
            found[name] = weight
    return dict(sorted(found.items()))


@torch.inference_mode()
def loaded(studio: Studio, file: Path, dtype: str = "auto") -> Any:
    return studio.host.load_model(file, None, dtype)


def as_newer_hosts_write(model: Any, folder: Path) -> Path:
    """The file of an int8 model, layer by layer, on any host."""
    net = model.model.diffusion_model
    tensors = {}
    for name, layer in net.named_modules():
        if getattr(layer, "quantizes", False):
            tensors[f"{name}.weight"] = layer.weight._qdata
            tensors[f"{name}.weight_scale"] = layer.weight._params.scale[:, None]
            tensors[f"{name}.comfy_quant"] = mark(EXACT)
    everything = {
        name: each.detach().clone() for name, each in (net.state_dict() | tensors).items()
    }
    save_file(everything, folder / "acestep_v1.5_turbo_newer.safetensors")
    return folder / "acestep_v1.5_turbo_newer.safetensors"


def mark(settings: dict[str, Any]) -> torch.Tensor:
    return torch.tensor(list(json.dumps(settings).encode()), dtype=torch.uint8)


@torch.inference_mode()
def test_int8_is_written_as_the_hosts_own_format_or_dequantised(
    small: Studio, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        tensors = load_file(saved(small.model, tmp_path))
    weight = tensors[f"{PREFIX}{LAYER}.weight"]
    held = small.model.model.diffusion_model.get_submodule(LAYER).weight
    if knows_int8():
        assert torch.equal(weight, held._qdata)
        scale = tensors[f"{PREFIX}{LAYER}.weight_scale"]
        assert torch.equal(scale, held._params.scale[:, None])
        assert bytes(tensors[f"{PREFIX}{LAYER}.comfy_quant"].tolist()) == json.dumps(EXACT).encode()
        assert "written dequantised" not in caplog.text
    else:
        assert torch.equal(weight, held.dequantize())
        assert not [name for name in tensors if name.endswith((".weight_scale", ".comfy_quant"))]
        assert "written dequantised" in caplog.text


@torch.inference_mode()
def test_a_saved_model_makes_the_same_song_again(small: Studio, tmp_path: Path) -> None:
    file = saved(small.model, tmp_path)
    again = loaded(small, file, "auto" if knows_int8() else "int8")
    assert again.model.diffusion_model.get_submodule(LAYER).weight.storage_dtype is torch.int8
    if knows_int8():
        same(again, small.model)
    torch.testing.assert_close(song(small, again), song(small), **LIMIT)


@torch.inference_mode()
def test_a_file_of_a_newer_host_makes_the_same_song_on_any(small: Studio, tmp_path: Path) -> None:
    file = as_newer_hosts_write(small.model, tmp_path)
    for dtype in ("auto", "int8", "fp32"):
        again = loaded(small, file, dtype)
        assert again.model.diffusion_model.get_submodule(LAYER).weight.storage_dtype is torch.int8
        assert again.model_size() == small.model.model_size()
        same(again, small.model)
        torch.testing.assert_close(song(small, again), song(small), **LIMIT)


@torch.inference_mode()
def test_int8_of_another_tool_is_read_where_the_host_knows_none(
    small: Studio, tmp_path: Path
) -> None:
    """A scale for all rows, a layer in another place, and no word about products."""
    tensors = dit_weights()
    for name in (f"{LAYER}.weight", "decoder.time_embed.linear_1.weight"):
        scale = tensors[name].abs().max() / 127
        tensors[name] = (tensors[name] / scale).round().to(torch.int8)
        tensors[name.replace(".weight", ".weight_scale")] = scale
        tensors[name.replace(".weight", ".comfy_quant")] = mark({"format": "int8_tensorwise"})
    save_file(tensors, tmp_path / "acestep_v1.5_turbo_theirs.safetensors")
    model = loaded(small, tmp_path / "acestep_v1.5_turbo_theirs.safetensors", "fp32")
    net = model.model.diffusion_model
    assert net.get_submodule(LAYER).weight.storage_dtype is torch.int8
    assert net.get_submodule("decoder.layers.0.mlp.up_proj").weight.dtype is torch.float32
    plain = loaded(small, small.folder / "acestep_v1.5_turbo_stock.safetensors", "fp32")
    assert likeness(song(small, model), song(small, plain)) > 0.999


def stripped(file: Path) -> Weights:
    return {name.removeprefix(PREFIX): each for name, each in load_file(file).items()}


@torch.inference_mode()
def test_the_hosts_own_loader_reads_what_was_saved(small: Studio, tmp_path: Path) -> None:
    tensors = stripped(saved(small.model, tmp_path))
    quants = {"quant_config": {"mixed_ops": True}} if knows_int8() else {}
    stock = stock_model(tensors, cast=torch.float32, **quants)
    layer = stock.model.diffusion_model.get_submodule(LAYER)
    assert hasattr(layer.weight, "_qdata") == knows_int8()
    assert likeness(song(small, stock), song(small)) > 0.9999


@torch.inference_mode()
def test_a_lora_is_saved_with_the_weights(small: Studio, tmp_path: Path) -> None:
    changed = adapted(small)
    file = saved(changed, tmp_path)
    made = song(small, loaded(small, file, "auto" if knows_int8() else "int8"))
    assert likeness(made, song(small, changed)) > 0.999
    assert likeness(made, song(small)) < 0.996


@pytest.mark.parametrize("with_lora", [False, True])
@torch.inference_mode()
def test_weights_that_are_not_loaded_are_saved_as_those_that_are(
    small: Studio, tmp_path: Path, with_lora: bool
) -> None:
    """As they are under dynamic VRAM, or where the GPU is too small."""
    model = adapted(small) if with_lora else small.model
    whole = load_file(saved(model, tmp_path))
    layer = model.model.diffusion_model.get_submodule(LAYER)
    model.partially_unload(model.offload_device, model.model_size())
    assert not getattr(layer, "comfy_patched_weights", False)
    file = tmp_path / "part.safetensors"
    comfy("utils").save_torch_file(model.state_dict_for_saving(), str(file))
    part = load_file(file)
    assert part.keys() == whole.keys()
    assert [name for name, each in part.items() if not torch.equal(each, whole[name])] == []


@torch.inference_mode()
def test_an_all_in_one_file_holds_it(small: Studio, tmp_path: Path) -> None:
    file = saved(small.model, tmp_path, "CheckpointSave", clip=stock_clip(), vae=small.vae)
    model = loaded(small, file, "auto" if knows_int8() else "int8")
    torch.testing.assert_close(song(small, model), song(small), **LIMIT)
    latent = torch.randn(1, 64, 5, generator=torch.Generator().manual_seed(1))
    vae = small.host.load_vae(file, "fp32")
    torch.testing.assert_close(vae.decode(latent), small.vae.decode(latent), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_a_lora_is_found_where_nothing_tells_who_saves(small: Studio) -> None:
    model = adapted(small)
    saving = small.pack.submodule("nodes.host.saving")
    comfy("model_management").load_models_gpu([model])
    net = model.model.diffusion_model
    full = saving.for_saving(model.model, net.state_dict())
    model.partially_unload(model.offload_device, model.model_size())
    part = saving.for_saving(model.model, net.state_dict())
    changed = "decoder.layers.1.mlp.gate_proj.weight"
    torch.testing.assert_close(part[changed].float(), full[changed].float(), atol=1, rtol=0)
    model.detach()
    assert (saving.for_saving(model.model, net.state_dict())[changed] != full[changed]).any()

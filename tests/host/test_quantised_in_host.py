"""Quantised files: computed as the weights they stand for, however they say what they are."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.host.stock import Weights, comfy, cover, dit_weights, stock_model, stock_studio, write
from tests.host.studio import TEXT, Studio
from tools.hosts.pack import Pack

LM = "text_encoders/qwen_1.7b_ace15_miniature.safetensors"
LARGEST = 448  # of the format
SMALL = torch.float8_e4m3fn
ROUNDING = {"atol": 2e-4, "rtol": 0}  # the host computes these layers in another order


@pytest.fixture(scope="module")
def weights() -> Weights:
    return dit_weights()


@pytest.fixture(scope="module")
def studio(
    pack: Pack, models: Path, weights: Weights, tmp_path_factory: pytest.TempPathFactory
) -> Studio:
    return stock_studio(pack, models, weights, tmp_path_factory.mktemp("quantised"))


def scaled(weights: Weights) -> tuple[Weights, Weights]:
    """The layers' matrices in fp8 with a scale each, and what these stand for."""
    stored, meant = {}, {}
    for name, each in weights.items():
        if ".layers." in f".{name}" and each.dim() == 2 and not name.startswith("encoder"):
            scale = each.abs().max().float() / LARGEST
            small = (each / scale).to(SMALL)
            stored |= {name: small, name.replace(".weight", ".weight_scale"): scale}
            meant[name] = small.float() * scale
        else:
            stored[name] = meant[name] = each
    return stored, meant


def layers_of(stored: Weights) -> list[str]:
    ending = ".weight_scale"
    return [name.removesuffix(ending) for name in stored if name.endswith(ending)]


def with_old_names(stored: Weights, path: Path) -> Path:
    old = {name.replace(".weight_scale", ".scale_weight"): each for name, each in stored.items()}
    return write(old | {"scaled_fp8": torch.zeros(0, dtype=SMALL)}, path)


def with_marks(stored: Weights, path: Path) -> Path:
    mark = torch.tensor(list(json.dumps({"format": "float8_e4m3fn"}).encode()), dtype=torch.uint8)
    return write(stored | {f"{each}.comfy_quant": mark.clone() for each in layers_of(stored)}, path)


def with_header(stored: Weights, path: Path) -> Path:
    told = {"layers": {each: {"format": "float8_e4m3fn"} for each in layers_of(stored)}}
    save_file(stored, path, metadata={"_quantization_metadata": json.dumps(told)})
    return path


WAYS = [with_old_names, with_marks, with_header]


def is_quantised(layer: Any) -> bool:
    return type(layer.weight.data).__name__ == "QuantizedTensor"


@torch.inference_mode()  # as the host runs every node; its quantised tensors may not cross it
@pytest.mark.parametrize("way", WAYS)
def test_a_scaled_diffusion_model_is_computed_as_the_weights_that_it_stands_for(
    studio: Studio, weights: Weights, way: Any
) -> None:
    stored, meant = scaled(weights)
    file = way(stored, studio.folder / "acestep_v1.5_turbo_fp8_scaled.safetensors")
    model = studio.host.load_model(file, None, "fp32")
    assert is_quantised(model.model.diffusion_model.decoder.layers[1].self_attn.q_proj)
    same = {"positive": cover(studio), "dcw": studio.dcw_off}  # the variant of stock is unknown
    made = studio.sampled(model=model, **same)
    exact = studio.sampled(model=stock_model(meant), **same)
    torch.testing.assert_close(made, exact, **ROUNDING)
    assert (made - studio.sampled(**same)).abs().max() > 1e-3


@torch.inference_mode()
def test_scaled_layers_of_the_hosts_own_loader_are_kept(studio: Studio, weights: Weights) -> None:
    stored, meant = scaled(weights)
    file = with_old_names(stored, studio.folder / "acestep_v1.5_turbo_theirs.safetensors")
    converted, _ = comfy("utils").convert_old_quants(load_file(file), "", metadata={})
    quants = {"quant_config": {"mixed_ops": True}}
    model = stock_model(converted, cast=torch.float32, **quants)
    assert is_quantised(model.model.diffusion_model.decoder.layers[1].self_attn.q_proj)
    made = studio.sampled(model=model, positive=cover(studio))
    exact = studio.sampled(model=stock_model(meant), positive=cover(studio))
    torch.testing.assert_close(made, exact, **ROUNDING)


def test_plain_fp8_of_the_host_is_computed_as_its_rounded_weights(
    studio: Studio, weights: Weights
) -> None:
    rounded = {name: each.to(SMALL).float() for name, each in weights.items()}
    stock = stock_model(weights, dtype=SMALL, cast=torch.float32)
    positive = cover(studio)
    made = studio.sampled(model=stock, positive=positive)
    exact = studio.sampled(model=stock_model(rounded), positive=positive)
    torch.testing.assert_close(made, exact, atol=1e-5, rtol=0)
    assert stock.model.diffusion_model.decoder.layers[0].mlp.up_proj.weight.dtype is SMALL


def beside_its_tokenizer(models: Path, file: str, folder: Path, name: str) -> Path:
    words = (models / file).with_suffix(".tokenizer.json")
    shutil.copy(words, folder / f"{name}.tokenizer.json")
    return folder / f"{name}.safetensors"


@torch.inference_mode()
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("file", [TEXT, LM], ids=["text encoder", "language model"])
def test_a_scaled_qwen3_is_computed_as_the_weights_that_it_stands_for(
    studio: Studio, models: Path, tmp_path: Path, file: str, way: Any
) -> None:
    stored, meant = scaled(load_file(models / file))
    stem = Path(file).stem
    packed = way(stored, beside_its_tokenizer(models, file, tmp_path, f"{stem}_fp8"))
    plain = write(meant, beside_its_tokenizer(models, file, tmp_path, f"{stem}_plain"))
    load = studio.host.load_text_encoder if file == TEXT else studio.host.load_language_model
    made, exact, first = (load(each, "fp32") for each in (packed, plain, models / file))
    assert is_quantised(made.model.layers[0].mlp.up_proj)
    states = [states_of(each) for each in (made, exact, first)]
    torch.testing.assert_close(states[0], states[1], **ROUNDING)
    assert (states[0] - states[2]).abs().max() > 1e-3


def states_of(held: Any) -> torch.Tensor:
    comfy("model_management").load_models_gpu([held.patcher])
    return held.model(held.model.embed(torch.tensor([[5, 6, 7, 8]])))

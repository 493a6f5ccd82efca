"""Quantised files: what they say about their layers, and that they are refused by their format."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ace_core.errors import CheckpointError
from ace_core.weights import (
    Kind,
    dit_config,
    inspect,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
)
from ace_core.weights.quantisation import quantised_layers, with_plain_shapes
from ace_core.weights.tensor_files import read_header

LAYER = "decoder.layers.0.mlp.gate_proj"
PROJECTOR = "encoder.text_projector"  # whose second size is the width of the text encoder
Weights = dict[str, torch.Tensor]


def mark(settings: Any) -> torch.Tensor:
    text = settings if isinstance(settings, bytes) else json.dumps(settings).encode()
    return torch.tensor(list(text), dtype=torch.uint8)


def marked(weights: Weights, layer: str, settings: Any, **parts: torch.Tensor) -> Weights:
    """`weights` with one layer quantised; what its numbers are does not matter here."""
    rest = {f"{layer}.{name}": part for name, part in parts.items()}
    return weights | {f"{layer}.comfy_quant": mark(settings)} | rest


def halved(weights: Weights, layer: str) -> torch.Tensor:
    rows, columns = weights[f"{layer}.weight"].shape
    return torch.zeros(rows, columns // 2, dtype=torch.uint8)


def nvfp4(weights: Weights, layer: str) -> Weights:
    """Two weights in a byte, a scale in fp8 for every 16 and one for all."""
    scales = torch.ones(128, 4).to(torch.float8_e4m3fn)
    parts = {"weight": halved(weights, layer), "weight_scale": scales}
    return marked(weights, layer, {"format": "nvfp4"}, **parts, weight_scale_2=torch.tensor(1.0))


def saved(weights: Weights, folder: Path, name: str = "acestep_v1.5_turbo_small", **more: Any):
    path = folder / f"{name}.safetensors"
    save_file(weights, path, **more)
    return path


@pytest.fixture(scope="module")
def turbo(checkpoints) -> Weights:
    return load_file(checkpoints.split_turbo)


def refused(path: Path, *words: str, load: Any = load_dit) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    for word in (str(path), *words):
        assert word in message
    assert "Download the file again" not in message
    return message


@pytest.mark.parametrize(
    ("field", "load", "layer", "choose"),
    [
        ("split_turbo", load_dit, LAYER, "acestep_v1.5"),
        ("split_text_encoder", load_text_encoder, "model.layers.0.mlp.up_proj", "qwen_0.6b"),
        ("split_lm", load_lm, "model.layers.0.mlp.up_proj", "qwen_1.7b"),
        ("split_vae", load_vae, "decoder.layers.0", "A VAE is small and is computed whole"),
    ],
)
@pytest.mark.parametrize("kind", ["mxfp8", "convrot_w4a4", "float8_e4m3fn", "brand_new"])
def test_each_kind_of_model_is_refused_by_the_name_of_its_format(
    checkpoints, tmp_path, field, load, layer, choose, kind
):
    weights = load_file(getattr(checkpoints, field))
    parts = {"weight": torch.zeros(2, 2, dtype=torch.int8), "weight_scale": torch.ones(2)}
    if field == "split_vae":
        parts.pop("weight")
        weights[f"{layer}.weight"] = weights.pop(f"{layer}.weight_v")
    path = saved(marked(weights, layer, {"format": kind}, **parts), tmp_path, field)
    refused(path, f"is quantised as '{kind}'", "choose the file in bf16", choose, load=load)


def test_packed_weights_are_measured_as_what_they_stand_for(checkpoints, turbo, tmp_path):
    weights = nvfp4(nvfp4(turbo, LAYER), PROJECTOR)
    weights = nvfp4(weights, "decoder.condition_embedder")
    checkpoint = inspect(saved(weights, tmp_path))
    assert not checkpoint.xl
    part = checkpoint.part(Kind.DIT)
    whole = with_plain_shapes(part, quantised_layers(checkpoint, Kind.DIT))
    assert whole.shapes == inspect(checkpoints.split_turbo).part(Kind.DIT).shapes
    assert dit_config(checkpoint) != dit_config(inspect(checkpoints.split_turbo))
    refused(checkpoint.path, "'nvfp4'")


@pytest.mark.skipif(not hasattr(torch, "float8_e8m0fnu"), reason="this torch cannot write it")
def test_scales_that_are_powers_of_two_are_inspected(turbo, tmp_path):
    scales = torch.full((128, 4), 127, dtype=torch.uint8).view(torch.float8_e8m0fnu)
    small = turbo[f"{LAYER}.weight"].to(torch.float8_e4m3fn)
    weights = marked(turbo, LAYER, {"format": "mxfp8"}, weight=small, weight_scale=scales)
    path = saved(weights, tmp_path)
    assert inspect(path).part(Kind.DIT).entries[f"{LAYER}.weight_scale"].dtype == scales.dtype
    refused(path, "'mxfp8'")


@pytest.mark.parametrize(("name", "bits"), [("F4", 4), ("F6_E2M3", 6), ("F8_E8M0", 8), ("U32", 32)])
def test_a_header_of_any_published_dtype_can_be_read(tmp_path, name, bits):
    path = tmp_path / "small.safetensors"
    facts = {"dtype": name, "shape": [4, 8], "data_offsets": [0, 4 * bits]}
    header = json.dumps({"weight": facts}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4 * bits))
    assert read_header(path)["weight"].shape == (4, 8)


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_a_header_names_the_format(turbo, tmp_path, prefix):
    told = {"layers": {prefix + LAYER: {"format": "brand_new"}, "of.another.model": {}}}
    weights = {prefix + name: weight for name, weight in turbo.items()}
    path = saved(weights, tmp_path, metadata={"_quantization_metadata": json.dumps(told)})
    refused(path, "'brand_new'")


@pytest.mark.parametrize("count", [0, 2])
def test_the_oldest_files_are_fp8(turbo, tmp_path, count):
    small = turbo[f"{LAYER}.weight"].to(torch.float8_e4m3fn)
    weights = turbo | {f"{LAYER}.weight": small, f"{LAYER}.scale_weight": torch.tensor(1.0)}
    path = saved(weights | {"scaled_fp8": torch.zeros(count).to(small.dtype)}, tmp_path)
    told = {"format": "float8_e4m3fn", "full_precision_matrix_mult": count == 2}
    assert quantised_layers(inspect(path), Kind.DIT) == {LAYER: told}
    refused(path, "'float8_e4m3fn'")


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[]", "is no table"),
        ({}, "names no format"),
        ({"format": 4}, "names no format"),
    ],
)
def test_a_mark_that_cannot_be_read_is_named(turbo, tmp_path, settings, found):
    path = saved(marked(turbo, LAYER, settings), tmp_path)
    refused(path, "quantised layers cannot be read", f"{LAYER}.comfy_quant", found)


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("{", "is no JSON"),
        ("7", "is no table"),
        ('{"layers": [1]}', "are no table"),
        (json.dumps({"layers": {LAYER: "nvfp4"}}), "names no format"),
    ],
)
def test_a_header_that_cannot_be_read_is_named(turbo, tmp_path, note, found):
    path = saved(turbo, tmp_path, metadata={"_quantization_metadata": note})
    refused(path, "quantised layers cannot be read", found)


def test_a_mark_of_another_dtype_is_named(turbo, tmp_path):
    refused(saved(turbo | {f"{LAYER}.comfy_quant": torch.zeros(4)}, tmp_path), "cannot be read")


def test_a_quantised_layer_without_its_scale_is_refused(turbo, tmp_path):
    path = saved(marked(turbo, LAYER, {"format": "int8_tensorwise"}), tmp_path)
    refused(path, LAYER, "'int8_tensorwise'", "has no weight_scale")


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({f"{LAYER}.weight_scale": torch.ones(1)}, f"it has '{LAYER}.weight_scale'"),
        ({f"{LAYER}.scale_weight": torch.ones(1)}, f"it has '{LAYER}.scale_weight'"),
        ({f"{LAYER}.weight.absmax": torch.ones(4)}, f"it has '{LAYER}.weight.absmax'"),
        ({f"{LAYER}.weight": torch.ones(192, 64, dtype=torch.int8)}, "is in int8"),
        ({f"{LAYER}.weight": torch.ones(192, 32, dtype=torch.uint8)}, "is in uint8"),
    ],
)
def test_layers_that_are_quantised_without_a_word_are_refused(turbo, tmp_path, changes, sign):
    refused(saved(turbo | changes, tmp_path), "does not say in which format", sign)


def test_a_file_of_another_tool_is_called_by_its_name(tmp_path):
    path = saved({"model.layers.0.mlp.up_proj.qweight": torch.zeros(2, 2)}, tmp_path)
    with pytest.raises(CheckpointError, match="GPTQ or AWQ"):
        inspect(path)


def test_plain_files_have_no_quantised_layers(checkpoints):
    for kind in Kind:
        assert quantised_layers(inspect(checkpoints.all_in_one), kind) == {}

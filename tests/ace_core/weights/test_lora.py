"""Adapters: their keys, their true strength, and those that do not fit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ace_core.errors import CheckpointError
from ace_core.weights.lora import read_adapter
from ace_core.weights.weight_delta import WeightDelta, shape_of

NAME = "layers.0.self_attn.q_proj"
SHAPES = {f"{NAME}.weight": (12, 8), "layers.0.mlp.gate_proj.weight": (16, 8)}
DOWN, UP = torch.arange(16.0).reshape(2, 8), torch.arange(24.0).reshape(12, 2)


def pair(prefix: str, a: str = "lora_A.weight", b: str = "lora_B.weight", name: str = NAME):
    return {f"{prefix}{name}.{a}": DOWN.clone(), f"{prefix}{name}.{b}": UP.clone()}


def saved(folder: Path, weights: dict, config: dict | None = None) -> Path:
    path = folder / "adapter_model.safetensors"
    save_file(weights, path)
    if config is not None:
        (folder / "adapter_config.json").write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(
    ("prefix", "a", "b"),
    [
        ("base_model.model.", "lora_A.weight", "lora_B.weight"),
        ("base_model.model.", "lora_A.default.weight", "lora_B.default.weight"),
        ("diffusion_model.decoder.", "lora_A.weight", "lora_B.weight"),
        ("diffusion_model.", "lora_down.weight", "lora_up.weight"),
        ("", "lora_down.weight", "lora_up.weight"),
    ],
)
def test_every_spelling_of_the_keys_means_the_same_weight(tmp_path, prefix, a, b):
    found = read_adapter(saved(tmp_path, pair(prefix, a, b)), SHAPES)
    assert list(found.deltas) == [NAME]
    assert torch.equal(found.deltas[NAME].parts["lora_down"], DOWN)
    assert torch.equal(found.deltas[NAME].parts["lora_up"], UP)
    assert found.unmatched == ()


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"r": 2, "lora_alpha": 16}, 8.0),
        ({"r": 2, "lora_alpha": 16, "use_rslora": True}, 16 / 2**0.5),
        ({"r": 2, "lora_alpha": 16, "alpha_pattern": {"q_proj": 4}}, 2.0),
        ({"r": 2, "lora_alpha": 16, "alpha_pattern": {"k_proj": 4}}, 8.0),
    ],
)
def test_the_strength_of_the_training_is_read_beside_the_weights(tmp_path, config, scale):
    saved(tmp_path, pair("base_model.model."), config)
    found = read_adapter(tmp_path, SHAPES)  # by its folder
    assert found.deltas[NAME].scale == pytest.approx(scale)
    assert "adapter_config.json" in found.scale_source


def test_an_alpha_in_the_file_goes_first_and_none_at_all_is_said(tmp_path):
    own = pair("diffusion_model.") | {f"diffusion_model.{NAME}.alpha": torch.tensor(3.0)}
    found = read_adapter(saved(tmp_path, own, {"lora_alpha": 16}), SHAPES)
    assert found.deltas[NAME].scale == 1.5  # 3 by a rank of 2
    bare = tmp_path / "alone.safetensors"
    save_file(pair("diffusion_model."), bare)
    (tmp_path / "adapter_config.json").unlink()
    found = read_adapter(bare, SHAPES)
    assert found.deltas[NAME].scale == 1
    assert "no alpha" in found.scale_source


def test_a_lokr_with_underscored_names_is_found(tmp_path):
    base = f"lycoris_{NAME.replace('.', '_')}"
    weights = {f"{base}.lokr_w1": torch.ones(3, 2), f"{base}.lokr_w2_a": torch.ones(4, 1)}
    weights |= {f"{base}.lokr_w2_b": torch.ones(1, 4), f"{base}.alpha": torch.tensor(1.0)}
    found = read_adapter(saved(tmp_path, weights), SHAPES)
    assert set(found.deltas[NAME].parts) == {"lokr_w1", "lokr_w2_a", "lokr_w2_b"}


@pytest.mark.parametrize(
    "spelled",
    [
        "transformer.layers.0.self_attn.to_q.lora_{}.weight",
        "base_model.model.layers.0.self_attn.to_q.lora_{}.weight",
        "lycoris_layers_0_self_attn_to_q.lora_{}.weight",
        "lora_unet_decoder_layers_0_self_attn_q_proj.lora_{}.weight",
        "lora_transformer_layers_0_self_attn_q_proj.lora_{}.weight",
    ],
)
def test_the_names_of_diffusers_and_kohya_are_mapped(tmp_path, spelled):
    both = {spelled.format("A"): DOWN.clone(), spelled.format("B"): UP.clone()}
    found = read_adapter(saved(tmp_path, both), SHAPES)
    assert (list(found.deltas), found.unmatched) == ([NAME], ())


def test_half_a_dora_is_half_way_to_it():
    draw = torch.Generator().manual_seed(1)
    weight, length = torch.randn(12, 8, generator=draw), torch.rand(12, generator=draw)
    change = WeightDelta({"lora_down": DOWN, "lora_up": UP, "dora_scale": length}, 0.01)
    full = change.added(weight, 1.0)
    torch.testing.assert_close(full.norm(dim=1), length)
    torch.testing.assert_close(change.added(weight, 0.5), (weight + full) / 2)


@pytest.mark.parametrize("core", ["lokr_t2", "hada_t1", "lora_mid"])
def test_a_tucker_core_is_part_of_the_product(core):
    """Of a convolution [4, 6, 3], against sums written out."""
    draw = torch.Generator().manual_seed(1)
    inner, outer = torch.randn(2, 2, 3, generator=draw), torch.randn(2, 4, generator=draw)
    into = torch.randn(2, 6, generator=draw)
    parts = {core: inner}
    if core == "lora_mid":
        parts |= {"lora_up": outer.T.reshape(4, 2, 1), "lora_down": into.reshape(2, 6, 1)}
    elif core == "lokr_t2":
        parts |= {"lokr_w1": torch.ones(1, 1), "lokr_w2_a": outer, "lokr_w2_b": into}
    else:
        parts |= {"hada_w1_a": outer, "hada_w1_b": into, "hada_t2": torch.ones(1, 1, 3)}
        parts |= {"hada_w2_a": torch.ones(1, 4), "hada_w2_b": torch.ones(1, 6)}
    assert shape_of(parts) == (4, 18)
    wanted = sum(
        inner[i, j].reshape(1, 1, 3) * outer[i].reshape(4, 1, 1) * into[j].reshape(1, 6, 1)
        for i in range(2)
        for j in range(2)
    )
    torch.testing.assert_close(WeightDelta(parts).added(torch.zeros(4, 6, 3), 1.0), wanted)


def test_keys_that_fit_nothing_are_named(tmp_path):
    weights = pair("base_model.model.") | {"text_model.layers.0.lora_A.weight": torch.ones(2, 8)}
    found = read_adapter(saved(tmp_path, weights), SHAPES)
    assert found.unmatched == ("text_model.layers.0.lora_A.weight",)


def test_an_adapter_of_another_width_is_refused_by_name(tmp_path):
    wide = {f"{NAME}.lora_A.weight": torch.ones(2, 10), f"{NAME}.lora_B.weight": UP}
    with pytest.raises(CheckpointError, match=rf"{NAME} is \[12, 10\].*is \[12, 8\]"):
        read_adapter(saved(tmp_path, wide), SHAPES)


@pytest.mark.parametrize(
    ("weights", "config", "message"),
    [
        ({"unet.down.lora_A.weight": torch.ones(2, 8)}, None, "has no weights for an ACE-Step"),
        ({f"{NAME}.lora_A.weight": DOWN}, None, "a part is missing"),
        ({f"{NAME}.hada_w1_a": UP}, None, "a part is missing"),
        (pair("") | {f"{NAME}.dora_scale": torch.ones(7)}, None, "7 DoRA magnitudes"),
        (pair(""), {"r": 8}, "names no lora_alpha"),
    ],
)
def test_what_is_no_adapter_is_refused(tmp_path, weights, config, message):
    with pytest.raises(CheckpointError, match=message):
        read_adapter(saved(tmp_path, weights, config), SHAPES)


def test_a_folder_without_weights_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds none of adapter_model\.safetensors"):
        read_adapter(tmp_path, SHAPES)
    with pytest.raises(CheckpointError, match="no such file"):
        read_adapter(tmp_path / "none.safetensors", SHAPES)

"""Adapters: their keys, their true strength, and those that do not fit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ace_core.errors import CheckpointError
from ace_core.weights.adapter_keys import adapter_targets
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
        ("base_model.model.", "lora_A.my_style.weight", "lora_B.my_style.weight"),
        ("base_model.model.", "lora_A.alpha.weight", "lora_B.alpha.weight"),
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


@pytest.mark.parametrize("name", ["default", "my_style", "alpha", "weight_1"])
@pytest.mark.parametrize("ending", ["", ".weight"])
def test_the_magnitudes_of_a_dora_are_found_under_any_name(tmp_path, name, ending):
    lengths = torch.arange(12.0)
    weights = pair("", f"lora_A.{name}.weight", f"lora_B.{name}.weight")
    weights[f"{NAME}.lora_magnitude_vector.{name}{ending}"] = lengths
    found = read_adapter(saved(tmp_path, weights), SHAPES)
    assert torch.equal(found.deltas[NAME].parts["dora_scale"], lengths)
    assert found.unmatched == ()


def test_two_adapters_in_one_file_are_refused_by_name(tmp_path):
    both = pair("", "lora_A.one.weight", "lora_B.one.weight")
    both |= pair("", "lora_A.two.weight", "lora_B.two.weight")
    with pytest.raises(CheckpointError, match="holds 2 adapters: 'one', 'two'"):
        read_adapter(saved(tmp_path, both), SHAPES)
    twice = pair("diffusion_model.") | pair("base_model.model.")
    with pytest.raises(CheckpointError, match="more than one adapter"):
        read_adapter(saved(tmp_path, twice), SHAPES)


def test_a_difference_that_comfyui_extracted_is_added_to_weight_and_bias(tmp_path):
    """Of the decoder and of the encoder, of norms too; the scale is 1 whatever lies beside it."""
    encoder, norm = "encoder.text_projector", "layers.0.self_attn_norm"
    official = {f"decoder.{NAME}.weight": (12, 8), f"decoder.{NAME}.bias": (12,)}
    official |= {f"decoder.{norm}.weight": (8,), f"{encoder}.weight": (4, 8)}
    shapes = {name: official[whole] for name, whole in adapter_targets(official).items()}
    names = {f"decoder.{NAME}": NAME, f"decoder.{norm}": norm, encoder: encoder}
    whole = {n: torch.randn(official[f"{n}.weight"]).half() for n in names}
    weights = {f"diffusion_model.{name}.diff": change for name, change in whole.items()}
    weights[f"diffusion_model.decoder.{NAME}.diff_b"] = torch.arange(12.0)
    found = read_adapter(saved(tmp_path, weights, {"r": 2, "lora_alpha": 64}), shapes)
    assert found.unmatched == ()
    for theirs, ours in names.items():
        base = torch.ones(official[f"{theirs}.weight"])
        assert torch.equal(found.deltas[ours].added(base, 0.5), base + 0.5 * whole[theirs].float())
    assert torch.equal(found.biases[NAME].added(torch.zeros(12), 1.0), torch.arange(12.0))
    assert found.scale_source == "the differences as they are stored"


def test_a_bias_alone_is_an_adapter_and_one_of_another_width_is_none(tmp_path):
    shapes = SHAPES | {f"{NAME}.bias": (12,)}
    found = read_adapter(saved(tmp_path, {f"{NAME}.diff_b": torch.ones(12)}), shapes)
    assert (found.deltas, list(found.biases)) == ({}, [NAME])
    with pytest.raises(CheckpointError, match=r"bias of .* is \[5\], the model's bias is \[12\]"):
        read_adapter(saved(tmp_path, {f"{NAME}.diff_b": torch.ones(5)}), shapes)


def test_a_difference_beside_factors_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"both the whole difference .*lora_down, lora_up"):
        read_adapter(saved(tmp_path, pair("") | {f"{NAME}.diff": torch.ones(12, 8)}), SHAPES)


def test_an_alpha_alone_and_a_difference_of_another_shape_or_type_are_refused(tmp_path):
    for part, tensor, words in (
        ("alpha", torch.tensor(1.0), "a part is missing"),
        ("diff", torch.tensor(1.0), "vector or matrix"),
        ("diff", torch.ones(12, 9), "made for another model"),
        ("diff", torch.ones(12), "made for another model"),
        ("diff_b", torch.ones(12, dtype=torch.int32), "int32"),
    ):
        shapes = SHAPES | {f"{NAME}.bias": (12,)}
        with pytest.raises(CheckpointError, match=words):
            read_adapter(saved(tmp_path, {f"{NAME}.{part}": tensor}), shapes)


def test_a_lokr_of_the_condition_embedder_with_magnitudes_is_found(tmp_path):
    base = "lycoris_condition_embedder"
    weights = {f"{base}.lokr_w1": torch.ones(3, 2), f"{base}.lokr_w2": torch.ones(4, 4)}
    weights |= {f"{base}.dora_scale": torch.ones(12, 1), f"{base}.alpha": torch.tensor(1.0)}
    found = read_adapter(saved(tmp_path, weights), {"condition_embedder.weight": (12, 8)})
    assert set(found.deltas["condition_embedder"].parts) == {"lokr_w1", "lokr_w2", "dora_scale"}


def test_an_adapter_of_which_little_fits_is_refused_and_one_with_a_rest_is_warned_of(tmp_path):
    """Four keys of 102, and two of three."""
    rest = {f"text_model.{place}.lora_A.weight": torch.ones(2, 8) for place in range(98)}
    four = pair("") | pair("", name="layers.0.mlp.gate_proj")
    four["layers.0.mlp.gate_proj.lora_B.weight"] = torch.ones(16, 2)
    with pytest.raises(CheckpointError, match="only 4 of its 102 keys"):
        read_adapter(saved(tmp_path, four | rest), SHAPES)
    one = dict(list(rest.items())[:1])
    (warning,) = read_adapter(saved(tmp_path, pair("") | one), SHAPES).warnings
    assert warning.startswith("1 of the adapter's 3 keys") and "text_model.0." in warning
    assert read_adapter(saved(tmp_path, pair("")), SHAPES).warnings == []


@pytest.mark.parametrize("alpha", [1e308, -1e39])
def test_a_scale_beyond_float32_is_refused(tmp_path, alpha):
    saved(tmp_path, pair("base_model.model."), {"r": 2, "lora_alpha": alpha})
    with pytest.raises(CheckpointError, match="beyond what float32 holds"):
        read_adapter(tmp_path, SHAPES)

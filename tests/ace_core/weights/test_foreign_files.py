"""Damaged and malicious weight files: each ends in a CheckpointError that names the file."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ace_core.errors import CheckpointError
from ace_core.weights import inspect, load_dit, load_vae, stored_silence
from ace_core.weights.lora import read_adapter
from ace_core.weights.oobleck import fold_weight_norm, folded_shapes
from ace_core.weights.tensor_files import read_header, read_metadata, read_tensors

GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def written(folder: Path, header: object, data: bytes = bytes(64)) -> Path:
    """A safetensors file with this header: text, or a value that becomes JSON."""
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    path = folder / "odd.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def refused(path: Path, word: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_tensors(path, {key: key for key in read_header(path)})
    assert str(path) in str(caught.value)
    assert word in str(caught.value)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"data_offsets": ["0", "8"]}, "malformed"),
        ({"data_offsets": "08"}, "malformed"),
        ({"data_offsets": [8, 0]}, "malformed"),
        ({"data_offsets": [0, 8, 8]}, "malformed"),
        ({"data_offsets": [0.0, 8.0]}, "malformed"),
        ({"data_offsets": [False, True]}, "malformed"),
        ({"data_offsets": {"0": 0, "8": 8}}, "malformed"),
        ({"data_offsets": None}, "malformed"),
        ({"data_offsets": [4, 12]}, "cannot be read"),  # a hole before it
        ({"dtype": ["F32"]}, "malformed"),
        ({"dtype": {}}, "malformed"),
        ({"dtype": 32}, "malformed"),
        ({"dtype": "F" * 9_999}, "not supported"),
        ({"shape": [float("inf")]}, "faulty"),
        ({"shape": [float("nan")]}, "faulty"),
        ({"shape": ["2"]}, "malformed"),
        ({"shape": [2.0]}, "malformed"),
        ({"shape": [True, 2]}, "malformed"),
        ({"shape": [-1, -2]}, "malformed"),
        ({"shape": 2}, "malformed"),
        ({"shape": [1] * 9}, "malformed"),
        ({"shape": [0, 2**40, 2**40], "data_offsets": [0, 0]}, "malformed"),
        ({"shape": [10**29]}, "malformed"),
    ],
)
def test_an_entry_of_a_header_with_odd_values_is_refused(tmp_path, changes, word):
    refused(written(tmp_path, {"weight": {**GOOD, **changes}}), word)


@pytest.mark.parametrize("entry", [None, 1, "F32", [], [["dtype", "F32"]], {}])
def test_an_entry_of_a_header_that_is_no_table_is_refused(tmp_path, entry):
    refused(written(tmp_path, {"weight": entry}), "malformed")


@pytest.mark.parametrize("metadata", [1, "text", [], [["a", "b"]], {"a": 1}, {"a": None}])
def test_metadata_that_is_no_table_of_texts_is_refused(tmp_path, metadata):
    path = written(tmp_path, {"__metadata__": metadata, "weight": GOOD})
    refused(path, "metadata")
    with pytest.raises(CheckpointError, match="metadata"):
        read_metadata(path)


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ('{"a":' * 100_000, "inside each other"),
        ('{"a":' * 90 + "1" + "}" * 90, "inside each other"),
        (f'{{"weight": {{"shape": [{"9" * 5_000}]}}}}', "digits"),
        (r'{"\ud83c": {}}', "half a character"),
        (json.dumps({"k" * 5_000: GOOD}), "malformed"),
        ('{"weight": {}, "weight": {}}', "given twice"),
        ('{"weight": ', "faulty"),
    ],
)
def test_a_header_beyond_the_limits_is_refused(tmp_path, header, word):
    begun = time.perf_counter()
    refused(written(tmp_path, header), word)
    assert time.perf_counter() - begun < 5


def vae_pair(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"a.weight_v": torch.randn(4, 3, 5), "a.weight_g": torch.rand(4, 1, 1), **changes}


ODD_PAIRS = [
    {"a.weight_g": torch.rand(1, 1, 1)},  # what ended the process
    {"a.weight_g": torch.rand(3, 1, 1)},
    {"a.weight_g": torch.rand(4)},
    {"a.weight_g": torch.rand(4, 3, 1)},
    {"a.weight_g": torch.rand(1, 4, 1)},
    {"a.weight_g": torch.rand(())},
    {"a.weight_v": torch.rand(())},
    {"a.weight_v": torch.rand(4), "a.weight_g": torch.rand(4)},
    {"a.weight_v": torch.rand(0, 3, 5), "a.weight_g": torch.rand(0, 1, 1)},
    {"a.weight_v": torch.rand(4, 0, 5)},
    {"a.weight": torch.rand(4, 3, 5)},
]


@pytest.mark.parametrize("changes", ODD_PAIRS)
def test_halves_of_weight_norm_that_do_not_belong_together_are_refused(changes):
    pair = vae_pair(**changes)
    with pytest.raises(CheckpointError, match=r"a\b.*Download the file again"):
        fold_weight_norm(pair)
    with pytest.raises(CheckpointError, match=r"a\b.*Download the file again"):
        folded_shapes({name: tuple(tensor.shape) for name, tensor in pair.items()})


@pytest.mark.parametrize("lone", ["weight_v", "weight_g", "parametrizations.weight.original1"])
def test_one_half_of_weight_norm_is_refused(lone):
    with pytest.raises(CheckpointError, match="beside it"):
        fold_weight_norm({f"a.{lone}": torch.rand(4, 1, 1)})


def test_halves_in_two_dtypes_are_folded_in_the_better_one_and_integers_refused():
    pair = vae_pair()
    plain = fold_weight_norm(pair)["a.weight"]
    exact = fold_weight_norm({**pair, "a.weight_v": pair["a.weight_v"].double()})["a.weight"]
    assert exact.dtype is torch.float64
    assert torch.allclose(exact.float(), plain, rtol=8 * 2**-24, atol=0)
    with pytest.raises(CheckpointError, match="int32"):
        fold_weight_norm({**pair, "a.weight_g": torch.ones(4, 1, 1, dtype=torch.int32)})


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.update({"encoder.layers.1.layers.4.weight_g": torch.rand(1, 1, 1)}),
        lambda w: w.pop("decoder.layers.0.weight_g"),
        lambda w: w.update({"encoder.layers.0.weight_v": torch.rand(())}),
        lambda w: w.update({"encoder.layers.6.alpha": torch.rand(())}),
        lambda w: w.update({"encoder.layers.1.layers.9.weight_v": torch.rand(1, 1, 1)}),
        lambda w: w.update({f"encoder.layers.{'9' * 5_000}.alpha": torch.rand(1)}),
        lambda w: w.update({"encoder.layers.0.weight_g": torch.ones(8, 1, 1).int()}),
    ],
)
def test_a_damaged_vae_is_refused_by_its_name(checkpoints, tmp_path, change):
    weights = load_file(checkpoints.split_vae)
    change(weights)
    path = tmp_path / "vae.safetensors"
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=r"vae\.safetensors"):
        load_vae(path)


CONFIGS: list[Any] = [
    [],
    "text",
    {"rope_parameters": [1]},
    {"rope_theta": "big"},
    {"rope_theta": -1},
    {"rms_norm_eps": []},
    {"sliding_window": "128"},
    {"sliding_window": 1e300},
    {"layer_types": 7},
    {"layer_types": [["full_attention"]]},
    {"layer_types": [None] * 9},
    {"fsq_input_levels": "888555"},
    {"fsq_input_levels": [8, 8, 8, 5, 5, "5"]},
    {"fsq_input_levels": [8, 8, 8, 5, 5, 500]},
    {"fsq_input_num_quantizers": [1]},
    {"lyric_alignment_layers_config": {"9" * 5_000: [1]}},
    {"lyric_alignment_layers_config": {"2": [-1]}},
    {"lyric_alignment_layers_config": {"2": 6}},
    {"lyric_alignment_layers_config": [1]},
    {"num_hidden_layers": "four"},
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: str(config)[:40])
def test_a_config_with_values_of_other_types_is_refused(checkpoints, tmp_path, config):
    (tmp_path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        load_dit(tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        [],
        {"weight_map": []},
        {"weight_map": {}},
        {"weight_map": {"a": 1}},
        {"weight_map": {"a": ["model.safetensors"]}},
        {"weight_map": {"a": "model.safetensors", "b": None}},
        {"weight_map": {"a": ".."}},
        {"weight_map": {"a": "\0.safetensors"}},
    ],
)
def test_an_index_with_values_of_other_types_is_refused(checkpoints, tmp_path, index):
    (tmp_path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"index\.json: this is not an index"):
        inspect(tmp_path)


SILENCES: list[Any] = [
    torch.zeros(1).expand(1, 64, 10**9),  # four bytes that stand for 256 GB
    torch.zeros(1, 64, 20).to_sparse(),
    {1: torch.zeros(1, 64, 20)},
    [],
    None,
]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("content", SILENCES, ids=lambda content: type(content).__name__)
def test_a_silence_file_that_is_no_plain_tensor_is_refused(checkpoints, tmp_path, content):
    (tmp_path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    torch.save(content, tmp_path / "silence_latent.pt")
    with pytest.raises(CheckpointError, match=r"silence_latent\.pt"):
        stored_silence(inspect(tmp_path))


NAME = "layers.0.self_attn.q_proj"
SHAPES = {f"{NAME}.weight": (12, 8)}
UP, DOWN = f"{NAME}.lora_B.weight", f"{NAME}.lora_A.weight"
PAIR = {UP: torch.ones(12, 2), DOWN: torch.ones(2, 8)}
ODD_ADAPTERS = [
    {DOWN: torch.ones(3, 8)},
    {DOWN: torch.ones(())},
    {UP: torch.ones(())},
    {UP: torch.ones(12)},
    {UP: torch.ones(12, 2, dtype=torch.int32)},
    {UP: torch.ones(12, 0), DOWN: torch.ones(0, 8)},
    {f"{NAME}.alpha": torch.ones(2)},
    {f"{NAME}.alpha": torch.ones(0)},
    {f"{NAME}.lora_mid.weight": torch.ones(())},
    {f"{NAME}.lora_mid.weight": torch.ones(3, 3, 1, 1)},
    {f"{NAME}.dora_scale": torch.ones(7)},
    {f"{NAME}.dora_scale": torch.ones(())},
    {f"{NAME}.dora_scale": torch.ones(8)},  # columns, but not as a row
    {f"{NAME}.dora_scale": torch.ones(12).int()},
]


@pytest.mark.parametrize("changes", ODD_ADAPTERS)
def test_parts_of_an_adapter_that_do_not_fit_are_refused(tmp_path, changes):
    path = tmp_path / "adapter_model.safetensors"
    save_file({**PAIR, **changes}, path)
    with pytest.raises(CheckpointError, match=r"adapter_model\.safetensors"):
        read_adapter(path, SHAPES)


@pytest.mark.parametrize(
    "parts",
    [
        {"lokr_w1": (), "lokr_w2": (12, 8)},
        {"lokr_w1": (3, 2), "lokr_w2_a": (4, 2), "lokr_w2_b": (3, 4)},
        {"lokr_w1": (3, 2), "lokr_w2_a": (4,), "lokr_w2_b": (4,)},
        {"lokr_w1": (3, 2), "lokr_w2_a": (2, 4), "lokr_w2_b": (2, 4), "lokr_t2": (3, 3, 1)},
        {"hada_w1_a": (12, 2), "hada_w1_b": (3, 8), "hada_w2_a": (12, 2), "hada_w2_b": (2, 8)},
        {"hada_w1_a": (), "hada_w1_b": (2, 8), "hada_w2_a": (12, 2), "hada_w2_b": (2, 8)},
        {"hada_w1_a": (12, 2), "hada_w1_b": (2, 8), "hada_w2_a": (1, 2), "hada_w2_b": (2, 8)},
    ],
)
def test_factors_of_a_lokr_or_loha_that_do_not_fit_are_refused(tmp_path, parts):
    path = tmp_path / "lokr_weights.safetensors"
    save_file({f"{NAME}.{part}": torch.ones(shape) for part, shape in parts.items()}, path)
    with pytest.raises(CheckpointError, match=r"lokr_weights\.safetensors"):
        read_adapter(path, SHAPES)


@pytest.mark.parametrize(
    "config",
    [
        [],
        {},
        {"lora_alpha": "16"},
        {"lora_alpha": True},
        {"lora_alpha": None},
        {"lora_alpha": 16, "r": "2"},
        {"lora_alpha": 16, "r": -2},
        {"lora_alpha": 16, "use_rslora": "no"},
        {"lora_alpha": 16, "use_rslora": 0},
        {"lora_alpha": 16, "rank_pattern": ["q_proj"]},
        {"lora_alpha": 16, "rank_pattern": {"q_proj": 0}},
        {"lora_alpha": 16, "rank_pattern": {"q_proj": "2"}},
        {"lora_alpha": 16, "alpha_pattern": {"(": 4}},
        {"lora_alpha": 16, "alpha_pattern": {"q_proj": None}},
        {"lora_alpha": 16, "alpha_pattern": {"(?=a)": 4}},
        {"lora_alpha": 16, "alpha_pattern": {"a" * 999: 4}},
    ],
)
def test_settings_of_an_adapter_of_another_form_are_refused(tmp_path, config):
    save_file(PAIR, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"adapter_config\.json cannot be read"):
        read_adapter(tmp_path, SHAPES)


def test_a_pattern_that_would_freeze_a_backtracking_matcher_is_read_at_once(tmp_path):
    long = "layers.0." + "a" * 60
    shapes = {f"{long}.weight": (12, 8)}
    pair = {key.replace(NAME, long): tensor for key, tensor in PAIR.items()}
    save_file(pair, tmp_path / "adapter_model.safetensors")
    config = {"lora_alpha": 16, "r": 2, "alpha_pattern": {"(a+)+b": 4}}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    begun = time.perf_counter()
    assert read_adapter(tmp_path, shapes).deltas[long].scale == 8
    assert time.perf_counter() - begun < 5


def test_a_bias_or_a_norm_of_whole_numbers_is_refused(checkpoints, tmp_path):
    weights = load_file(checkpoints.split_turbo)
    name = "decoder.norm_out.weight"
    weights[name] = torch.ones(weights[name].shape, dtype=torch.int32)
    path = tmp_path / "whole_turbo.safetensors"
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=r"whole_turbo\.safetensors"):
        load_dit(path)

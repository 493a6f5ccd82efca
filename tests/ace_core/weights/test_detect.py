"""What a checkpoint is, from names and shapes alone."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ace_core.errors import CheckpointError
from ace_core.types import Variant
from ace_core.weights import Kind, Layout, inspect
from ace_core.weights.detect import merged_variants

# field of the fixture -> layout, kinds, variant, XL
LAYOUTS = {
    "turbo": (Layout.OFFICIAL, {Kind.DIT}, Variant.TURBO, False),
    "base": (Layout.OFFICIAL, {Kind.DIT}, Variant.BASE, False),
    "xl": (Layout.OFFICIAL, {Kind.DIT}, Variant.TURBO, True),
    "vae": (Layout.OFFICIAL, {Kind.VAE}, None, False),
    "text_encoder": (Layout.OFFICIAL, {Kind.TEXT_ENCODER}, None, False),
    "lm": (Layout.OFFICIAL, {Kind.LM}, None, False),
    "release": (Layout.OFFICIAL, set(Kind), Variant.TURBO, False),
    "split_turbo": (Layout.COMFY, {Kind.DIT}, Variant.TURBO, False),
    "split_base": (Layout.COMFY, {Kind.DIT}, Variant.BASE, False),
    "split_xl": (Layout.COMFY, {Kind.DIT}, Variant.TURBO, True),
    "split_vae": (Layout.COMFY, {Kind.VAE}, None, False),
    "split_text_encoder": (Layout.COMFY, {Kind.TEXT_ENCODER}, None, False),
    "split_lm": (Layout.COMFY, {Kind.LM}, None, False),
    "all_in_one": (Layout.ALL_IN_ONE, set(Kind), Variant.TURBO, False),
    "diffusers": (
        Layout.DIFFUSERS,
        {Kind.DIT, Kind.VAE, Kind.TEXT_ENCODER},
        Variant.TURBO,
        False,
    ),
}


@pytest.mark.parametrize("field", LAYOUTS)
def test_every_layout_says_what_it_is(checkpoints, field):
    found = inspect(getattr(checkpoints, field))
    assert (found.layout, found.kinds, found.variant, found.xl) == LAYOUTS[field]


def test_an_xl_diffusers_folder_says_what_it_is(xl_diffusers):
    found = inspect(xl_diffusers)
    assert (found.layout, found.variant, found.xl) == (Layout.DIFFUSERS, Variant.TURBO, True)
    assert found.kinds == {Kind.DIT, Kind.VAE, Kind.TEXT_ENCODER}


def test_widths_and_dtype_come_from_the_headers(checkpoints):
    xl = inspect(checkpoints.xl).part(Kind.DIT)
    assert (xl.hidden_size, xl.dtype) == (96, torch.bfloat16)
    assert inspect(checkpoints.lm).part(Kind.LM).hidden_size == 32
    vae = inspect(checkpoints.vae).part(Kind.VAE)
    assert (vae.hidden_size, vae.dtype) == (None, torch.float32)


def test_one_shard_stands_for_all(checkpoints):
    shard = checkpoints.xl / "model-00002-of-00002.safetensors"
    assert len(inspect(shard).files) == 2
    assert inspect(shard).part(Kind.DIT).shapes == inspect(checkpoints.xl).part(Kind.DIT).shapes
    assert inspect(shard).variant is Variant.TURBO


def test_one_component_stands_for_its_diffusers_folder(checkpoints):
    file = checkpoints.diffusers / "transformer" / "diffusion_pytorch_model.safetensors"
    assert inspect(file) == inspect(checkpoints.diffusers)
    assert inspect(checkpoints.diffusers / "condition_encoder") == inspect(checkpoints.diffusers)


def test_no_number_is_read_to_inspect(checkpoints, tmp_path):
    source = checkpoints.split_turbo.read_bytes()
    header = 8 + int.from_bytes(source[:8], "little")
    hole = tmp_path / checkpoints.split_turbo.name
    with hole.open("wb") as file:  # the header is real, the data is a hole of 40 GB
        text = json.loads(source[8:header])
        for facts in text.values():
            if "shape" in facts:
                facts["shape"] = [*facts["shape"], 100_000]
                facts["data_offsets"] = [100_000 * offset for offset in facts["data_offsets"]]
        encoded = json.dumps(text).encode()
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        file.truncate(8 + len(encoded) + 100_000 * (len(source) - header))
    assert hole.stat().st_size > 1e11
    assert inspect(hole).kinds == {Kind.DIT}


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("acestep_v1.5_turbo", Variant.TURBO),
        ("acestep_v1.5_xl_sft_bf16", Variant.SFT),
        ("acestep_v1.5_base", Variant.BASE),
        ("acestep-v15-turbo-continuous", Variant.TURBO_CONTINUOUS),
        ("acestep-v15-turbo-shift3", Variant.TURBO),
        ("acestep_merge_sft_turbo", None),
        ("my_database_song_model", None),
    ],
)
def test_a_file_name_tells_the_variant(checkpoints, tmp_path, name, variant):
    path = tmp_path / f"{name}.safetensors"
    path.symlink_to(checkpoints.split_turbo)
    assert inspect(path).variant is variant


@pytest.mark.parametrize(
    ("config", "folder", "variant"),
    [
        ({"is_turbo": True}, "model", Variant.TURBO),
        ({"is_turbo": True}, "acestep-v15-turbo-continuous", Variant.TURBO_CONTINUOUS),
        ({"is_turbo": False, "model_version": "sft"}, "model", Variant.SFT),
        ({"is_turbo": False, "model_version": "turbo"}, "acestep-v15-base", Variant.BASE),
        ({"is_turbo": False}, "acestep-v15-turbo", None),
        ({"model_version": "base"}, "acestep-v15-turbo", Variant.BASE),
        ({"model_version": "turbo"}, "acestep-v15-turbo-continuous", Variant.TURBO_CONTINUOUS),
        ({}, "acestep-v15-sft", Variant.SFT),
        ({}, "model", None),
    ],
)
def test_config_decides_over_the_folder_name(checkpoints, tmp_path, config, folder, variant):
    path = tmp_path / folder
    path.mkdir()
    (path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    (path / "config.json").write_text(json.dumps(config))
    assert inspect(path).variant is variant
    assert inspect(path / "model.safetensors").variant is variant


def test_a_config_among_files_of_many_models_belongs_to_none(checkpoints, tmp_path):
    path = tmp_path / "acestep_v1.5_base.safetensors"
    path.symlink_to(checkpoints.split_base)
    (tmp_path / "config.json").write_text(json.dumps({"is_turbo": True}))
    assert inspect(path).variant is Variant.BASE
    assert not inspect(path).part(Kind.DIT).config


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (151_669, Kind.TEXT_ENCODER),  # Qwen3-Embedding-0.6B
        (151_936, Kind.TEXT_ENCODER),  # the same table, padded
        (217_204, Kind.LM),  # every published language model
        (261, Kind.TEXT_ENCODER),  # miniatures
        (261 + 65_535, Kind.LM),
        (1_024, Kind.TEXT_ENCODER),  # the trained miniature's
        (1_024 + 4_096, Kind.LM),
    ],
)
def test_the_rows_of_the_table_tell_encoder_from_language_model(tmp_path, rows, kind):
    path = tmp_path / "qwen.safetensors"
    weights = {
        "model.embed_tokens.weight": torch.zeros(rows, 1),
        "model.layers.0.self_attn.q_norm.weight": torch.zeros(1),
        "model.norm.weight": torch.zeros(1),
        "lm_head.weight": torch.zeros(rows, 1),
    }
    save_file(weights, path)
    assert inspect(path).kinds == {kind}


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "diffusion_model.", "model."])
def test_a_prefix_before_the_keys_is_accepted(checkpoints, tmp_path, prefix):
    from safetensors.torch import load_file

    weights = {prefix + key: w for key, w in load_file(checkpoints.split_turbo).items()}
    path = tmp_path / "saved_by_a_host.safetensors"
    save_file(weights, path)
    plain = inspect(checkpoints.split_turbo).part(Kind.DIT).shapes
    assert inspect(path).part(Kind.DIT).shapes == plain


def test_a_folder_with_two_diffusion_models_is_refused_by_name(checkpoints, tmp_path):
    for folder in (checkpoints.turbo, checkpoints.base):
        (tmp_path / folder.name).symlink_to(folder, target_is_directory=True)
    with pytest.raises(
        CheckpointError, match=r"more than one.*acestep-v15-base.*acestep-v15-turbo"
    ):
        inspect(tmp_path)


def test_a_folder_of_loose_files_asks_to_choose_one(checkpoints):
    with pytest.raises(CheckpointError, match=r"holds 3 models .*Choose one of these files"):
        inspect(checkpoints.split_turbo.parent)


def test_a_missing_shard_is_named(checkpoints, tmp_path):
    folder = tmp_path / "xl"
    shutil.copytree(checkpoints.xl, folder)
    (folder / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"1 of 2 .*model-00001-of-00002.safetensors"):
        inspect(folder)
    with pytest.raises(CheckpointError, match=r"1 of 2 .*model-00001-of-00002.safetensors"):
        inspect(folder / "model-00002-of-00002.safetensors")


def test_shards_without_an_index_are_found_by_their_names(checkpoints, tmp_path):
    folder = tmp_path / "acestep-v15-xl-turbo"
    shutil.copytree(checkpoints.xl, folder)
    (folder / "model.safetensors.index.json").unlink()
    assert inspect(folder).part(Kind.DIT).shapes == inspect(checkpoints.xl).part(Kind.DIT).shapes


def test_a_diffusers_folder_without_its_code_tokenizer_is_refused(checkpoints, tmp_path):
    folder = tmp_path / "acestep-diffusers"
    ignore = shutil.ignore_patterns("audio_tokenizer")
    shutil.copytree(checkpoints.diffusers, folder, ignore=ignore)
    with pytest.raises(CheckpointError, match="'audio_tokenizer' is missing"):
        inspect(folder)


def test_inspecting_leaves_the_path_as_given(checkpoints):
    assert inspect(str(checkpoints.turbo)).path == Path(checkpoints.turbo)


@pytest.mark.parametrize(
    "name",
    [
        "acestep_v1.5_merge_sft_turbo_ta_0.5",
        "acestep_v1.5_xl_merge_sft_turbo_ta_0.5",
        "acestep-v15-sftturbo50",
    ],
)
def test_the_variant_of_a_merge_is_never_guessed(checkpoints, tmp_path, name):
    """Neither from its name nor from a config, which one of the two has left there."""
    file = tmp_path / f"{name}.safetensors"
    file.symlink_to(checkpoints.split_turbo)
    folder = tmp_path / name
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(checkpoints.split_turbo)
    (folder / "config.json").write_text(json.dumps({"is_turbo": True, "model_version": "turbo"}))
    for path in (file, folder, folder / "model.safetensors"):
        assert inspect(path).variant is None
        assert merged_variants(path) == (Variant.TURBO, Variant.SFT)
    assert merged_variants(checkpoints.split_turbo) == ()


def test_a_vae_says_whose_names_its_keys_have(checkpoints):
    folder = checkpoints.vae_folders
    for path, words in (
        (folder / "diffusers", "diffusers"),
        (folder / "diffusers" / "diffusion_pytorch_model.safetensors", "diffusers"),
        (folder / "autoencoder.safetensors", "stable-audio-tools"),
        (checkpoints.split_vae, "stable-audio-tools"),
    ):
        assert words in (inspect(path).part(Kind.VAE).spelling or "")
    assert inspect(checkpoints.turbo).part(Kind.DIT).spelling is None

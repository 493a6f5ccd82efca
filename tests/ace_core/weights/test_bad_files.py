"""What cannot be loaded, and what the refusal says: what was given, what fits, what to do."""

import json
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ace_core.errors import CheckpointError
from ace_core.weights import (
    inspect,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    stored_silence,
)

UNET = "model.diffusion_model.input_blocks.0.0.weight"


def refusal(path: Path, *words: str) -> str:
    """The message with which `inspect` refuses `path`; it must contain the path and the words."""
    with pytest.raises(CheckpointError) as caught:
        inspect(path)
    message = str(caught.value)
    for word in (str(path), *words):
        assert word in message
    return message


def test_a_missing_file_is_named(tmp_path):
    refusal(tmp_path / "absent.safetensors", "no such file", "download")


def test_a_folder_without_weights_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    refusal(tmp_path, "holds no weights", "Choose the folder")


@pytest.mark.parametrize(
    ("content", "guess"),
    [
        (b"GGUF\x03\x00\x00\x00" + bytes(100), "GGUF"),
        (b"<!DOCTYPE html><html>Not found</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"", "only 0 bytes"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00 this is no JSON", "it begins with"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00[]", "it begins with"),
    ],
)
def test_a_file_of_another_format_is_recognised(tmp_path, content, guess):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    refusal(path, "not a safetensors file", guess)


@pytest.mark.parametrize("kept", [0.999, 0.5])
def test_a_truncated_file_is_refused_before_its_data_is_needed(checkpoints, tmp_path, kept):
    path = tmp_path / "cut.safetensors"
    content = checkpoints.split_turbo.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refusal(path, "cut short", "Download it again")


def test_a_file_cut_inside_its_header_is_refused(checkpoints, tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(checkpoints.split_turbo.read_bytes()[:1000])
    refusal(path, "cut short", "header")


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, "damaged"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}, "malformed"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}, "malformed"),
        ({"dtype": "F32", "shape": [1]}, "malformed"),
        ({"dtype": "F3", "shape": [1], "data_offsets": [0, 4]}, "dtype F3"),
        (7, "malformed"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path, facts, word):
    path = tmp_path / "odd.safetensors"
    header = json.dumps({"weight": facts}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(64))
    refusal(path, word)


@pytest.mark.parametrize(
    ("keys", "looks"),
    [
        ([UNET], "Stable Diffusion UNet"),
        (["double_blocks.0.img_attn.qkv.weight"], "Flux"),
        (["genre_embedder.weight", "transformer_blocks.0.attn.to_q.weight"], "ACE-Step 1.0"),
        (["decoder.up_blocks.0.resnets.0.conv1.weight"], "image VAE"),
        (["base_model.model.layers.0.self_attn.q_proj.lora_A.weight"], "LoRA"),
        (["model.layers.0.self_attn.q_proj.weight"], "language model of another family"),
        (["encoder.block.0.layer.0.SelfAttention.q.weight"], "T5"),
        (["proj_in_conv.weight", "layers.0.self_attn.to_q.weight"], "diffusers folder"),
        (["something.else"], "first 'something.else'"),
    ],
)
def test_a_checkpoint_of_another_model_is_called_by_its_name(tmp_path, keys, looks):
    path = tmp_path / "other.safetensors"
    save_file({key: torch.zeros(4, 4) for key in keys}, path)
    refusal(path, "not a model of ACE-Step 1.5", looks, "Choose")


def test_an_oobleck_vae_of_another_family_is_refused(tmp_path):
    kernels = (16, 16, 8, 8, 4)  # Stable Audio Open: 2048 samples a frame
    path = tmp_path / "stable_audio_vae.safetensors"
    save_file(
        {
            f"decoder.layers.{place}.layers.1.weight_v": torch.zeros(2, 2, kernel)
            for place, kernel in enumerate(kernels, 1)
        },
        path,
    )
    refusal(path, "another family", "2048", "1920", "ace_1.5_vae.safetensors")


def test_a_vae_with_other_latents_is_refused(checkpoints, tmp_path):
    path = tmp_path / "vae.safetensors"
    weights = load_file(checkpoints.split_vae)
    first = "decoder.layers.0.weight_v"
    weights[first] = weights[first][:, :32].contiguous()
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=r"32 latent channels.*64"):
        load_vae(path)


@pytest.mark.parametrize(
    ("load", "field", "held", "wanted"),
    [
        (load_text_encoder, "split_lm", "5 Hz language model (65796 tokens", "text encoder"),
        (load_lm, "split_text_encoder", "text encoder (261 tokens", "5 Hz language model"),
        (load_dit, "split_vae", "VAE", "diffusion model"),
        (load_vae, "split_turbo", "diffusion model", "VAE"),
    ],
)
def test_a_model_in_the_wrong_slot_is_refused_by_name(checkpoints, load, field, held, wanted):
    path = getattr(checkpoints, field)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert f"{path}: this single file holds a {held}" in message
    assert f"a {wanted}" in message.split("but")[1]
    assert "Choose" in message


def test_a_pickle_that_runs_code_is_not_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path(tmp_path / "ran").touch, ())

    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(pickle.dumps(Bomb()))
    refusal(path, "cannot be opened safely")
    torch.save(Bomb(), path)
    refusal(path, "cannot be opened safely")
    assert not (tmp_path / "ran").exists()


def test_a_broken_index_and_a_broken_config_are_named(checkpoints, tmp_path):
    (tmp_path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json: this is not a JSON file"):
        inspect(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(CheckpointError, match=r"index\.json: this is not an index of shards"):
        inspect(tmp_path)


def altered(checkpoints, tmp_path, change) -> Path:
    """The split turbo file with its weights changed by `change`."""
    weights = load_file(checkpoints.split_turbo)
    change(weights)
    path = tmp_path / "altered_turbo.safetensors"
    save_file(weights, path)
    return path


def test_missing_unexpected_and_misshapen_keys_are_all_named_at_once(checkpoints, tmp_path):
    def change(weights):
        weights["decoder.surprise"] = torch.zeros(1)
        for layer in range(4):
            for name in ("gate", "up", "down"):
                weights.pop(f"decoder.layers.{layer}.mlp.{name}_proj.weight", None)
        weights["decoder.layers.0.mlp.gate_proj.weight"] = torch.zeros(128, 64)
        weights["decoder.norm_out.weight"] = torch.zeros(3)

    with pytest.raises(CheckpointError) as caught:
        load_dit(altered(checkpoints, tmp_path, change))
    message = str(caught.value)
    assert "altered_turbo.safetensors" in message
    missing = re.search(r"11 missing: (.*) and 1 more;", message)
    assert missing is not None
    assert len(re.findall(r"decoder\.layers\.\d\.mlp\.\w+\.weight", missing[1])) == 10
    assert "1 unexpected: decoder.surprise" in message
    assert "1 of another shape: decoder.norm_out.weight is [3], not [64]" in message


def test_weights_with_fewer_layers_than_their_config_are_refused(checkpoints, tmp_path):
    def change(weights):
        for name in [name for name in weights if name.startswith("decoder.layers.3.")]:
            del weights[name]

    path = altered(checkpoints, tmp_path, change)
    folder = tmp_path / "acestep-v15-turbo"
    folder.mkdir()
    path.rename(folder / "model.safetensors")
    (folder / "config.json").write_text((checkpoints.turbo / "config.json").read_text())
    with pytest.raises(CheckpointError, match=r"3 layers, but config\.json promises 4"):
        load_dit(folder)


@pytest.mark.parametrize("content", [torch.zeros(1, 63, 20), {"a": torch.zeros(1), "b": 2}])
def test_a_silence_latent_of_another_shape_is_refused(checkpoints, tmp_path, content):
    (tmp_path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    torch.save(content, tmp_path / "silence_latent.pt")
    with pytest.raises(CheckpointError, match=r"silence_latent\.pt"):
        stored_silence(inspect(tmp_path))

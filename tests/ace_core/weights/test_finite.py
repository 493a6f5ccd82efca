"""A file with NaN or infinite values is refused when it is loaded, whatever kind of file it is."""

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
from ace_core.weights.lora import read_adapter
from ace_core.weights.tensor_files import check_finite

NAN, INF = float("nan"), float("inf")
HERE = Path("model.safetensors")
BYTES = ("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz")


def broken(path: Path, out: Path, key: str, value: float) -> Path:
    """A copy of a file whose tensor `key` has `value` in its middle."""
    tensors = load_file(path)
    tensors[key].view(-1)[tensors[key].numel() // 2] = value
    save_file(tensors, out)
    return out


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_one_value_among_many_is_found_at_any_place(dtype, value):
    for place in (0, 1, 4_999, 9_998, 9_999):
        tensor = torch.full((10_000,), torch.finfo(dtype).max, dtype=dtype)  # whose sum is infinite
        check_finite(HERE, {"a": tensor})
        tensor[place] = value
        with pytest.raises(CheckpointError, match=r"1 of its 1 tensors"):
            check_finite(HERE, {"a": tensor})


@pytest.mark.parametrize("name", [name for name in BYTES if hasattr(torch, name)])
def test_each_byte_of_a_small_format_is_checked_by_the_value_it_stands_for(name):
    for byte in range(256):
        one = torch.tensor([56, byte, 57], dtype=torch.uint8).view(getattr(torch, name))
        if torch.isfinite(one.float()).all():
            check_finite(HERE, {"a": one})
        else:
            with pytest.raises(CheckpointError, match=r"1 (NaN|infinite) among 3"):
                check_finite(HERE, {"a": one})


def test_integers_and_empty_tensors_are_passed_over():
    check_finite(HERE, {"a": torch.tensor([127, -128], dtype=torch.int8), "b": torch.zeros(0)})


def test_the_tensors_are_counted_and_the_first_is_named():
    tensors = {name: torch.zeros(3, 4) for name in "abcd"}
    tensors["b"][1] = NAN
    tensors["b"][2, 0] = -INF
    tensors["d"][0, 0] = INF
    with pytest.raises(CheckpointError) as caught:
        check_finite(HERE, tensors)
    message = str(caught.value)
    assert f"{HERE}: 2 of its 4 tensors hold values that are not finite" in message
    assert "The first is 'b' with 4 NaN and 1 infinite among 12" in message
    assert "Download the file again" in message


@pytest.mark.parametrize(
    ("field", "load", "key"),
    [
        ("split_turbo", load_dit, "decoder.layers.1.mlp.up_proj.weight"),
        ("split_text_encoder", load_text_encoder, "model.embed_tokens.weight"),
        ("split_lm", load_lm, "model.layers.0.self_attn.k_norm.weight"),
        ("split_vae", load_vae, "encoder.layers.0.weight_g"),
    ],
)
@pytest.mark.parametrize("value", [NAN, INF])
def test_a_broken_model_of_each_kind_is_refused_by_key(
    checkpoints, tmp_path, field, load, key, value
):
    path = broken(getattr(checkpoints, field), tmp_path / f"{field}.safetensors", key, value)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert f"The first is {key!r}" in str(caught.value)


def test_one_model_of_an_all_in_one_file_does_not_answer_for_the_others(checkpoints, tmp_path):
    key = "text_encoders.qwen3_06b.transformer.model.norm.weight"
    path = broken(checkpoints.all_in_one, tmp_path / "all.safetensors", key, NAN)
    load_vae(path)
    with pytest.raises(CheckpointError, match=r"transformer\.model\.norm\.weight"):
        load_text_encoder(path)


def test_a_broken_pytorch_file_is_refused_by_key(checkpoints, tmp_path):
    tensors = load_file(checkpoints.split_text_encoder)
    tensors["model.norm.weight"][3] = INF
    torch.save(tensors, tmp_path / "qwen.pt")
    with pytest.raises(CheckpointError, match=r"'model\.norm\.weight' with 1 infinite"):
        load_text_encoder(tmp_path / "qwen.pt")


@pytest.mark.parametrize("part", ["lora_B.weight", "alpha", "dora_scale"])
def test_a_broken_adapter_is_refused_by_key(tmp_path, part):
    layer = "layers.0.self_attn.q_proj"
    tensors = {
        f"{layer}.lora_A.weight": torch.ones(2, 8),
        f"{layer}.lora_B.weight": torch.ones(12, 2),
        f"{layer}.alpha": torch.tensor(2.0),
        f"{layer}.dora_scale": torch.ones(12, 1),
    }
    read_adapter(saved(tmp_path, tensors), {f"{layer}.weight": (12, 8)})
    tensors[f"{layer}.{part}"].view(-1)[0] = NAN
    with pytest.raises(CheckpointError, match=rf"'{layer}\.{part}' with 1 NaN"):
        read_adapter(saved(tmp_path, tensors), {f"{layer}.weight": (12, 8)})


def saved(folder: Path, tensors: dict) -> Path:
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_broken_silence_latent_is_refused(checkpoints, tmp_path, wrapped):
    (tmp_path / "model.safetensors").symlink_to(checkpoints.split_turbo)
    silence = torch.zeros(1, 64, 20)
    silence[0, 5, 5] = NAN
    torch.save({"silence": silence} if wrapped else silence, tmp_path / "silence_latent.pt")
    with pytest.raises(CheckpointError, match=r"silence_latent\.pt: 1 of its 1 tensors"):
        stored_silence(inspect(tmp_path))


def test_a_broken_silence_among_the_weights_is_refused(checkpoints, tmp_path):
    for name in ("transformer", "audio_tokenizer", "audio_token_detokenizer"):
        (tmp_path / name).symlink_to(checkpoints.diffusers / name)
    source = next((checkpoints.diffusers / "condition_encoder").glob("*.safetensors"))
    (tmp_path / "condition_encoder").mkdir()
    broken(source, tmp_path / "condition_encoder" / source.name, "silence_latent", NAN)
    with pytest.raises(CheckpointError, match="'silence_latent' with 1 NaN"):
        stored_silence(inspect(tmp_path))

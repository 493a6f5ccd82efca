"""GGUF files of acestep.cpp's converter: the same models as from the files they were made of."""

import importlib
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ace_core.cli.main import main
from ace_core.errors import CheckpointError
from ace_core.inference.find_models import find_companion, find_model
from ace_core.types import Variant
from ace_core.weights import (
    Kind,
    Layout,
    inspect,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    read,
    stored_silence,
)
from ace_core.weights.gguf import CONFIG_KEY
from ace_core.weights.tensor_files import read_header, read_tensors
from tests.gguf_files import gguf, to_q8_0

WORDS = {"tokenizer.ggml.tokens": ["a", "b", "Ġc"], "general.architecture": "acestep"}


def converted(folder: Path, out: Path, dtype: torch.dtype = torch.float32) -> Path:
    """`folder`, an official one, as the converter of acestep.cpp writes it."""
    weights = {
        key: tensor.to(dtype)
        for file in sorted(folder.glob("*.safetensors"))
        for key, tensor in load_file(file).items()
    }
    if "5Hz-lm" in folder.name:
        weights = {f"model.{key.removeprefix('model.')}": each for key, each in weights.items()}
    silence = folder / "silence_latent.pt"
    if silence.is_file():
        weights["silence_latent"] = torch.load(silence, weights_only=True)[0].T.contiguous()[:64]
    config = (folder / "config.json").read_text()
    out.write_bytes(gguf(weights, {CONFIG_KEY: config, **WORDS}))
    return out


def has_package() -> bool:
    try:
        importlib.import_module("gguf.quants")
    except ImportError:
        return False
    return True


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert sorted(found) == sorted(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize(
    ("field", "kind", "load"),
    [
        ("turbo", Kind.DIT, lambda path: load_dit(path).model),
        ("xl", Kind.DIT, lambda path: load_dit(path).model),
        ("lm", Kind.LM, load_lm),
        ("text_encoder", Kind.TEXT_ENCODER, load_text_encoder),
        ("vae", Kind.VAE, load_vae),
    ],
)
def test_a_converted_model_equals_the_one_it_was_made_of(checkpoints, tmp_path, field, kind, load):
    folder = getattr(checkpoints, field)
    path = converted(folder, tmp_path / f"{folder.name}-F32.gguf")
    found, origin = inspect(path), inspect(folder)
    assert (found.layout, found.kinds, found.variant) == (Layout.GGUF, {kind}, origin.variant)
    assert found.part(kind).config == origin.part(kind).config
    expected = {name: each.float() for name, each in read(origin, kind).items()}
    if kind is not Kind.VAE:  # folded in float64 from what is stored
        assert_equal(read(found, kind), expected)
    same = load(folder).float().state_dict()
    assert_equal(load(path).state_dict(), same)


def test_the_silence_inside_is_the_published_one(checkpoints, tmp_path):
    path = converted(checkpoints.turbo, tmp_path / "dit.gguf")
    found, expected = stored_silence(inspect(path)), stored_silence(inspect(checkpoints.turbo))
    assert found is not None
    assert expected is not None
    assert torch.equal(found, expected[:, :64])
    assert load_dit(path).variant is Variant.TURBO


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("version", [2, 3])
def test_plain_numbers_are_kept_bit_for_bit(tmp_path, dtype, version):
    weights = {"a": torch.randn(3, 5, 2).to(dtype), "b": torch.randn(7).to(dtype)}
    path = tmp_path / "plain.gguf"
    path.write_bytes(gguf(weights, WORDS, version=version))
    assert_equal(read_tensors(path, {"a": "a", "b": "b"}), weights)


def test_q8_0_is_scale_times_number(tmp_path):
    weights = {"a": torch.randn(6, 64), "b": torch.zeros(0, 32), "c": torch.randn(3)}
    path = tmp_path / "q8.gguf"
    path.write_bytes(gguf(weights, kinds={"a": "Q8_0", "b": "Q8_0"}))
    found = read_tensors(path, {key: key for key in weights})
    scale, numbers = to_q8_0(weights["a"])
    exact = (scale.double() * numbers.double()).reshape(6, 64)
    assert torch.equal(found["a"], exact.to(torch.bfloat16))
    assert read_header(path)["a"].dtype == torch.bfloat16
    assert found["b"].shape == (0, 32)
    assert torch.equal(found["c"], weights["c"])


def test_other_blocks_are_read_with_the_package_or_refused_by_its_name(tmp_path):
    path = tmp_path / "q4_k.gguf"
    block = struct.pack("<2e", 0.5, 0.0) + bytes([1] * 12) + bytes([0x21] * 128)  # scales of 1
    content = gguf({"a": torch.zeros(1, 256)}, as_type=12)
    path.write_bytes(content[: -4 * 256] + block)
    assert read_header(path)["a"].shape == (1, 256)
    if not has_package():
        with pytest.raises(CheckpointError, match=r"Q4_K.*pip install gguf"):
            read_tensors(path, {"a": "a"})
        return
    found = read_tensors(path, {"a": "a"})["a"]
    expected = torch.tensor([0.5] * 32 + [1.0] * 32).repeat(2)  # nibbles 1 and 2 at scale 0.5
    assert torch.equal(found[0, :128].float(), expected)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda good: good[:-8], "cut short"),
        (lambda good: good[:40], "cut short"),
        (lambda good: good[:3], "too short"),
        (lambda good: good[:4] + struct.pack("<I", 1) + good[8:], "version 1"),
        (lambda good: good[:4] + struct.pack(">I", 3) + good[8:], "version 50331648"),
        (lambda good: good[:8] + struct.pack("<Q", 2**63) + good[16:], "tensors"),
        (lambda good: good[:16] + struct.pack("<Q", 2**63) + good[24:], "GGUF file cannot"),
        (lambda good: good[:24] + struct.pack("<Q", 2**63) + good[32:], "a text of"),
        (lambda good: gguf({"a": torch.ones(4)}, {"general.alignment": 7}), "alignment is 7"),
        (lambda good: gguf({"a": torch.ones(4)}, as_type=99), "type 99"),
        (lambda good: gguf({"a": torch.ones(33)}, as_type=8), "no multiple of 32"),
        (lambda good: gguf({"a": torch.ones(1, 1, 1, 1, 1)}), "5 dimensions"),
        (lambda good: gguf({}, {CONFIG_KEY: "[1]"}), "not a table"),
        (lambda good: gguf({}, {CONFIG_KEY: "{"}), "not JSON"),
        (lambda good: gguf({}, {CONFIG_KEY: ["{}"]}), "not a table"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name(tmp_path, change, reason):
    path = tmp_path / "faulty.gguf"
    path.write_bytes(change(gguf({"a": torch.ones(4, 4)}, WORDS)))
    with pytest.raises(CheckpointError, match=reason) as caught:
        inspect(path)
    assert path.name in str(caught.value)


def test_arrays_inside_each_other_end(tmp_path):
    path = tmp_path / "deep.gguf"
    nested = struct.pack("<IQ", 9, 1) * 50
    pair = struct.pack("<Q", 1) + b"k" + struct.pack("<I", 9) + nested
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair + bytes(64))
    with pytest.raises(CheckpointError, match="at depth 4"):
        inspect(path)


def test_the_command_line_says_what_it_is(checkpoints, tmp_path, capsys):
    path = converted(checkpoints.turbo, tmp_path / "acestep-v15-turbo-BF16.gguf", torch.bfloat16)
    assert main(["inspect", str(path)]) == 0
    said = capsys.readouterr().out
    assert "GGUF file" in said
    assert "turbo" in said


def test_models_are_found_by_their_official_names(checkpoints, tmp_path):
    dit = converted(checkpoints.turbo, tmp_path / "acestep-v15-turbo-BF16.gguf", torch.bfloat16)
    vae = converted(checkpoints.vae, tmp_path / "vae-BF16.gguf", torch.bfloat16)
    text = converted(checkpoints.text_encoder, tmp_path / "Qwen3-Embedding-0.6B-BF16.gguf")
    model = find_model(tmp_path, "acestep-v15-turbo", Kind.DIT)
    assert model.path == dit
    assert find_companion(model, tmp_path, Kind.VAE).path == vae
    assert find_companion(model, tmp_path, Kind.TEXT_ENCODER).path == text
    quantised = dit.with_name("acestep-v15-turbo-Q8_0.gguf")
    dit.rename(quantised)
    for name in ("acestep-v15-turbo-Q8_0", str(quantised)):
        assert find_model(tmp_path, name, Kind.DIT).path == quantised

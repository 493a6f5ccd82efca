"""The same weights in every layout become the same model, without a second copy of them."""

import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from safetensors.torch import load_file, save_file

from ace_core.errors import CheckpointError
from ace_core.models.ops import Ops
from ace_core.models.qwen3 import Qwen3
from ace_core.types import Variant
from ace_core.weights import (
    Kind,
    inspect,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    read,
    tokenizer_file,
)
from ace_core.weights.load import skip_init
from tests import late

TURBO = ("turbo", "release", "split_turbo", "all_in_one", "diffusers")
TEXT_ENCODER = ("text_encoder", "release", "split_text_encoder", "all_in_one", "diffusers")
LM = ("lm", "release", "split_lm", "all_in_one")
VAE = ("vae", "release", "split_vae", "all_in_one", "diffusers")


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def outputs_of_dit(path) -> list[torch.Tensor]:
    """Every part of a diffusion model at work, in float32."""
    model = load_dit(path, Ops(dtype=torch.float32)).model
    encoded = model.encoder(randn(1, 9, 32), randn(1, 140, 32), randn(1, 60, 64))
    kv = model.decoder.cross_attention_kv(encoded)
    context = torch.cat([randn(1, 31, 64), torch.ones(1, 31, 64)], dim=-1)
    velocity = model.decoder(randn(1, 31, 64), torch.tensor([0.6]), context, kv)
    codes = model.tokenizer(randn(1, 20, 64))
    return [encoded, velocity, codes, model.hints(codes), model.null_condition_emb]


def outputs_of_qwen3(path, load) -> list[torch.Tensor]:
    model = load(path, Ops(dtype=torch.float32))
    return [model(model.embed(torch.arange(40)[None]))]


def outputs_of_vae(path) -> list[torch.Tensor]:
    model = load_vae(path)
    posterior = model.encode(0.1 * randn(1, 2, 5 * 1920))
    return [posterior.mean, posterior.std, model.decode(randn(1, 64, 4))]


def assert_all_equal(results: list[list[torch.Tensor]]) -> None:
    for one, other in pairwise(results):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert left.float().std() > 0.01  # something was computed
            assert torch.equal(left, right)


def test_every_layout_holds_the_same_diffusion_model(checkpoints):
    assert_all_equal([outputs_of_dit(getattr(checkpoints, field)) for field in TURBO])


def test_community_vaes_hold_the_same_vae_in_every_layout(checkpoints):
    folder = checkpoints.vae_folders
    files = [folder / "diffusers", *sorted(folder.rglob("*.safetensors"))]
    assert len(files) == 5
    assert_all_equal([outputs_of_vae(path) for path in (checkpoints.vae, *files)])


def test_the_sharded_xl_folder_equals_its_single_file_and_the_diffusers_folder(
    checkpoints, xl_diffusers
):
    paths = (checkpoints.xl, checkpoints.split_xl, xl_diffusers)
    assert_all_equal([outputs_of_dit(path) for path in paths])
    assert load_dit(checkpoints.xl).model.config.timbre_cls


def test_every_layout_holds_the_same_text_encoder(checkpoints):
    paths = [getattr(checkpoints, field) for field in TEXT_ENCODER]
    assert_all_equal([outputs_of_qwen3(path, load_text_encoder) for path in paths])


def test_every_layout_holds_the_same_language_model(checkpoints):
    paths = [getattr(checkpoints, field) for field in LM]
    assert_all_equal([outputs_of_qwen3(path, load_lm) for path in paths])
    assert load_lm(checkpoints.lm).config.vocab_size == 261 + 65_535


def test_every_layout_holds_the_same_vae(checkpoints):
    assert_all_equal([outputs_of_vae(getattr(checkpoints, field)) for field in VAE])


def test_variants_hold_different_weights(checkpoints):
    turbo, base = (load_dit(path).model for path in (checkpoints.turbo, checkpoints.base))
    assert not torch.equal(turbo.null_condition_emb, base.null_condition_emb)


def test_the_variant_can_be_overridden(checkpoints):
    assert load_dit(checkpoints.base).variant is Variant.BASE
    assert load_dit(checkpoints.base, variant=Variant.SFT).variant is Variant.SFT


def test_weights_keep_their_dtype_unless_one_is_asked_for(checkpoints):
    as_stored = load_dit(checkpoints.turbo).model
    assert {p.dtype for p in as_stored.parameters()} == {torch.bfloat16}
    cast = load_dit(checkpoints.turbo, Ops(dtype=torch.float32)).model
    assert {p.dtype for p in cast.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("load", "field"),
    [
        (lambda path: load_dit(path).model, "turbo"),
        (load_vae, "split_vae"),
        (load_lm, "split_lm"),
    ],
)
def test_a_loaded_model_is_complete_frozen_and_in_evaluation(checkpoints, load, field):
    model = load(getattr(checkpoints, field))
    assert not any(p.is_meta or p.requires_grad for p in model.parameters())
    assert not model.training
    assert not list(model.buffers())


LATE = Ops(layers=late, dtype=torch.float32)


def test_layers_that_hold_nothing_until_they_are_filled_are_filled(checkpoints):
    plain = Ops(dtype=torch.float32)
    for load, path in (
        (lambda path, ops: load_dit(path, ops).model, checkpoints.turbo),
        (load_text_encoder, checkpoints.text_encoder),
        (load_lm, checkpoints.lm),
        (load_vae, checkpoints.split_vae),
    ):
        made, exact = load(path, LATE).state_dict(), load(path, plain).state_dict()
        assert made.keys() == exact.keys()
        assert all(torch.equal(weight, exact[name]) for name, weight in made.items())


@pytest.mark.parametrize("change", ["missing", "unexpected", "of another shape"])
def test_wrong_keys_for_layers_that_hold_nothing_yet_are_named(checkpoints, tmp_path, change):
    weights = load_file(checkpoints.text_encoder / "model.safetensors")
    name = "layers.1.mlp.up_proj.weight"
    key = next(key for key in weights if key.endswith(name))
    if change == "unexpected":
        key, name = (each.replace("up_proj", "middle_proj") for each in (key, name))
        weights[key] = torch.ones(2)
    elif change == "missing":
        del weights[key]
    else:
        weights[key] = torch.ones(2, 3)
    path = tmp_path / "qwen.safetensors"
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=rf"Keys 1 {change}: {name}"):
        load_text_encoder(path, LATE)


def test_a_network_of_torchs_own_layers_is_built_once_and_of_others_twice(checkpoints, monkeypatch):
    built = []
    real = Qwen3.__init__
    monkeypatch.setattr(
        Qwen3, "__init__", lambda self, *given: built.append(given[1]) or real(self, *given)
    )
    load_lm(checkpoints.lm)
    assert len(built) == 1
    load_lm(checkpoints.lm, LATE)
    assert [ops.layers for ops in built[1:]] == [late, torch.nn]


def test_an_empty_model_takes_no_memory_and_names_every_weight(checkpoints):
    model = load_lm(checkpoints.lm)
    plain = skip_init(Qwen3, model.config).state_dict()
    assert all(weight.is_meta for weight in plain.values())
    shapes = {name: weight.shape for name, weight in model.state_dict().items()}
    assert {name: weight.shape for name, weight in plain.items()} == shapes


def test_only_the_keys_of_the_wanted_model_are_read(checkpoints):
    names = set(read(inspect(checkpoints.all_in_one), Kind.TEXT_ENCODER))
    assert names == set(load_file(checkpoints.text_encoder / "model.safetensors"))


def test_a_spare_output_head_and_a_computed_table_are_left_in_the_file(checkpoints, tmp_path):
    weights = load_file(checkpoints.text_encoder / "model.safetensors")
    weights["lm_head.weight"] = weights["embed_tokens.weight"].clone()
    weights["layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(8)
    path = tmp_path / "qwen.safetensors"
    save_file(weights, path)
    assert_all_equal(
        [
            outputs_of_qwen3(path, load_text_encoder),
            outputs_of_qwen3(checkpoints.text_encoder, load_text_encoder),
        ]
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pytorch_file_is_read_safely(checkpoints, tmp_path, wrapped):
    weights = load_file(checkpoints.split_turbo)
    path = tmp_path / "acestep_turbo.pt"
    torch.save({"state_dict": weights} if wrapped else weights, path)
    assert_all_equal([outputs_of_dit(path), outputs_of_dit(checkpoints.turbo)])


FRESH = """
import sys
from pathlib import Path
import torch
from ace_core.weights import Kind, inspect, load_lm, read

def private():  # kB of memory that is no file's
    rows = Path("/proc/self/status").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("RssAnon"))

load_lm(sys.argv[1])  # whatever is imported on the way
before = private()
weights = read(inspect(sys.argv[2]), Kind.LM)  # by the number of its tokens
touched = sum(float(w.view(torch.uint8).flatten()[::4096].sum()) for w in weights.values())
print(private() - before, "torch._dynamo" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts private memory in /proc")
def test_every_page_is_read_without_a_copy_and_without_torchs_compiler(checkpoints, tmp_path):
    path = tmp_path / "qwen.safetensors"
    big = {
        "model.embed_tokens.weight": torch.ones(30_000, 1024),  # 120 MB
        "model.layers.0.self_attn.q_norm.weight": torch.ones(4),
        "model.norm.weight": torch.ones(1024),
    }
    save_file(big, path)
    arguments = [sys.executable, "-c", FRESH, str(checkpoints.split_lm), str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    grown, compiler = done.stdout.split()
    assert int(grown) < 12_000  # a tenth of the file
    assert compiler == "False"  # two seconds that a first load must not cost


@pytest.mark.parametrize(
    ("field", "kind", "tail"),
    [
        ("text_encoder", Kind.TEXT_ENCODER, "Qwen3-Embedding-0.6B/tokenizer.json"),
        ("release", Kind.LM, "acestep-5Hz-lm-1.7B/tokenizer.json"),
        ("diffusers", Kind.TEXT_ENCODER, "tokenizer/tokenizer.json"),
        ("split_lm", Kind.LM, "qwen_1.7b_ace15_miniature.tokenizer.json"),
        ("all_in_one", Kind.LM, "ace_step_1.5_turbo_aio_miniature.tokenizer.json"),
    ],
)
def test_a_tokenizer_is_found_where_each_layout_keeps_it(checkpoints, field, kind, tail):
    found = tokenizer_file(inspect(getattr(checkpoints, field)), kind)
    assert found is not None
    assert found.as_posix().endswith(tail)


def test_a_tokenizer_in_a_folder_of_many_models_belongs_to_none(checkpoints, tmp_path):
    path = tmp_path / "qwen_0.6b_ace15.safetensors"
    path.symlink_to(checkpoints.split_text_encoder)
    (tmp_path / "tokenizer.json").write_text("{}")
    assert tokenizer_file(inspect(path), Kind.TEXT_ENCODER) is None

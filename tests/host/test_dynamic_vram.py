"""Models under the host's dynamic VRAM: the same numbers as without it.

Its flag makes layers without weights until they are filled; its patcher brings weights to the
device at each use. Nothing here needs a GPU: see `dynamic.py`.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.host.dynamic import PLACE, comfy, flagged, pretended
from tests.host.stock import Weights, cover, dit_weights, stock_clip, stock_model, stock_vae
from tests.host.studio import DIT, SEED, TEXT, VAE, XL, Studio, open_studio
from tests.host.test_quantised_in_host import scaled, with_marks
from tests.nodes.lm_prompts import LM_FILE
from tools.hosts.pack import Pack

ALL_IN_ONE = "checkpoints/ace_step_1.5_turbo_aio_miniature.safetensors"
pytestmark = pytest.mark.usefixtures("slow_at_bf16")  # as the device that the patcher pretends
MODES = ("flag", "patcher")
IDS = torch.tensor([[5, 6, 7, 8]])


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    """Loaded without dynamic VRAM, before any of it begins."""
    return open_studio(pack, models)


@pytest.fixture(scope="module")
def stock_weights(host: Any) -> Weights:
    return dit_weights()


def written_for(model: Any, path: Path) -> Path:
    """A LoRA on matrices of different sizes, of which the patcher treats small ones apart."""
    weights, draw = {}, torch.Generator().manual_seed(1)
    for name in ("self_attn.q_proj", "cross_attn.k_proj", "mlp.gate_proj", "mlp.down_proj"):
        full = f"layers.1.{name}"
        rows, columns = model.model.diffusion_model.decoder.get_submodule(full).weight.shape
        base = f"base_model.model.{full}"
        weights[f"{base}.lora_A.weight"] = torch.randn(2, columns, generator=draw)
        weights[f"{base}.lora_B.weight"] = torch.randn(rows, 2, generator=draw)
    save_file(weights, path)
    return path


@pytest.fixture(scope="module")
def adapter(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_for(studio.model, tmp_path_factory.mktemp("dynamic") / "adapter.safetensors")


@pytest.fixture(params=MODES)
def dynamic(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A context for what is made under dynamic VRAM, and whether that is by its patcher too."""
    if request.param == "flag":
        flagged(monkeypatch)
    switch = pretended(monkeypatch) if request.param == "patcher" else nullcontext()
    with switch as memory:
        yield SimpleNamespace(patcher=request.param == "patcher", memory=memory)


def same(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    state, exact = one.state_dict(), other.state_dict()
    assert state.keys() == exact.keys()
    assert all(torch.equal(weight, exact[name]) for name, weight in state.items())


def test_the_flag_takes_the_weights_out_of_the_hosts_layers(
    host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged(monkeypatch)
    layers = comfy("ops").disable_weight_init
    assert layers.Linear(2, 3, device="meta").weight is None
    assert layers.Embedding(2, 3).weight.is_meta


def test_every_loader_fills_such_layers(studio: Studio, dynamic: Any) -> None:
    folder, load = studio.folder, studio.host
    lm = load.load_language_model(folder / "text_encoders" / LM_FILE, "fp32")
    vae = load.load_vae(folder / VAE, "fp32")
    made = (
        load.load_model(folder / DIT, None, "fp32"),
        load.load_text_encoder(folder / TEXT, "fp32"),
    )
    same_weights(made[0].model, studio.model.model)
    same_weights(made[1].model, studio.text.model)
    same_weights(vae.first_stage_model, studio.vae.first_stage_model)
    assert lm.model.embed_tokens.weight.shape[0] > 65_535
    patchers = [made[0], made[1].patcher, vae.patcher, lm.patcher]
    assert [each.is_dynamic() for each in patchers] == [dynamic.patcher] * 4


@torch.inference_mode()
def song(studio: Studio, **given: Any) -> torch.Tensor:
    """From words to sound, [B, N, 2]."""
    made = studio.sampled(studio.guidance("APG", scale=4.0), **given)
    return studio.vae.decode(made)


@pytest.fixture(scope="module")
def exact(studio: Studio) -> torch.Tensor:
    return song(studio)


def test_a_whole_song_is_the_same(
    exact: torch.Tensor, pack: Pack, models: Path, dynamic: Any
) -> None:
    same(song(open_studio(pack, models)), exact)
    if dynamic.patcher:
        assert len([each for each in dynamic.memory.made if each.uses]) == 3


def test_all_models_of_one_file_make_the_same_song(
    studio: Studio, exact: torch.Tensor, dynamic: Any
) -> None:
    file, load = studio.folder / ALL_IN_ONE, studio.host
    model, vae = load.load_model(file, None, "fp32"), load.load_vae(file, "fp32")
    made = studio.sampled(studio.guidance("APG", scale=4.0), model=model)
    with torch.inference_mode():
        same(vae.decode(made), exact)
        states = load.load_text_encoder(file, "fp32").states("calm piano")
        same(states, studio.text.states("calm piano"))
    assert load.load_language_model(file, "fp32").model.embed_tokens.weight.shape[0] > 65_535


@pytest.fixture(scope="module")
def in_bf16(studio: Studio) -> torch.Tensor:
    return coded(studio)


def coded(studio: Studio) -> torch.Tensor:
    """A cover of quantised sound, its code book in float32 beside weights in bf16."""
    model = studio.host.load_model(studio.folder / DIT, None, "bf16")
    return studio.sampled(model=model, positive=cover(studio))


def test_codes_of_weights_in_bf16_are_looked_up_in_float32(
    studio: Studio, in_bf16: torch.Tensor, dynamic: Any
) -> None:
    same(coded(studio), in_bf16)


def test_a_code_book_of_the_published_size_is_read_in_float32(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer hosts keep matrices as small as the miniature's on the device."""
    in_float32 = studio.core("models.codes").in_float32
    draw = torch.Generator().manual_seed(1)
    weights = {
        "weight": torch.randn(2048, 6, generator=draw).bfloat16(),
        "bias": torch.randn(2048, generator=draw).bfloat16(),
    }
    x = torch.randn(3, 6, generator=draw)
    exact = torch.nn.functional.linear(x, weights["weight"].float(), weights["bias"].float())
    with pretended(monkeypatch) as memory:
        layer = comfy("ops").disable_weight_init.Linear(6, 2048, dtype=torch.bfloat16)
        layer.load_state_dict(weights, assign=True)
        net, manager = torch.nn.Sequential(layer), comfy("model_patcher")
        comfy("model_management").archive_model_dtypes(net)
        patcher = manager.CoreModelPatcher(net, load_device=PLACE, offload_device="cpu")
        comfy("model_management").load_models_gpu([patcher])
        for _ in range(6):
            torch.testing.assert_close(in_float32(layer, x), exact, atol=1e-5, rtol=0)
        assert memory.made[0].uses == 6


def by_ours(studio: Studio, model: Any, file: Path) -> Any:
    return studio.host.with_adapter(model, file, 0.7)[0]


def by_stock(studio: Studio, model: Any, file: Path) -> Any:
    weights = comfy("utils").load_torch_file(str(file))
    return comfy("sd").load_lora_for_models(model, None, weights, 0.7, 0.0)[0]


@pytest.fixture(scope="module")
def adapted(studio: Studio, adapter: Path) -> dict[Any, torch.Tensor]:
    return {way: studio.sampled(model=way(studio, studio.model, adapter)) for way in WAYS}


WAYS = (by_ours, by_stock)


@pytest.mark.parametrize("way", WAYS)
def test_a_lora_changes_the_latents_and_is_taken_off(
    studio: Studio, adapted: dict[Any, torch.Tensor], adapter: Path, dynamic: Any, way: Any
) -> None:
    model = studio.host.load_model(studio.folder / DIT, None, "fp32")
    plain = studio.sampled(model=model)
    changed = studio.sampled(model=way(studio, model, adapter))
    same(changed, adapted[way])
    assert (changed - plain).abs().max() > 1e-2
    same(studio.sampled(model=model), plain)


@pytest.fixture(scope="module")
@torch.inference_mode()
def in_int8(
    studio: Studio, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, torch.Tensor]]:
    """An adapter for XL, whose matrices are large enough in int8, and what both make."""
    model = studio.host.load_model(studio.folder / XL, None, "int8")
    file = written_for(model, tmp_path_factory.mktemp("int8") / "adapter.safetensors")
    changed = studio.sampled(model=by_ours(studio, model, file))
    return file, {"plain": studio.sampled(model=model), "lora": changed}


@torch.inference_mode()
def test_int8_is_computed_as_without(
    studio: Studio, in_int8: tuple[Path, dict[str, torch.Tensor]], dynamic: Any
) -> None:
    file, exact = in_int8
    model = studio.host.load_model(studio.folder / XL, None, "int8")
    same(studio.sampled(model=model), exact["plain"])
    if dynamic.patcher:
        assert dynamic.memory.made[0].uses > 0
    changed = studio.sampled(model=by_ours(studio, model, file))
    # the patcher may add a LoRA at each use, and then rounds to int8 or does not
    assert likeness(changed, exact["lora"]) > 0.999
    assert likeness(changed, exact["plain"]) < 0.99
    same(studio.sampled(model=model), exact["plain"])


def likeness(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])


@pytest.fixture(scope="module")
@torch.inference_mode()
def in_fp8(
    studio: Studio, stock_weights: Weights, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, torch.Tensor]:
    stored, _ = scaled(stock_weights)
    folder = tmp_path_factory.mktemp("fp8")
    file = with_marks(stored, folder / "acestep_v1.5_turbo_fp8_scaled.safetensors")
    return file, studio.sampled(model=studio.host.load_model(file, None, "fp32"))


@torch.inference_mode()
def test_scaled_fp8_is_computed_as_without(
    studio: Studio, in_fp8: tuple[Path, torch.Tensor], dynamic: Any
) -> None:
    file, plain = in_fp8
    same(studio.sampled(model=studio.host.load_model(file, None, "fp32")), plain)


@pytest.fixture(scope="module")
def adopted_songs(studio: Studio, stock_weights: Weights, adapter: Path) -> dict[str, torch.Tensor]:
    return adopted(studio, stock_weights)


def adopted(studio: Studio, weights: Weights) -> dict[str, torch.Tensor]:
    """Of the host's own loader: words, a task that it does not know, and its LoRA."""
    stock = stock_model(weights)
    name = "decoder.layers.1.mlp.gate_proj"
    rows, columns = stock.model.diffusion_model.get_submodule(name).weight.shape
    draw = torch.Generator().manual_seed(1)
    lora = {
        f"diffusion_model.{name}.lora_A.weight": torch.randn(2, columns, generator=draw),
        f"diffusion_model.{name}.lora_B.weight": torch.randn(rows, 2, generator=draw),
    }
    patched = comfy("sd").load_lora_for_models(stock, None, lora, 1.0, 0.0)[0]
    return {
        "words": studio.sampled(model=stock),
        "cover": studio.sampled(studio.guidance("APG", scale=4.0), model=stock,
                                positive=cover(studio)),
        "lora": studio.sampled(model=patched),
        "again": studio.sampled(model=stock),
    }  # fmt: skip


def test_an_adopted_model_makes_the_same_songs(
    studio: Studio,
    stock_weights: Weights,
    adopted_songs: dict[str, torch.Tensor],
    dynamic: Any,
) -> None:
    made = adopted(studio, stock_weights)
    for name, each in made.items():
        same(each, adopted_songs[name])
    assert (made["lora"] - made["words"]).abs().max() > 1e-3


@pytest.fixture(scope="module")
@torch.inference_mode()
def clip_before(studio: Studio) -> tuple[Weights, list[torch.Tensor]]:
    clip = stock_clip()
    weights = {name: each.clone() for name, each in clip.cond_stage_model.named_parameters()}
    return weights, read_by(studio, clip)


def read_by(studio: Studio, clip: Any) -> list[torch.Tensor]:
    """What both models of a CLIP make of words."""
    reader, writer = studio.host.text_encoder_of(clip), studio.host.language_model_of(clip)
    writer.reserve_memory(0)
    hidden = writer.model(writer.model.embed(IDS.to(writer.device), torch.float32))
    return [reader.states("calm piano"), reader.embeddings("la"), hidden]


@torch.inference_mode()
def test_an_adopted_clip_reads_the_same(
    studio: Studio, clip_before: tuple[Weights, list[torch.Tensor]], dynamic: Any
) -> None:
    weights, read = clip_before
    clip = stock_clip(weights=weights)
    assert clip.patcher.is_dynamic() is dynamic.patcher
    for one, other in zip(read_by(studio, clip), read, strict=True):
        same(one, other)


@torch.inference_mode()
def test_an_adopted_vae_decodes_the_same(
    studio: Studio, vae_before: tuple[torch.Tensor, torch.Tensor], dynamic: Any
) -> None:
    latent, decoded = vae_before
    same(studio.host.decode(stock_vae(), {"samples": latent})["waveform"], decoded)


@pytest.fixture(scope="module")
@torch.inference_mode()
def vae_before(studio: Studio) -> tuple[torch.Tensor, torch.Tensor]:
    latent = torch.randn(1, 64, 30, generator=torch.Generator().manual_seed(3))
    return latent, studio.host.decode(stock_vae(), {"samples": latent})["waveform"]


def written(studio: Studio, lm: Any) -> list[Any]:
    functions, types = studio.core("lm.functions"), studio.core("types")
    asked = types.Song("calm piano", "[Verse]\nla", 10.0)
    plan = studio.core("lm.plan").Plan(asked, studio.core("lm.metadata").Metadata.of(asked))
    options = functions.CodesOptions(seeds=(1, 2))
    return [each.values for each in functions.compose_codes(lm, [plan, plan], options)]


@pytest.fixture(scope="module")
@torch.inference_mode()
def tokens(studio: Studio) -> list[Any]:
    file = studio.folder / "text_encoders" / LM_FILE
    return written(studio, studio.host.load_language_model(file, "fp32"))


@torch.inference_mode()
def test_the_language_model_writes_the_same_tokens(
    studio: Studio, tokens: list[Any], dynamic: Any
) -> None:
    file = studio.folder / "text_encoders" / LM_FILE
    assert written(studio, studio.host.load_language_model(file, "fp32")) == tokens


def test_a_language_model_that_is_recorded_does_not_come_piece_by_piece(
    studio: Studio, dynamic: Any
) -> None:
    qwen3 = studio.pack.submodule("nodes.host.qwen3")
    kind = studio.core("weights.checkpoint").Kind.LM
    file = studio.folder / "text_encoders" / LM_FILE
    made = qwen3.load_qwen3(file, kind, "fp32", resident=True)
    assert not made.patcher.is_dynamic()
    lm = studio.host.ManagedLanguageModel(
        made.model, made.tokenizer, made.patcher, made.weight_dtype
    )
    lm.reserve_memory(0)
    assert lm.fully_loaded()


def test_any_model_can_be_taken_out_of_dynamic_vram(
    studio: Studio, exact: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the host does it for hooks and for a compiled model."""
    with pretended(monkeypatch):
        folder, load = studio.folder, studio.host
        lm = load.load_language_model(folder / "text_encoders" / LM_FILE, "fp32")
        model = load.load_model(folder / DIT, None, "fp32")
        others = [
            load.load_vae(folder / VAE, "fp32").patcher,
            load.load_text_encoder(folder / TEXT, "fp32").patcher,
            lm.patcher,
        ]
        for patcher in (model, *others):
            plain = patcher.clone(disable_dynamic=True)
            assert patcher.is_dynamic()
            assert not plain.is_dynamic()
            same_weights(plain.model, patcher.model)
        same(song(studio, model=model.clone(disable_dynamic=True)), exact)


def test_a_song_is_previewed_while_the_patcher_makes_it(
    studio: Studio, pack: Pack, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = pack.submodule("nodes.host.audio_preview")
    monkeypatch.setattr(preview, "client_connected", lambda: True)
    with pretended(monkeypatch):
        own, previews = open_studio(pack, models), []
        given = (
            own.vae,
            4,
            (100, 150),
            lambda *each: previews.append(each),
            own.core("memory").Notices(),
        )
        preview = own.host.AudioPreview(*given)
        batch = own.host.Batch(
            model=own.model,
            positive=own.positive,
            negative=own.negative,
            latent=own.canvas(),
            sigmas=own.sigmas,
            recipe=own.core("sampling.recipe").Recipe((SEED,)),
            guidance=None,
            sampler=own.host.ace_solver(),
        )
        with torch.inference_mode():
            made = own.host.sample(batch, None, preview)["samples"].clone()
    same(made, studio.sampled())
    assert [each[1] for each in previews] == [4, 8]
    assert not preview.ended

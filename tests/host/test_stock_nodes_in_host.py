"""Models of ComfyUI's own loaders in our nodes: the same weights, all tasks, no second copy."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.stock import (
    Weights,
    comfy,
    cover,
    dit_weights,
    stock_clip,
    stock_model,
    stock_studio,
    stock_vae,
)
from tests.host.studio import SEED, Studio
from tests.rounding import assert_same
from tools.hosts.pack import Pack

CODES = (41, 2600, 17, 33333, 12, 480)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return dit_weights()


@pytest.fixture(scope="module")
def studio(
    pack: Pack, models: Path, weights: Weights, tmp_path_factory: pytest.TempPathFactory
) -> Studio:
    return stock_studio(pack, models, weights, tmp_path_factory.mktemp("stock"))


@pytest.fixture
def stock(host: Any, weights: Weights) -> Any:
    return stock_model(weights)


def same(one: torch.Tensor, other: torch.Tensor) -> None:
    """One file's weights are mapped, the other's are copied: kernels differ by where they lie."""
    assert_same(one, other)


@torch.inference_mode()
def ksampled(studio: Studio, model: Any, positive: list, cfg: float = 1.0) -> torch.Tensor:
    sample = importlib.import_module("comfy.sample").sample
    conds = (positive, studio.host.unconditional(positive))
    start, noise = studio.canvas()["samples"], studio.noise(SEED)
    return sample(model, noise, 2, cfg, "euler", "simple", *conds, start, seed=SEED)


def held_by_host(base: Any) -> list[Any]:
    """What the memory manager counts of one model or of another around its layers."""
    loaded = comfy("model_management").current_loaded_models
    layer = base.diffusion_model.decoder.layers[0].mlp.up_proj
    return [each for each in loaded if layer in each.model.model.modules()]


@pytest.mark.parametrize("task", ["text", "cover"])
def test_a_model_of_the_host_makes_what_ours_makes_of_the_same_file(
    studio: Studio, stock: Any, task: str
) -> None:
    positive = studio.positive if task == "text" else cover(studio)
    guidance = studio.guidance("APG", scale=4.0)
    same_solver = {"positive": positive, "dcw": studio.dcw_off}  # the variant of stock is unknown
    made = studio.sampled(guidance, model=stock, **same_solver)
    same(made, studio.sampled(guidance, **same_solver))


def test_the_weights_are_the_hosts_own_and_counted_once(studio: Studio, stock: Any) -> None:
    adopted = studio.host.from_native(stock)
    own = studio.pack.submodule("nodes.host.from_native").ace_model_of(adopted).diffusion_model
    theirs = dict(stock.model.diffusion_model.named_parameters())
    for name, weight in own.named_parameters():
        assert weight is theirs[name]
    ksampled(studio, stock, studio.positive)
    studio.sampled(model=stock)
    ksampled(studio, adopted, studio.positive)
    assert len(held_by_host(stock.model)) == 1


def test_a_lora_of_the_stock_loader_is_kept(studio: Studio, stock: Any) -> None:
    draw, name = torch.Generator().manual_seed(1), "layers.1.self_attn.q_proj"
    rows, columns = stock.model.diffusion_model.get_submodule(f"decoder.{name}").weight.shape
    adapter = {
        f"base_model.model.{name}.lora_A.weight": torch.randn(2, columns, generator=draw),
        f"base_model.model.{name}.lora_B.weight": torch.randn(rows, 2, generator=draw),
    }
    load = comfy("sd").load_lora_for_models
    patched, own = (load(m, None, adapter, 1.0, 0.0)[0] for m in (stock, studio.model))
    off = studio.dcw_off  # the variant of stock is unknown
    changed, plain = studio.sampled(model=patched, dcw=off), studio.sampled(dcw=off)
    assert torch.equal(changed, studio.sampled(model=own, dcw=off))
    assert torch.equal(studio.sampled(model=stock, dcw=off), plain)
    assert (changed - plain).abs().max() > 1e-3


def test_a_model_of_the_host_may_be_loaded_in_part(studio: Studio, stock: Any) -> None:
    full = studio.sampled(model=stock)
    wrappers = comfy("patcher_extension").WrappersMP
    left: list[float] = []

    def give_back(prepare: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        prepared = prepare(model, *args, **kwargs)
        model.partially_unload(model.offload_device, 0.6 * model.model_size())
        left.append(model.loaded_size() / model.model_size())
        return prepared

    part = studio.host.from_native(stock)
    part.add_wrapper(wrappers.PREPARE_SAMPLING, give_back)
    assert_same(studio.sampled(model=part), full)
    assert left == [pytest.approx(0.4, abs=0.1)]


def test_stock_samplers_hear_tasks_through_the_adopted_model(studio: Studio, stock: Any) -> None:
    positive = cover(studio)
    adopted = studio.host.from_native(stock)
    made = ksampled(studio, adopted, positive, 3.0)
    same(made, ksampled(studio, studio.model, positive, 3.0))


def test_dcw_corrects_a_model_of_the_host_as_it_corrects_ours(studio: Studio, stock: Any) -> None:
    """Its variant is not known, so it is corrected where that is asked for."""
    plain, said = studio.host.with_dcw(stock, None)
    assert said == "unknown variant: DCW off"
    before = ksampled(studio, stock, studio.positive)
    assert torch.equal(ksampled(studio, plain, studio.positive), before)
    dcw = studio.core("sampling.dcw").DCW()
    bare, adopted, ours = (
        ksampled(studio, studio.host.with_dcw(each, dcw)[0], studio.positive)
        for each in (stock, studio.host.from_native(stock), studio.model)
    )
    same(adopted, ours)
    assert (bare - before).abs().max() > 1e-3


def test_dcw_of_another_family_is_refused_by_name(studio: Studio) -> None:
    other = comfy("model_patcher").ModelPatcher(
        torch.nn.Linear(2, 2), torch.device("cpu"), torch.device("cpu")
    )
    with pytest.raises(studio.core("errors").CheckpointError, match=r"another family \(Linear\)"):
        studio.host.with_dcw(other, None)


def test_a_model_that_knows_no_tasks_refuses_them_and_plays_words_and_codes(
    studio: Studio, stock: Any
) -> None:
    refusal = studio.core("errors").InvalidRequestError
    with pytest.raises(refusal, match=r"\(cover\).*ACE-Step Adopt Model"):
        ksampled(studio, stock, cover(studio))
    text, extras = studio.positive[0]
    types = studio.core("types")
    item = studio.core("task").Task(
        text, extras["conditioning_lyrics"], studio.frames, codes=types.AudioCodes(CODES)
    )
    coded = studio.host.conditioning(item, extras["ace_step"].silence)
    words, tune = (ksampled(studio, stock, each) for each in (studio.positive, coded))
    assert torch.isfinite(words).all()
    assert (words - tune).abs().max() > 0.01


def test_the_schedule_shift_of_the_host_reaches_the_adopted_model(
    studio: Studio, stock: Any
) -> None:
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    shifted = nodes["ModelSamplingAuraFlow"]().patch_aura(stock, 6.0)[0]
    own = nodes["ModelSamplingAuraFlow"]().patch_aura(studio.model, 6.0)[0]
    made = ksampled(studio, studio.host.from_native(shifted), studio.positive)
    assert torch.equal(made, ksampled(studio, own, studio.positive))
    assert not torch.equal(made, ksampled(studio, studio.model, studio.positive))


def test_conditioning_for_a_part_of_the_steps_is_used_in_that_part(
    studio: Studio, stock: Any
) -> None:
    """The host asks the model in the run, not the one on the wire, when a part begins."""
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    part = nodes["ConditioningSetTimestepRange"]().set_range
    halves = [*part(studio.positive, 0.0, 0.4)[0], *part(cover(studio), 0.4, 1.0)[0]]
    shift = nodes["ModelSamplingAuraFlow"]().patch_aura
    adopted = studio.host.from_native(shift(stock, 6.0)[0])
    made = ksampled(studio, adopted, halves)
    same(made, ksampled(studio, shift(studio.model, 6.0)[0], halves))


def test_codes_are_encoded_by_a_model_of_the_host(studio: Studio, stock: Any) -> None:
    silence = studio.positive[0][1]["ace_step"].silence
    samples = torch.randn(2, 64, 23, generator=torch.Generator().manual_seed(2))
    made = studio.host.encode_codes(stock, samples, silence)
    assert made == studio.host.encode_codes(studio.model, samples, silence)


def test_a_compiled_network_and_another_family_are_refused_by_name(
    studio: Studio, stock: Any
) -> None:
    refusal = studio.core("errors").CheckpointError
    compiled = stock.clone()
    kind = comfy("patcher_extension").WrappersMP.APPLY_MODEL
    compiled.add_wrapper_with_key(kind, "torch.compile", lambda run, *args, **kw: run(*args, **kw))
    with pytest.raises(refusal, match="TorchCompileModel"):
        studio.sampled(model=compiled)
    other = comfy("model_patcher").ModelPatcher(
        torch.nn.Linear(2, 2), torch.device("cpu"), torch.device("cpu")
    )
    with pytest.raises(refusal, match=r"another family \(Linear\)"):
        studio.sampled(model=other)


def test_the_variant_of_a_stock_model_is_read_from_its_file_or_chosen(
    studio: Studio, stock: Any
) -> None:
    host, variants = studio.host, studio.core("types").Variant
    assert host.known_variant(stock) is None
    stock.cached_patcher_init = (None, ("models/acestep_v1.5_xl_sft_bf16.safetensors", {}))
    assert host.known_variant(stock) is variants.SFT
    assert host.known_variant(host.from_native(stock)) is variants.SFT
    assert host.known_variant(host.from_native(stock, variants.BASE).clone()) is variants.BASE
    assert host.known_variant(stock) is variants.SFT


@torch.inference_mode()
def test_a_stock_clip_reads_and_writes_as_our_own_models(studio: Studio) -> None:
    clip, host = stock_clip(), studio.host
    reader, writer = host.text_encoder_of(clip), host.language_model_of(clip)
    stage = clip.cond_stage_model
    assert reader.model.embed_tokens is stage.qwen3_06b.transformer.model.embed_tokens
    assert writer.model.embed_tokens is stage.qwen3_2b.transformer.model.embed_tokens
    assert reader.patcher is writer.patcher is clip.patcher
    qwen3 = studio.core("models.qwen3")
    for net, made in ((stage.qwen3_06b, reader), (stage.qwen3_2b, writer)):
        weights = net.transformer.model.state_dict()
        shapes = {name: tuple(each.shape) for name, each in weights.items()}
        alone = qwen3.Qwen3(qwen3.Qwen3Config.from_shapes(shapes))
        alone.load_state_dict(weights)
        embedded = alone.embed(torch.tensor([[5, 6, 7]]))
        torch.testing.assert_close(made.model(embedded), alone(embedded))
    assert reader.states("calm piano").shape[-1] == 32
    counted = comfy("model_management").current_loaded_models
    assert sum(each.model.model is stage for each in counted) == 1


def test_a_clip_without_such_models_is_refused_by_name(studio: Studio) -> None:
    refusal = studio.core("errors").CheckpointError
    with pytest.raises(refusal, match="no text encoder of ACE-Step"):
        studio.host.text_encoder_of(object())
    with pytest.raises(refusal, match="DualCLIPLoader with the type 'ace'"):
        studio.host.language_model_of(stock_clip(lm=None))


@torch.inference_mode()
def test_words_of_the_stock_text_node_are_sampled_by_ours(studio: Studio, stock: Any) -> None:
    encode = importlib.import_module("comfy_extras.nodes_ace").TextEncodeAceStepAudio15.execute
    empty = importlib.import_module("comfy_extras.nodes_ace").EmptyAceStep15LatentAudio.execute
    rest = (0, 120, 10.0, "4", "en", "C major", False, 2.0, 0.85, 0.9, 0, 0.0)
    clip = stock_clip()
    one, other = (encode(clip, tags, "[Verse] la", *rest)[0] for tags in ("calm", "wild drums"))
    assert empty(10.0, 1)[0]["samples"].shape == studio.canvas()["samples"].shape
    made = [studio.sampled(model=stock, positive=each) for each in (one, other)]
    assert torch.isfinite(made[0]).all()
    assert (made[0] - made[1]).abs().max() > 1e-4


@torch.inference_mode()
def test_a_stock_vae_is_heard_in_exact_tiles_and_encoded_without_chance(studio: Studio) -> None:
    vae, host = stock_vae(), studio.host
    latent = torch.randn(1, 64, 600, generator=torch.Generator().manual_seed(3))
    whole = vae.first_stage_model.decode(latent)
    ours = studio.pack.submodule("nodes.host.vae").vae_from_native(vae)
    heard = ours.decode(latent).movedim(-1, 1)
    assert_same(heard, whole)
    copied = ours.first_stage_model.on_cpu().decode(latent[..., :50])
    alone = vae.first_stage_model.decode(latent[..., :50])
    assert_same(copied, alone)
    audio = whole[..., :20_000].clamp(-1, 1)
    first = host.encode(vae, audio)["samples"]
    mean = vae.first_stage_model.encoder(audio).chunk(2, dim=1)[0]
    assert_same(first, mean)
    assert torch.equal(host.encode(vae, audio)["samples"], first)
    assert host.silence_of(vae).shape == (1, 15_000, 64)
    nodes = importlib.import_module("comfy_extras.nodes_audio")
    assert nodes.VAEDecodeAudio.execute(vae, {"samples": latent})[0]["sample_rate"] == 48_000

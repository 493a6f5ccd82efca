"""Stock samplers, LoRAs and savers on our MODEL, and our sampler beside the core's own pipeline."""

import importlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.studio import DIT, SEED, XL, Studio, open_studio
from tests.rounding import assert_same, difference
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@torch.inference_mode()
def stock_ksampler(studio: Studio, cfg: float) -> torch.Tensor:
    """The host's own loop for its KSampler node, from our noise."""
    sample = importlib.import_module("comfy.sample").sample
    canvas = studio.canvas()["samples"]
    conds = (studio.positive, studio.negative)
    return sample(
        studio.model, studio.noise(SEED), 8, cfg, "euler", "simple", *conds, canvas, seed=SEED
    )


class OurNoise:
    """What a NOISE node would hand to SamplerCustomAdvanced."""

    seed = SEED

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def generate_noise(self, latent: dict[str, Any]) -> torch.Tensor:
        return self.studio.noise(*([SEED] * len(latent["samples"])))


@torch.inference_mode()
def stock_advanced(studio: Studio, cfg: float) -> torch.Tensor:
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    samplers = importlib.import_module("comfy.samplers")
    guider = samplers.CFGGuider(studio.model)
    guider.set_conds(studio.positive, studio.negative)
    guider.set_cfg(cfg)
    euler = samplers.sampler_object("euler")
    run = nodes["SamplerCustomAdvanced"].execute
    return run(OurNoise(studio), guider, euler, studio.sigmas, studio.canvas())[0]["samples"]


def test_stock_samplers_give_the_same_bits_as_ours_without_guidance(studio: Studio) -> None:
    ours = studio.sampled(dcw=studio.dcw_off)
    assert torch.equal(stock_ksampler(studio, 1.0), ours)
    assert torch.equal(stock_advanced(studio, 1.0), ours)
    assert ours.std() > 0.5


def test_stock_samplers_give_the_same_latents_as_ours_with_plain_guidance(studio: Studio) -> None:
    ours = studio.sampled(studio.guidance("CFG", scale=3.0), dcw=studio.dcw_off)
    assert_same(stock_ksampler(studio, 3.0), ours)
    assert_same(stock_advanced(studio, 3.0), ours)
    assert (ours - studio.sampled()).abs().max() > 0.1


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_stock_samplers_on_a_patched_model_give_the_same_latents_as_ours(
    studio: Studio, cfg: float
) -> None:
    guidance = studio.guidance("CFG", scale=cfg) if cfg > 1 else None
    ours = studio.sampled(guidance)
    patched, said = studio.host.with_dcw(studio.model, None)
    assert said == "turbo: DCW double 0.05 and 0.02"
    corrected = replace(studio, model=patched)
    assert_same(stock_ksampler(corrected, cfg), ours)
    assert_same(stock_advanced(corrected, cfg), ours)
    assert difference(stock_ksampler(studio, cfg), ours) > 1e-3


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (None, {}),
        ("CFG", {"scale": 3.0}),
        ("APG", {"scale": 7.0}),
        ("APG", {"scale": 7.0, "interval": (0.3, 0.9)}),
        ("ADG", {"scale": 3.0}),
        ("APG", {"scale": 4.0, "norm_threshold": 2.0, "velocity_ema": 0.1}),
    ],
)
def test_the_host_samples_what_the_core_samples(
    studio: Studio, kind: str | None, fields: dict[str, Any]
) -> None:
    guidance = studio.guidance(kind, **fields) if kind else None
    pipeline, types = studio.core("pipeline"), studio.core("types")
    task = studio.positive[0][1]["ace_step"]
    item = studio.core("task").Task(
        studio.positive[0][0], studio.positive[0][1]["conditioning_lyrics"], studio.frames
    )
    models = pipeline.Models(
        dit=studio.model.model.diffusion_model,
        text=studio.text,
        vae=studio.vae.first_stage_model,
        silence=task.silence,
        variant=types.Variant.TURBO,
    )
    made = studio.core("sampling.recipe").Recipe(seeds=(SEED,), guidance=guidance)
    alone = pipeline.sample(models, item, made)
    assert_same(studio.sampled(guidance), alone.transpose(1, 2))


def test_the_null_condition_and_the_words_share_one_forward(studio: Studio) -> None:
    batches: list[int] = []
    net = studio.model.model.diffusion_model
    hook = net.decoder.register_forward_pre_hook(lambda _, given: batches.append(len(given[0])))
    studio.sampled(studio.guidance("APG", scale=7.0))
    hook.remove()
    assert batches == [2] * 8


def test_the_condition_encoder_runs_once_a_generation(studio: Studio) -> None:
    calls: list[int] = []
    net = studio.model.model.diffusion_model
    hook = net.encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    studio.sampled(studio.guidance("APG", scale=7.0))
    hook.remove()
    assert len(calls) == 1


@pytest.mark.parametrize("kind", [None, "APG"])
def test_an_item_of_a_batch_equals_that_item_alone(studio: Studio, kind: str | None) -> None:
    guidance = studio.guidance(kind) if kind else None
    together = studio.sampled(guidance, seeds=(3, 5, 9))
    assert_same(together[2:], studio.sampled(guidance, seeds=(9,)))


def lora(studio: Studio, key: str, width: int | None = None) -> dict[str, torch.Tensor]:
    """Rank 2 on four kinds of weights, under one of the two spellings of their keys."""
    state = studio.model.model.diffusion_model.state_dict()
    draw = torch.Generator().manual_seed(1)
    adapter = {}
    for name in ("self_attn.q_proj", "cross_attn.k_proj", "cross_attn.v_proj", "mlp.gate_proj"):
        rows, columns = state[f"decoder.layers.1.{name}.weight"].shape
        columns = width or columns
        base = key.format(f"layers.1.{name}")
        adapter[f"{base}.lora_A.weight"] = torch.randn(2, columns, generator=draw)
        adapter[f"{base}.lora_B.weight"] = torch.randn(rows, 2, generator=draw)
    return adapter


def patched(studio: Studio, adapter: dict[str, torch.Tensor]) -> Any:
    """What stock LoraLoaderModelOnly makes of a MODEL."""
    load = importlib.import_module("comfy.sd").load_lora_for_models
    return load(studio.model, None, adapter, 1.0, 0.0)[0]


SPELLINGS = ["base_model.model.{}", "diffusion_model.decoder.{}"]


@pytest.mark.parametrize("key", SPELLINGS)
def test_a_stock_lora_loader_patches_every_key(studio: Studio, key: str) -> None:
    model = patched(studio, lora(studio, key))
    assert len(model.patches) == 4
    changed = studio.sampled(model=model)
    assert (changed - studio.sampled()).abs().max() > 0.01


def test_both_spellings_of_a_lora_are_the_same(studio: Studio) -> None:
    one, other = (studio.sampled(model=patched(studio, lora(studio, key))) for key in SPELLINGS)
    assert torch.equal(one, other)


def test_a_lora_of_another_width_is_refused_with_both_shapes(studio: Studio) -> None:
    xl = studio.with_model(XL)
    model = patched(xl, lora(studio, SPELLINGS[0]))
    refusal = studio.core("errors").CheckpointError
    with pytest.raises(refusal, match=r"made for another model.*\[.*64\].*\[.*96\]"):
        xl.sampled(model=model)


def test_a_saved_model_is_read_back_with_its_lora_inside(studio: Studio, tmp_path: Path) -> None:
    comfy_sd = importlib.import_module("comfy.sd")
    model = patched(studio, lora(studio, SPELLINGS[0]))
    before = studio.sampled(model=model)
    comfy_sd.save_checkpoint(str(tmp_path / "saved_turbo.safetensors"), model)
    again = studio.host.load_model(tmp_path / "saved_turbo.safetensors", None, "fp32")
    assert_same(studio.sampled(model=again), before)


def test_a_partial_load_gives_what_a_full_load_gives(studio: Studio) -> None:
    extension = importlib.import_module("comfy.patcher_extension")
    guidance = studio.guidance("APG")
    adapted = patched(studio, lora(studio, SPELLINGS[0]))
    full = studio.sampled(guidance, model=adapted)
    left: list[float] = []

    def give_back(prepare: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """After the host has loaded all of it, take 60 % away again."""
        prepared = prepare(model, *args, **kwargs)
        model.partially_unload(model.offload_device, 0.6 * model.model_size())
        left.append(model.loaded_size() / model.model_size())
        return prepared

    part = adapted.clone()
    part.add_wrapper(extension.WrappersMP.PREPARE_SAMPLING, give_back)
    assert_same(studio.sampled(guidance, model=part), full)
    assert left == [pytest.approx(0.4, abs=0.1)]


def test_the_silence_beside_the_model_comes_before_that_of_the_vae(studio: Studio) -> None:
    own = studio.with_model(DIT)
    assert own.model.model.silence is None
    before = own.sampled()
    own.model.model.silence = torch.zeros(1, 15_000, 64)
    assert (own.sampled() - before).abs().max() > 0.01


def test_auto_keeps_bf16_where_the_cpu_has_instructions_for_it(studio: Studio) -> None:
    units = Path("/proc/cpuinfo").read_text().split()
    fast = "amx_tile" in units or "avx512_bf16" in units
    model = studio.host.load_model(studio.folder / DIT, None, "auto").model
    assert model.get_dtype_inference() is (torch.bfloat16 if fast else torch.float32)


def test_a_preview_arrives_at_every_step(studio: Studio) -> None:
    preview = importlib.import_module("latent_preview")
    utils = importlib.import_module("comfy.utils")
    pictures: list[Any] = []
    preview.set_preview_method("auto")
    utils.set_progress_bar_global_hook(lambda *given, **_: pictures.append(given[2]))
    studio.sampled()
    utils.set_progress_bar_global_hook(None)
    preview.set_preview_method("none")
    assert [picture[0] for picture in pictures] == ["JPEG"] * 8
    assert pictures[0][1].size == (studio.frames, 128)


def test_a_model_can_be_rebuilt_for_compilation(studio: Studio) -> None:
    rebuild, given = studio.model.cached_patcher_init
    again = rebuild(*given, disable_dynamic=True)
    assert torch.equal(studio.sampled(model=again), studio.sampled())


def test_weights_are_views_into_the_file_and_not_copies(studio: Studio) -> None:
    model = studio.host.load_model(studio.folder / DIT, None, "bf16")
    weight = model.model.diffusion_model.decoder.layers[0].mlp.gate_proj.weight
    assert weight.dtype is torch.bfloat16
    assert not weight.requires_grad
    file = str((studio.folder / DIT).resolve())
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if file in line]
    spans = [[int(end, 16) for end in line.split()[0].split("-")] for line in mapped]
    assert any(low <= weight.data_ptr() < high for low, high in spans)


def test_hooked_loras_change_weights_at_a_step_and_still_reach_the_cached_memory(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    """A hook may switch a LoRA on and off between steps: keys and values are then made anew."""
    hooks = importlib.import_module("comfy.hooks")
    caplog.set_level(logging.ERROR)
    group = hooks.create_hook_lora(lora(studio, SPELLINGS[0]), 1.0, 0.0)
    positive = [[text, {**extras, "hooks": group}] for text, extras in studio.positive]
    model = studio.model.clone()
    model.register_all_hook_patches(
        group, hooks.create_target_dict(hooks.EnumWeightTarget.Model), model.model_options
    )
    hooked = studio.sampled(model=model, positive=positive)
    assert_same(hooked, studio.sampled(model=patched(studio, lora(studio, SPELLINGS[0]))))

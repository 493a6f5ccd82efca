"""Int8 weights inside a real ComfyUI: size, song, offload, LoRA, the other two models."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.studio import DIT, TEXT, Studio, open_studio
from tests.nodes.lm_prompts import LM_FILE
from tools.hosts.pack import Pack

LAYER = "decoder.layers.1"
pytestmark = pytest.mark.usefixtures("slow_at_bf16")


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@pytest.fixture(scope="module")
@torch.inference_mode()  # in which the host runs every node, and without which it copies no weights
def small(studio: Studio) -> Studio:
    return replace(studio, model=studio.host.load_model(studio.folder / DIT, None, "int8"))


def likeness(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])


def large(studio: Studio) -> int:
    state = studio.model.model.diffusion_model.state_dict().items()
    return sum(t.nbytes for name, t in state if "_proj" in name and ".layers." in name
               and name.startswith("decoder."))  # fmt: skip


def adapted(studio: Studio) -> Any:
    """What stock LoraLoaderModelOnly makes of a MODEL with a rank 2 adapter."""
    state = studio.model.model.diffusion_model.state_dict()
    draw = torch.Generator().manual_seed(1)
    adapter = {}
    for name in ("self_attn.q_proj", "cross_attn.k_proj", "mlp.gate_proj"):
        rows, columns = state[f"{LAYER}.{name}.weight"].shape
        base = f"diffusion_model.{LAYER}.{name}"
        adapter[f"{base}.lora_A.weight"] = torch.randn(2, columns, generator=draw)
        adapter[f"{base}.lora_B.weight"] = torch.randn(rows, 2, generator=draw)
    load = importlib.import_module("comfy.sd").load_lora_for_models
    return load(studio.model, None, adapter, 1.0, 0.0)[0]


def test_the_host_counts_a_byte_a_weight(studio: Studio, small: Studio) -> None:
    assert 0.25 < large(small) / large(studio) < 0.32
    layers = small.model.model.diffusion_model.modules()
    held = [each.weight for each in layers if getattr(each, "quantizes", False)]
    assert {weight.storage_dtype for weight in held} == {torch.int8}
    saved = sum(3 * weight.numel() - 4 * len(weight) for weight in held)  # fp32 before, scales now
    assert studio.model.model_size() - small.model.model_size() == saved


@pytest.mark.parametrize("kind", [None, "APG"])
def test_a_song_in_int8_ends_near_that_of_the_whole_weights(
    studio: Studio, small: Studio, kind: str | None
) -> None:
    guidance = studio.guidance(kind, scale=3.0) if kind else None
    exact, made = studio.sampled(guidance), small.sampled(guidance)
    assert likeness(made, exact) > 0.999
    assert not torch.equal(made, exact)


def test_the_host_computes_what_the_core_computes(studio: Studio, small: Studio) -> None:
    int8 = studio.core("models.int8")
    layer = small.model.model.diffusion_model.decoder.layers[0].mlp.gate_proj
    whole = studio.model.model.diffusion_model.decoder.layers[0].mlp.gate_proj.weight
    x = torch.randn(2, 5, whole.shape[1])
    assert torch.equal(layer(x), int8.int8_linear(x, *int8.quantize_rows(whole)))


def test_a_lora_is_put_on_the_whole_weight_and_taken_off_again(
    studio: Studio, small: Studio
) -> None:
    before = small.sampled()
    changed = small.sampled(model=adapted(small))
    assert likeness(changed, studio.sampled(model=adapted(studio))) > 0.999
    assert likeness(changed, before) < 0.99
    assert torch.equal(small.sampled(), before)


@pytest.mark.parametrize("with_lora", [False, True])
def test_a_partial_load_plays_what_a_full_load_plays(small: Studio, with_lora: bool) -> None:
    extension = importlib.import_module("comfy.patcher_extension")
    model = adapted(small) if with_lora else small.model
    full = small.sampled(model=model)
    left: list[float] = []

    def give_back(prepare: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """After the host has loaded all of it, take 60 % away again."""
        prepared = prepare(model, *args, **kwargs)
        model.partially_unload(model.offload_device, 0.6 * model.model_size())
        left.append(model.loaded_size() / model.model_size())
        return prepared

    part = model.clone()
    part.add_wrapper(extension.WrappersMP.PREPARE_SAMPLING, give_back)
    # a LoRA that is added at each use is not rounded to int8 afterwards
    assert likeness(small.sampled(model=part), full) > (0.999 if with_lora else 0.9999999)
    assert left == [pytest.approx(0.4, abs=0.15)]


def test_the_language_model_writes_in_int8(studio: Studio) -> None:
    path = studio.folder / "text_encoders" / LM_FILE
    small, whole = (studio.host.load_language_model(path, kind) for kind in ("int8", "fp32"))
    small.reserve_memory(0)
    assert small.dtype is torch.bfloat16  # for which a CPU has a kernel
    x = torch.randn(
        1, 9, whole.model.config.hidden_size, generator=torch.Generator().manual_seed(1)
    )
    with torch.inference_mode():
        assert likeness(small.model(x.bfloat16()).float(), whole.model(x)) > 0.995
    types = {
        t.dtype for name, t in small.model.state_dict().items() if name.endswith("_proj.weight")
    }
    assert types == {torch.int8}


@torch.inference_mode()
def test_the_text_encoder_reads_in_int8(studio: Studio) -> None:
    small = studio.host.load_text_encoder(studio.folder / TEXT, "int8")
    assert likeness(small.states("calm piano"), studio.text.states("calm piano")) > 0.995
    assert torch.equal(small.embeddings("la"), studio.text.embeddings("la"))
    assert small.patcher.model_size() < studio.text.patcher.model_size()

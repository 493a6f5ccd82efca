"""Every format of quantised layers: computed by the host's layers, or refused by its name."""

import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.host.stock import Weights, comfy, cover, dit_weights, stock_model, stock_studio
from tests.host.studio import TEXT, Studio
from tests.host.test_int8_in_host import likeness
from tests.host.test_quantised_in_host import LM, beside_its_tokenizer, states_of
from tools.hosts.pack import Pack

LAYER = "decoder.layers.1.mlp.up_proj"
PROJECTOR = "encoder.text_projector"


@dataclass(frozen=True)
class Format:
    """How one is made, and how near to its weights the host computes it."""

    name: str
    layout: str
    settings: dict[str, Any] = field(default_factory=dict)
    more: tuple[str, ...] = ()  # quantised beside the layers
    like: float = 0.9
    near: float | None = None  # the host computes it in full precision here

    @property
    def known(self) -> bool:
        return self.name in comfy("quant_ops").QUANT_ALGOS

    def of(self, weight: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """What a file holds of a weight, by ending, and what that stands for."""
        layout = getattr(importlib.import_module("comfy_kitchen.tensor"), self.layout)
        scale = {"scale": weight.abs().max() / 2688} if self.name == "nvfp4" else {}
        made, params = layout.quantize(weight, **scale, **self.settings)
        mark = {"format": self.name} | {k: v for k, v in self.settings.items() if "per" not in k}
        text = torch.tensor(list(json.dumps(mark).encode()), dtype=torch.uint8)
        stored = layout.state_dict_tensors(made, params)
        whole = layout.dequantize(made, params)[: weight.shape[0], : weight.shape[1]]
        return {f".weight{k}": v for k, v in stored.items()} | {".comfy_quant": text}, whole


TURNED = {"convrot_groupsize": 64}
MORE = (PROJECTOR, "decoder.condition_embedder")
FORMATS = [
    Format("nvfp4", "TensorCoreNVFP4Layout", more=MORE, near=2e-4),
    Format("mxfp8", "TensorCoreMXFP8Layout", more=MORE, near=2e-4),
    Format("int8_tensorwise", "TensorWiseINT8Layout", {"per_channel": True}, MORE, 0.999),
    Format(
        "int8_tensorwise",
        "TensorWiseINT8Layout",
        {"per_channel": True, "convrot": True, **TURNED},
        like=0.999,
    ),
    Format("convrot_w4a4", "TensorCoreConvRotW4A4Layout", TURNED),
    Format("asym_w4a8_int8", "AsymW4A8Int8Layout", TURNED),
]
IDS = ["nvfp4", "mxfp8", "int8", "int8 turned", "w4a4", "w4a8"]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return dit_weights()


@pytest.fixture(scope="module")
def studio(
    pack: Pack, models: Path, weights: Weights, tmp_path_factory: pytest.TempPathFactory
) -> Studio:
    return stock_studio(pack, models, weights, tmp_path_factory.mktemp("formats"))


@torch.inference_mode()
def quantised(weights: Weights, form: Format) -> tuple[Weights, Weights]:
    """The large matrices in a format, as the host writes them, and what they stand for."""
    stored, meant = {}, {}
    for name, each in weights.items():
        layer = name.removesuffix(".weight")
        inside = ".layers." in f".{name}" and each.dim() == 2 and not name.startswith("encoder")
        if inside or layer in form.more:
            parts, meant[name] = form.of(each)
            stored |= {layer + ending: part for ending, part in parts.items()}
        else:
            stored[name] = meant[name] = each
    return stored, meant


def floats(weights: Weights) -> Weights:
    return {name: each.float() for name, each in weights.items()}


def written(tensors: Weights, path: Path) -> Path:
    save_file({name: each.clone().contiguous() for name, each in tensors.items()}, path)
    return path


def refused(load: Any, path: Path, *words: str) -> None:
    with pytest.raises(Exception, match="quantised") as caught:
        load(path)
    assert type(caught.value).__name__ == "CheckpointError"
    for word in (str(path), "hoose", *words):
        assert word in str(caught.value)
    assert "Download the file again" not in str(caught.value)


@torch.inference_mode()
@pytest.mark.parametrize("form", FORMATS, ids=IDS)
def test_a_diffusion_model_is_computed_as_the_host_does_or_refused_by_name(
    studio: Studio, weights: Weights, tmp_path: Path, form: Format
) -> None:
    stored, meant = quantised(weights, form)
    file = written(stored, tmp_path / "acestep_v1.5_turbo_small.safetensors")
    if not form.known and form.settings != {"per_channel": True}:  # plain int8 is read by ours
        refused(studio.host.load_model, file, f"'{form.name}'", "ComfyUI 0.33.0 does", "bf16")
        return
    model = studio.host.load_model(file, None, "fp32")
    assert hasattr(model.model.diffusion_model.get_submodule(LAYER).weight, "_qdata")
    same = {"positive": cover(studio), "dcw": studio.dcw_off}  # the variant of stock is unknown
    made = studio.sampled(model=model, **same)
    exact = studio.sampled(model=stock_model(meant), **same)
    assert likeness(made, exact) > form.like
    if form.near is not None:
        torch.testing.assert_close(made, exact, atol=form.near, rtol=0)
    assert (made - studio.sampled(**same)).abs().max() > 1e-4


@torch.inference_mode()
@pytest.mark.parametrize("file", [TEXT, LM], ids=["text encoder", "language model"])
@pytest.mark.parametrize("form", [FORMATS[0], FORMATS[1], FORMATS[3]], ids=IDS[:2] + IDS[3:4])
def test_a_qwen3_is_computed_as_its_weights_or_refused_by_name(
    studio: Studio, models: Path, tmp_path: Path, file: str, form: Format
) -> None:
    if form.settings:
        form = Format(form.name, form.layout, form.settings | {"convrot_groupsize": 16}, like=0.99)
    stored, meant = quantised(floats(load_file(models / file)), form)
    packed = written(stored, beside_its_tokenizer(models, file, tmp_path, f"{Path(file).stem}_4"))
    plain = written(meant, beside_its_tokenizer(models, file, tmp_path, f"{Path(file).stem}_16"))
    load = studio.host.load_text_encoder if file == TEXT else studio.host.load_language_model
    if not form.known:
        refused(load, packed, f"'{form.name}'", "ComfyUI 0.33.0 does", "qwen_")
        return
    made, exact = (states_of(load(each, "fp32")) for each in (packed, plain))
    assert likeness(made, exact) > form.like
    if form.near is not None:
        torch.testing.assert_close(made, exact, atol=form.near, rtol=0)


@torch.inference_mode()
def test_a_quantised_table_is_read_and_a_norm_is_refused_by_name(
    studio: Studio, models: Path, tmp_path: Path
) -> None:
    stored = load_file(models / TEXT)
    table = stored["model.embed_tokens.weight"]
    scale = table.abs().max().float() / 448
    stored["model.embed_tokens.weight"] = (table / scale).to(torch.float8_e4m3fn)
    stored["model.embed_tokens.weight_scale"] = scale
    text = json.dumps({"format": "float8_e4m3fn"}).encode()
    stored["model.embed_tokens.comfy_quant"] = torch.tensor(list(text), dtype=torch.uint8)
    file = written(stored, beside_its_tokenizer(models, TEXT, tmp_path, "qwen_table"))
    made, exact = (studio.host.load_text_encoder(each, "fp32") for each in (file, models / TEXT))
    assert likeness(states_of(made), states_of(exact)) > 0.99
    strange = {
        "model.norm.weight_scale": torch.tensor(1.0),
        "model.norm.comfy_quant": stored["model.embed_tokens.comfy_quant"],
    }
    written(stored | strange, file)
    refused(studio.host.load_text_encoder, file, "norm is a layer", "'float8_e4m3fn'", "RMSNorm")


@torch.inference_mode()
def test_an_unknown_format_and_a_broken_scale_are_refused(
    studio: Studio, weights: Weights, tmp_path: Path
) -> None:
    stored, _ = quantised(weights, FORMATS[1])
    file = tmp_path / "acestep_v1.5_turbo_small.safetensors"
    text = json.dumps({"format": "brand_new"}).encode()
    strange = {f"{LAYER}.comfy_quant": torch.tensor(list(text), dtype=torch.uint8)}
    refused(studio.host.load_model, written(stored | strange, file), "'brand_new'", "newer ComfyUI")
    bytes_ = stored[f"{LAYER}.weight_scale"].view(torch.uint8).clone()
    bytes_.view(-1)[3] = 255  # NaN
    broken = {f"{LAYER}.weight_scale": bytes_.view(torch.float8_e8m0fnu)}
    with pytest.raises(Exception, match=rf"'{LAYER}\.weight_scale' with 1 NaN"):
        studio.host.load_model(written(stored | broken, file))


def test_a_quantised_vae_is_refused_by_name(studio: Studio, models: Path, tmp_path: Path) -> None:
    stored = load_file(models / "vae/ace_1.5_vae_miniature.safetensors")
    text = json.dumps({"format": "mxfp8"}).encode()
    stored["decoder.layers.0.comfy_quant"] = torch.tensor(list(text), dtype=torch.uint8)
    stored["decoder.layers.0.weight"] = stored.pop("decoder.layers.0.weight_v")
    stored["decoder.layers.0.weight_scale"] = torch.ones(4)
    file = written(stored, tmp_path / "ace_1.5_vae_small.safetensors")
    refused(studio.host.load_vae, file, "'mxfp8'", "A VAE is small", "ace_1.5_vae")

"""Files that people publish, in ComfyUI's own folders: VAEs, merges, and adapters that half fit."""

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.nodes import music as rendered
from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import TURBO, Nodes, loaders, sampler, times, whole
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

MERGE = "acestep_v1.5_merge_sft_turbo_ta_0.5.safetensors"
COMMUNITY = "community_miniature"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The server behind the page that queued the run; `sent` is (text, node, to which page)."""
    page = SimpleNamespace(client_id="a page", sent=[], sockets={})
    page.send_progress_text = lambda *message: page.sent.append(message)
    page.send_sync = lambda *_: None
    server = SimpleNamespace(PromptServer=SimpleNamespace(instance=page))
    monkeypatch.setitem(sys.modules, "server", server)
    return page


def texts(page: SimpleNamespace, node: str) -> list[str]:
    return [text for text, sender, _ in page.sent if sender == node]


def decoded(pack: Pack, file: str) -> torch.Tensor:
    nodes: Nodes = {
        "vae": node("LoadVAE", file=file, dtype="fp32"),
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": "melody.wav"}},
        "latent": node("EncodeAudio", vae=["vae", 0], audio=["sound", 0], posterior="mean", seed=0),
        "music": node("DecodeAudio", vae=["vae", 0], latent=["latent", 0]),
        "out": shown("music", 0),
    }
    outcome = pack.host.run(nodes)
    assert outcome.complete, outcome.why()
    return outcome.values["music"][0]["waveform"].clone()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("diffusers/diffusion_pytorch_model.safetensors", "AutoencoderOobleck"),
        ("autoencoder.safetensors", "stable-audio-tools"),
        ("pretransform.safetensors", "stable-audio-tools"),
        ("training.safetensors", "stable-audio-tools"),
    ],
)
def test_a_vae_of_any_layout_is_listed_and_decodes_the_same(
    pack: Pack, models: Path, base_directory: Path, page: SimpleNamespace, file: str, words: str
) -> None:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    names = pack.submodule("nodes.folders").choices("vae")
    name = os.path.join(COMMUNITY, *file.split("/"))
    assert name in names
    usual = decoded(pack, "ace_1.5_vae_miniature.safetensors")
    assert torch.equal(decoded(pack, name), usual)
    assert usual.std() > 0.001
    assert any(words in text for text in texts(page, "vae"))


@pytest.fixture
def merge(models: Path) -> str:
    shutil.copyfile(models / "diffusion_models" / TURBO, models / "diffusion_models" / MERGE)
    return MERGE


def loaded(pack: Pack, variant: str, kind: str = "auto") -> Outcome:
    nodes = loaders(MERGE)
    nodes["model"]["inputs"]["variant"] = variant
    nodes["times"] = node("Schedule", model=["model", 0], settings=kind)
    nodes["out"] = shown("times", 1)
    return pack.host.run(nodes)


def test_a_merge_takes_its_variant_from_the_widget_and_advises_where_it_is_not_set(
    pack: Pack, merge: str, page: SimpleNamespace
) -> None:
    outcome = loaded(pack, "auto")
    assert outcome.status == "error"
    assert outcome.error is not None
    (note,) = texts(page, "model")
    for said in (outcome.error["exception_message"], note):
        assert "turbo (8 steps, guidance off) or sft (50 steps" in said
    page.sent.clear()
    for variant, steps in (("turbo", 8), ("sft", 50)):
        outcome = loaded(pack, variant)
        assert outcome.complete, outcome.why()
        assert f"{steps} steps" in outcome.values["times"][1]
    assert texts(page, "model") == []


def lora(models: Path, name: str, **changes: Any) -> str:
    """The miniature adapter under an adapter's name, with foreign keys beside it."""
    weights = load_file(models / "loras" / "my_style_miniature.safetensors")
    renamed = {
        key.replace(".weight", f".{changes.get('adapter', 'my_style')}.weight"): tensor
        for key, tensor in weights.items()
    }
    foreign = {f"text_model.{n}.lora_A.weight": torch.ones(2, 2) for n in range(changes["foreign"])}
    save_file(renamed | foreign, models / "loras" / name)
    return name


def song(file: str) -> Nodes:
    nodes = whole("Cover")
    nodes["lora"] = node("LoadLoRA", model=["model", 0], file=file, strength=1.0)
    return nodes | {"times": times(), "music": sampler(model=["lora", 0])}


def played(pack: Pack, file: str) -> torch.Tensor:
    outcome = pack.host.run(song(file))
    assert outcome.complete, outcome.why()
    return outcome.values["music"][0]["samples"].clone()


def test_an_adapter_of_any_name_plays_the_same_and_its_rest_is_said_on_the_node(
    pack: Pack, models: Path, base_directory: Path, page: SimpleNamespace
) -> None:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    usual = played(pack, "my_style_miniature.safetensors")
    assert not any("warning" in text for text in texts(page, "lora"))
    named = played(pack, lora(models, "named.safetensors", foreign=2, adapter="voice"))
    assert torch.equal(named, usual)
    assert "2 of the adapter's 10 keys fit nothing" in texts(page, "lora")[-1]


def test_an_adapter_of_which_little_fits_is_refused(
    pack: Pack, models: Path, base_directory: Path
) -> None:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    outcome = pack.host.run(song(lora(models, "foreign.safetensors", foreign=94)))
    assert outcome.status == "error"
    assert outcome.error is not None
    assert "only 8 of its 102 keys" in outcome.error["exception_message"]


def test_an_extracted_difference_reaches_the_condition_encoder_and_a_bias(
    pack: Pack, models: Path
) -> None:
    """What the sampler computes with is the weight plus half the difference, in every part."""
    host = pack.submodule("nodes.host")
    model = host.load_model(models / "diffusion_models" / TURBO, None, "fp32")
    state = {name: tensor.clone() for name, tensor in model.model.state_dict().items()}
    names = [
        "diffusion_model.decoder.layers.1.self_attn.q_proj.weight",
        "diffusion_model.decoder.condition_embedder.bias",
        "diffusion_model.encoder.lyric_encoder.layers.0.self_attn.q_proj.weight",
        "diffusion_model.encoder.lyric_encoder.norm.weight",
    ]
    change = {name: torch.randn(state[name].shape) for name in names}
    endings = {"weight": "diff", "bias": "diff_b"}
    file = models / "loras" / "extracted.safetensors"
    save_file(
        {
            f"{name.rpartition('.')[0]}.{endings[name.rpartition('.')[2]]}": tensor
            for name, tensor in change.items()
        },
        file,
    )
    changed, adapter = host.with_adapter(model, file, 0.5)
    assert adapter.warnings == []
    assert sorted(changed.patches) == sorted(names)
    for name in names:
        ((_, patch, *_),) = changed.patches[name]
        made = patch.calculate_weight(
            state[name].clone(), name, 0.5, 1.0, None, lambda difference: difference
        )
        torch.testing.assert_close(made, state[name] + 0.5 * change[name])

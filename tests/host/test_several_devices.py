"""The host's nodes for several GPUs, whose second one is the CPU under another name."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.dynamic import comfy
from tests.host.stock import Weights, cover, dit_weights, stock_clip, stock_model, stock_vae
from tests.host.studio import DIT, TEXT, VAE, Studio, open_studio
from tests.nodes.lm_prompts import LM_FILE
from tools.hosts.checkout import find_checkout
from tools.hosts.pack import Pack


class Pretended(str):
    """To torch the CPU; to the host, which reads `type` and `index`, a GPU."""

    type = "gpu"
    index: Any = 1  # in the place of the method of words


FIRST, SECOND = torch.device("cpu"), Pretended("cpu:1")
CHECKOUT = find_checkout()
HAS_NODES = CHECKOUT is not None and (CHECKOUT / "comfy_extras" / "nodes_multigpu.py").exists()
several = pytest.mark.skipif(not HAS_NODES, reason="this ComfyUI has no nodes for several GPUs")


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@pytest.fixture(scope="module")
def weights(host: Any) -> Weights:
    return dit_weights()


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The host's node file on a machine with two devices."""
    management = comfy("model_management")

    def devices(exclude_current: bool = False) -> list[Any]:
        return [SECOND] if exclude_current else [FIRST, SECOND]

    def room(device: Any = None, torch_free_too: bool = False) -> Any:
        return (2**40, 2**40) if torch_free_too else 2**40

    monkeypatch.setattr(management, "get_all_torch_devices", devices)
    monkeypatch.setattr(management, "get_free_memory", room)
    yield importlib.import_module("comfy_extras.nodes_multigpu")
    management.unload_all_models()


def same(one: torch.Tensor, other: torch.Tensor, cfg: float = 1.0) -> None:
    """Up to the order of sums. Guidance, cond + (cfg - 1) (cond - uncond), adds their errors up to
    2 cfg - 1 times."""
    torch.testing.assert_close(one, other, atol=1e-5 * (2 * cfg - 1), rtol=0)


def patcher_of(studio: Studio, kind: str) -> Any:
    folder, load = studio.folder, studio.host
    if kind == "model":
        return load.load_model(folder / DIT, None, "fp32")
    if kind == "vae":
        return load.load_vae(folder / VAE, "fp32").patcher
    if kind == "text":
        return load.load_text_encoder(folder / TEXT, "fp32").patcher
    return load.load_language_model(folder / "text_encoders" / LM_FILE, "fp32").patcher


KINDS = ("model", "vae", "text", "lm")


def is_another(patcher: Any, first: Any) -> None:
    """The same weights, held by modules of its own."""
    state, exact = patcher.model.state_dict(), first.model.state_dict()
    assert patcher.model is not first.model
    assert state.keys() == exact.keys()
    assert all(torch.equal(weight, exact[name]) for name, weight in state.items())
    assert not set(patcher.model.modules()) & set(first.model.modules())


@pytest.mark.parametrize("kind", KINDS)
def test_the_host_can_load_any_of_our_models_once_more(studio: Studio, kind: str) -> None:
    first = patcher_of(studio, kind)
    make, given = first.cached_patcher_init
    made = make(*given, disable_dynamic=True)  # as `ModelPatcher.clone` calls it
    is_another(made, first)
    assert made.cached_patcher_init == first.cached_patcher_init


@several
@pytest.mark.parametrize("kind", KINDS)
def test_the_host_can_put_any_of_our_models_on_another_device(
    studio: Studio, two: Any, kind: str
) -> None:
    first = patcher_of(studio, kind)
    moved = first.deepclone_multigpu(new_load_device=SECOND)
    is_another(moved, first)
    is_another(first.clone(force_deepcopy=True), first)
    assert (first.load_device, moved.load_device) == (FIRST, SECOND)


@several
@torch.inference_mode()
@pytest.mark.parametrize("whose", ["ours", "stock"])
def test_a_vae_is_moved_by_its_node(studio: Studio, two: Any, whose: str) -> None:
    latent = torch.randn(1, 64, 30, generator=torch.Generator().manual_seed(3))
    given = {"samples": latent}
    vae = studio.vae if whose == "ours" else stock_vae()
    if whose == "stock":
        vae.patcher.cached_patcher_init = (lambda: stock_vae().patcher, ())
    moved = two.SelectVAEDeviceNode.execute(vae, "gpu:1")[0]
    assert moved.patcher.load_device == SECOND
    assert moved.first_stage_model is moved.patcher.model is not vae.first_stage_model
    decoded = studio.host.decode(vae, given)["waveform"]
    before = len(comfy("model_management").loaded_models())
    same(studio.host.decode(moved, given)["waveform"], decoded)
    devices = [each.load_device for each in comfy("model_management").loaded_models()]
    assert SECOND in devices
    assert len(devices) == before + 1


@several
@torch.inference_mode()
def test_a_clip_is_read_where_its_node_has_put_it(studio: Studio, two: Any) -> None:
    clip = stock_clip()
    clip.patcher.cached_patcher_init = (lambda: stock_clip().patcher, ())
    moved = two.SelectCLIPDeviceNode.execute(clip, "gpu:1")[0]
    reader, writer = studio.host.text_encoder_of(moved), studio.host.language_model_of(moved)
    assert {torch.device(each.device) for each in (reader, writer)} == {torch.device(SECOND)}
    held = set(moved.patcher.model.modules())
    assert {reader.model.embed_tokens, writer.model.embed_tokens} < held
    states = studio.host.text_encoder_of(clip).states("calm piano")
    same(reader.states("calm piano"), states)


@several
def test_a_model_is_moved_by_its_node(studio: Studio, two: Any) -> None:
    moved = two.SelectModelDeviceNode.execute(studio.model, "gpu:1")[0]
    assert moved.load_device == SECOND
    is_another(moved, studio.model)
    assert studio.host.known_variant(moved) is studio.host.known_variant(studio.model)
    same(studio.sampled(model=moved), studio.sampled())


def split(two: Any, model: Any) -> Any:
    return two.MultiGPUCFGSplitNode.execute(model, 2)[0]


def rows_by_model(monkeypatch: pytest.MonkeyPatch, studio: Studio) -> dict[int, list[int]]:
    """How many items each diffusion model is asked for at a time."""
    net, seen = studio.pack.submodule("nodes.host.model").AceNet, {}
    real = net.forward

    def forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        seen.setdefault(id(self.decoder.layers[0]), []).append(len(x))
        return real(self, x, *args, **kwargs)

    monkeypatch.setattr(net, "forward", forward)
    return seen


def stock(weights: Weights) -> Any:
    model = stock_model(weights)
    model.cached_patcher_init = (lambda *_, **__: stock_model(weights), ())
    return model


def from_stock(studio: Studio, weights: Weights) -> Any:
    return studio.host.from_native(stock(weights))


def from_ours(studio: Studio, weights: Weights) -> Any:
    return studio.host.load_model(studio.folder / DIT, None, "fp32")


@several
@pytest.mark.parametrize("whose", [from_ours, from_stock])
@pytest.mark.parametrize("task", ["words", "cover"])
def test_both_conditions_are_computed_side_by_side(
    studio: Studio,
    weights: Weights,
    two: Any,
    monkeypatch: pytest.MonkeyPatch,
    whose: Any,
    task: str,
) -> None:
    model = whose(studio, weights)
    positive = studio.positive if task == "words" else cover(studio)
    guidance = studio.guidance("APG", scale=4.0)
    exact = studio.sampled(guidance, model=model, positive=positive)
    seen = rows_by_model(monkeypatch, studio)
    same(studio.sampled(guidance, model=split(two, model), positive=positive), exact)
    steps = len(studio.sigmas) - 1
    assert list(seen.values()) == [[1] * steps, [1] * steps]
    seen.clear()
    same(studio.sampled(guidance, model=model, positive=positive), exact)
    assert list(seen.values()) == [[2] * steps]  # nothing of it stays


@several
def test_a_stock_model_that_was_split_before_it_is_adopted(
    studio: Studio, weights: Weights, two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, positive = stock(weights), cover(studio)
    guidance = studio.guidance("APG", scale=4.0)
    exact = studio.sampled(guidance, model=model, positive=positive)
    seen = rows_by_model(monkeypatch, studio)
    same(studio.sampled(guidance, model=split(two, model), positive=positive), exact, cfg=4.0)
    assert len(seen) == 2


@several
@torch.inference_mode()
@pytest.mark.parametrize("whose", [from_ours, from_stock])
def test_stock_samplers_split_the_work_too(
    studio: Studio, weights: Weights, two: Any, monkeypatch: pytest.MonkeyPatch, whose: Any
) -> None:
    model, positive = whose(studio, weights), cover(studio)
    sample = importlib.import_module("comfy.sample").sample

    def made(model: Any) -> torch.Tensor:
        conds = (positive, studio.host.unconditional(positive))
        start, noise = studio.canvas()["samples"], studio.noise(7)
        return sample(model, noise, 2, 3.0, "euler", "simple", *conds, start, seed=7)

    exact = made(model)
    seen = rows_by_model(monkeypatch, studio)
    same(made(split(two, model)), exact, cfg=3.0)
    assert [len(each) for each in seen.values()] == [2, 2]


@several
@pytest.mark.parametrize("whose", [from_ours, from_stock])
def test_a_lora_changes_the_latents_on_both_devices(
    studio: Studio, weights: Weights, two: Any, whose: Any
) -> None:
    model = whose(studio, weights)
    name = "decoder.layers.1.mlp.gate_proj"
    rows, columns = model.model.diffusion_model.get_submodule(name).weight.shape
    draw = torch.Generator().manual_seed(1)
    lora = {
        f"diffusion_model.{name}.lora_A.weight": torch.randn(2, columns, generator=draw),
        f"diffusion_model.{name}.lora_B.weight": torch.randn(rows, 2, generator=draw),
    }
    load = comfy("sd").load_lora_for_models
    guidance = studio.guidance("APG", scale=4.0)
    exact = studio.sampled(guidance, model=load(model, None, lora, 1.0, 0.0)[0])
    plain = studio.sampled(guidance, model=model)
    assert (exact - plain).abs().max() > 1e-3
    before = split(two, load(model, None, lora, 1.0, 0.0)[0])
    behind = load(split(two, model), None, lora, 1.0, 0.0)[0]
    for made in (before, behind):
        same(studio.sampled(guidance, model=made), exact)
    same(studio.sampled(guidance, model=split(two, model)), plain)

"""The guard against a full device on the real host: its manager, its conditions, its masks."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.crowded import crowd
from tests.host.studio import Studio, open_studio
from tests.rounding import assert_same
from tools.hosts.pack import Pack

SEEDS = (3, 5, 9)


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


def masked(studio: Studio, rows: int) -> Any:
    """A batch of which each item keeps other frames of its own start; `rows` masks."""
    draw = torch.Generator().manual_seed(2)
    start = torch.randn(len(SEEDS), 64, studio.frames, generator=draw)
    mask = torch.ones(rows, 1, studio.frames)
    for row in range(rows):
        mask[row, :, 20 * row : 20 * row + 30] = 0
    return studio.host.Batch(
        model=studio.model,
        positive=studio.positive,
        negative=studio.negative,
        latent={**studio.canvas(len(SEEDS)), "samples": start, "noise_mask": mask},
        sigmas=studio.sigmas,
        recipe=studio.core("sampling.recipe").Recipe(SEEDS),
        guidance=None,
        sampler=studio.host.ace_solver(),
    )


@torch.inference_mode()
def made(studio: Studio, batch: Any, say: Callable[[str], None] | None = None) -> torch.Tensor:
    return studio.host.sample(batch, say)["samples"].clone()


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_items_of_a_masked_batch_keep_their_own_frames_in_groups(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    batch, said = masked(studio, rows), []
    together = made(studio, batch)
    net = studio.pack.submodule("nodes.host.model").AceNet
    seen = crowd(monkeypatch, net, "forward", lambda x: len(x) == 1)
    assert_same(made(studio, batch, said.append), together)
    assert {shape[0] for shape in seen} == {1}
    assert said[-1] == "Out of memory with 2 songs at once: made 1 at a time."
    latent = {**batch.latent, "noise_mask": batch.latent["noise_mask"][:, :, None]}
    painted = replace(batch, latent=latent)  # as Set Latent Noise Mask makes it of a MASK
    assert_same(made(studio, painted), together)
    last = 20 * ((len(SEEDS) - 1) % rows)  # what the last item keeps, as the host repeats masks
    kept = slice(last, last + 30)
    assert_same(together[2, :, kept], batch.latent["samples"][2, :, kept])


def test_the_hosts_manager_is_asked_for_the_batch_and_for_one_song_at_least(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    load, asked = management.load_models_gpu, []

    def recorded(models: list, memory_required: float = 0, **more: Any) -> None:
        asked.append((memory_required, more.get("minimum_memory_required")))
        load(models, memory_required=memory_required, **more)

    monkeypatch.setattr(management, "load_models_gpu", recorded)
    guidance = studio.guidance("APG", scale=5.0)
    batch = replace(masked(studio, 1), guidance=guidance)
    made(studio, batch)
    assert asked[0] == (batch.bytes_for(3), batch.bytes_for(1))
    dit = studio.core("models.dit")
    config = studio.model.model.diffusion_model.config
    texts = (studio.positive[0][0], studio.positive[0][1]["conditioning_lyrics"])
    places = sum(text.shape[1] for text in texts)
    forward = dit.memory_estimate(config, 6, studio.frames, 4)
    kv_size = config.decoder.kv_heads * config.decoder.head_dim
    kept = 2 * config.layers * kv_size * 6 * places * 4  # keys and values in float32
    assert batch.bytes_for(3) == forward + kept


def test_the_stock_advanced_sampler_hears_conditions_in_turn_as_well(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    noise = studio.host.AceNoise((7,))
    guidance = studio.guidance("APG", scale=5.0)

    @torch.inference_mode()
    def run() -> torch.Tensor:
        guider = studio.host.guider(studio.model, studio.positive, studio.negative, guidance)
        chosen = (noise, guider, studio.host.ace_solver(), studio.sigmas, studio.canvas())
        done = nodes["SamplerCustomAdvanced"].execute(*chosen)[0]["samples"]
        return done.clone()

    together = run()
    net = studio.pack.submodule("nodes.host.model").AceNet
    seen = crowd(monkeypatch, net, "forward", lambda x: len(x) == 1)
    assert_same(run(), together)
    assert len(seen) == 16


@torch.inference_mode()
def test_a_vae_on_the_hosts_layers_is_copied_to_the_cpu_as_it_is(studio: Studio) -> None:
    vae = studio.vae
    latent = torch.randn(1, 64, 20, generator=torch.Generator().manual_seed(5))
    whole = vae.decode(latent).movedim(-1, 1)
    vae.patcher.partially_unload(vae.patcher.offload_device, 0.6 * vae.patcher.model_size())
    assert_same(vae.first_stage_model.on_cpu().decode(latent), whole)


def test_a_refusal_of_ours_makes_the_host_unload_its_models(studio: Studio) -> None:
    error = studio.core("memory").NotEnoughMemoryError("no room")
    assert importlib.import_module("comfy.model_management").is_oom(error)

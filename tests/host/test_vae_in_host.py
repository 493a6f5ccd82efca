"""Stock audio nodes on our VAE, and both encoders where only a part of them is loaded."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.studio import Studio, open_studio
from tests.rounding import assert_same
from tools.hosts.pack import Pack

FRAMES = 50


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@pytest.fixture(scope="module")
def latent() -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(4)
    return {"samples": torch.randn(2, 64, FRAMES, generator=draw)}


@torch.inference_mode()
def stock(node: str, *inputs: Any) -> torch.Tensor:
    """The waveform of a stock node, [B, 2, N]."""
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    audio = nodes[node].execute(*inputs)[0]
    assert audio["sample_rate"] == 48_000
    return audio["waveform"]


@torch.inference_mode()
def ours(studio: Studio, latent: dict[str, torch.Tensor]) -> torch.Tensor:
    return studio.host.decode(studio.vae, latent)["waveform"]


def by_the_hosts_rule(audio: torch.Tensor) -> torch.Tensor:
    """The host makes an item quieter whose five standard deviations exceed full scale."""
    return audio / torch.std(audio, dim=[1, 2], keepdim=True).mul(5.0).clamp(min=1.0)


def test_the_stock_decoder_gives_ours_at_its_own_level(
    studio: Studio, latent: dict[str, torch.Tensor]
) -> None:
    audio = ours(studio, latent)
    assert audio.shape == (2, 2, FRAMES * 1_920)
    heard = stock("VAEDecodeAudio", studio.vae, latent)
    assert_same(heard, by_the_hosts_rule(audio))


def test_only_a_song_that_is_too_loud_is_brought_to_full_scale(
    studio: Studio, latent: dict[str, torch.Tensor]
) -> None:
    quiet, loud = latent["samples"].clone(), latent["samples"][:1] * 100
    raw = studio.vae.decode(loud).movedim(-1, 1)
    assert raw.abs().max() > 1
    heard = ours(studio, {"samples": torch.cat([loud, quiet[1:]])})
    assert_same(heard[:1], raw / raw.abs().max())
    assert_same(heard[1:], ours(studio, latent)[1:])


def test_the_stock_tiled_decoder_is_exact_whatever_its_tiles(
    studio: Studio, latent: dict[str, torch.Tensor]
) -> None:
    whole = stock("VAEDecodeAudio", studio.vae, latent)
    for size, overlap in ((32, 0), (32, 16)):
        tiled = stock("VAEDecodeAudioTiled", studio.vae, latent, size, overlap)
        assert_same(tiled, whole)


@torch.inference_mode()
def test_the_stock_encoder_gives_the_same_latents_each_time(studio: Studio) -> None:
    draw = torch.Generator().manual_seed(2)
    audio = {"waveform": torch.rand(1, 2, 20_000, generator=draw) - 0.5, "sample_rate": 48_000}
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    encode = nodes["VAEEncodeAudio"].execute
    first = encode(studio.vae, audio)[0]["samples"]
    assert first.shape == (1, 64, 10)
    assert torch.equal(encode(studio.vae, audio)[0]["samples"], first)
    assert torch.equal(studio.host.encode(studio.vae, audio["waveform"])["samples"], first)
    mean = studio.vae.first_stage_model.encode(audio["waveform"]).mean
    assert_same(first, mean)  # nothing was cropped at the start
    drawn = studio.host.encode(studio.vae, audio["waveform"], seed=1)["samples"]
    assert not torch.equal(drawn, first)
    assert torch.equal(studio.host.encode(studio.vae, audio["waveform"], seed=1)["samples"], drawn)


def test_a_saved_vae_has_the_keys_of_the_host(studio: Studio, models: Path, tmp_path: Path) -> None:
    """The host's own class knows the full size only, so names and numbers are compared."""
    stored = studio.core("weights.detect").inspect(
        models / "vae" / "ace_1.5_vae_miniature.safetensors"
    )
    part = stored.part(studio.core("weights.checkpoint").Kind.VAE)
    saved = studio.vae.get_sd()
    assert {name: tuple(t.shape) for name, t in saved.items()} == part.shapes
    importlib.import_module("comfy.utils").save_torch_file(saved, str(tmp_path / "vae.safetensors"))
    again = studio.host.load_vae(tmp_path / "vae.safetensors", "fp32")
    for one, other in zip(
        again.first_stage_model.parameters(), studio.vae.first_stage_model.parameters(), strict=True
    ):
        assert_same(one, other)


def halved(patcher: Any) -> float:
    """Take 60 % of a loaded model away again, as the host does when memory is short."""
    patcher.partially_unload(patcher.offload_device, 0.6 * patcher.model_size())
    return patcher.loaded_size() / patcher.model_size()


@torch.inference_mode()
def test_a_vae_of_which_a_part_is_loaded_sounds_the_same(
    studio: Studio, latent: dict[str, torch.Tensor]
) -> None:
    full = ours(studio, latent)
    assert halved(studio.vae.patcher) < 0.5
    part = studio.vae.first_stage_model.decode(latent["samples"])
    assert_same(part, full)


@torch.inference_mode()
def test_a_text_encoder_of_which_a_part_is_loaded_reads_the_same(studio: Studio) -> None:
    full = studio.text.states("la la"), studio.text.embeddings("la la")
    assert halved(studio.text.patcher) < 0.5
    base = studio.core("conditioning.text").TextEncoder
    part = base.states(studio.text, "la la"), base.embeddings(studio.text, "la la")
    assert all(torch.equal(*pair) for pair in zip(part, full, strict=True))


def test_what_does_not_fit_is_tried_again_in_smaller_tiles(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's out-of-memory error, raised by a model that takes at most 60 frames."""
    management = importlib.import_module("comfy.model_management")
    latent = {"samples": torch.randn(1, 64, 120, generator=torch.Generator().manual_seed(5))}
    whole = ours(studio, latent)
    net = studio.vae.first_stage_model
    decode, sizes = net.decode, []

    def small(part: torch.Tensor) -> torch.Tensor:
        sizes.append(part.shape[-1])
        if part.shape[-1] > 60:
            raise management.OOM_EXCEPTION("no room")
        return decode(part)

    monkeypatch.setattr(net, "decode", small)
    assert_same(ours(studio, latent), whole)
    assert sizes[0] == 120
    assert max(sizes[-4:]) <= 60


def test_the_hosts_conditioning_nodes_work_on_ours(studio: Studio) -> None:
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    (zeroed,) = nodes["ConditioningZeroOut"]().zero_out(studio.positive)
    for (text, extras), (mine, own) in zip(zeroed, studio.negative, strict=True):
        assert torch.equal(text, mine)
        assert torch.equal(extras["conditioning_lyrics"], own["conditioning_lyrics"])
        assert extras["ace_step"] is studio.positive[0][1]["ace_step"]


def test_a_task_survives_the_nodes_that_edit_conditioning(studio: Studio) -> None:
    nodes = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    held, area = studio.positive[0][1]["ace_step"], {"start": 0.25, "end": 0.75}
    edited = [
        nodes["ConditioningCombine"]().combine(studio.positive, studio.negative)[0],
        nodes["ConditioningSetTimestepRange"]().set_range(studio.positive, **area)[0],
        nodes["ConditioningSetAreaStrength"]().append(studio.positive, 0.5)[0],
        nodes["ConditioningAverage"]().addWeighted(studio.positive, studio.negative, 0.5)[0],
        nodes["ConditioningConcat"]().concat(studio.positive, studio.negative)[0],
    ]
    for conditioning in edited:
        assert all(extras["ace_step"].task is held.task for _, extras in conditioning)
    assert studio.negative[0][1]["ace_step"] is held

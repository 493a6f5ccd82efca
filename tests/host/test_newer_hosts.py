"""What a host newer than those at hand does to our objects, done here (`docs/hosts.md`)."""

import importlib
from pathlib import Path

import pytest
import torch

from tests.host.stock import stock_vae
from tests.host.studio import Studio, open_studio
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@torch.inference_mode()
def test_a_vae_may_be_told_of_pictures(studio: Studio) -> None:
    """From 0.38 on `not_video` stands where our seed stood: it draws nothing."""
    audio = torch.randn(1, 19_200, 2, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)
    mean = studio.vae.encode(audio)
    assert torch.equal(studio.vae.encode(audio, True), mean)
    assert torch.equal(studio.vae.encode(audio, not_video=False), mean)
    assert torch.equal(studio.vae.encode_tiled(audio, not_video=True), mean)
    assert not torch.equal(studio.vae.encode(audio, seed=1), mean)


def test_the_estimate_may_be_told_of_the_attention(studio: Studio) -> None:
    model = studio.model.model
    plain = model.memory_required([1, 64, 250])
    assert model.memory_required([1, 64, 250], memory_efficient_attention=True) == plain


def test_a_vae_of_another_model_with_the_same_rate_and_channels_is_refused(studio: Studio) -> None:
    """YuE2's, six blocks of which multiply to the same hop."""
    autoencoder = importlib.import_module("comfy.ldm.audio.autoencoder")
    vae, refusal = stock_vae(), studio.core("errors").CheckpointError
    assert studio.pack.submodule("nodes.host.vae").vae_from_native(vae) is not vae
    vae.first_stage_model = autoencoder.AudioOobleckVAE(
        channels=4, c_mults=[1, 2, 4, 8, 16, 32], strides=[2, 2, 4, 4, 5, 6]
    )
    with pytest.raises(refusal, match=r"has 6 blocks, ACE-Step 1\.5's 5"):
        studio.pack.submodule("nodes.host.vae").vae_from_native(vae)

"""The silence latent, stored or made."""

import pytest
import torch

from ace_core.constants import LATENT_HOP
from ace_core.errors import CheckpointError
from ace_core.models.ops import Ops
from ace_core.weights import (
    encoded_silence,
    inspect,
    load_dit,
    load_vae,
    silence_latent,
    stored_silence,
)
from ace_core.weights.silence import EDGE
from tests.rounding import SINGLE, assert_same, difference


@pytest.fixture
def encode(checkpoints):
    vae = load_vae(checkpoints.vae, Ops(dtype=torch.float64))
    return lambda audio: vae.encode(audio.double()).mean


def test_made_silence_equals_the_encoding_of_a_longer_silence(encode):
    frames = 3 * EDGE
    whole = encode(torch.zeros(1, 2, frames * LATENT_HOP)).transpose(1, 2)
    made = encoded_silence(encode)
    assert made.shape == (1, 15_000, 64)
    assert_same(made[:, : 2 * EDGE], whole[:, : 2 * EDGE])
    assert_same(made[:, -2 * EDGE :], whole[:, -2 * EDGE :])


def test_the_edges_of_silence_reach_no_further_than_kept(encode):
    whole = encode(torch.zeros(1, 2, 3 * EDGE * LATENT_HOP)).transpose(1, 2)
    steady = whole[:, EDGE : 2 * EDGE]
    assert_same(steady, steady[:, :1].expand_as(steady))
    assert (whole[:, 0] - steady[:, 0]).abs().max() > 0.01  # and there are edges to keep


def test_no_frame_of_the_encoder_hears_further_than_the_kept_edge(encode):
    audio = torch.zeros(1, 2, (2 * EDGE + 1) * LATENT_HOP)
    before = encode(audio)
    audio[..., EDGE * LATENT_HOP : (EDGE + 1) * LATENT_HOP] = 0.5
    changed = (encode(audio) - before).abs().amax(dim=(0, 1)) > 1e-5
    first, last = changed.nonzero()[[0, -1], 0].tolist()
    assert EDGE - 6 <= first < EDGE < last <= EDGE + 6


@pytest.mark.parametrize("field", ["turbo", "base", "xl", "diffusers", "release"])
def test_the_stored_silence_of_every_layout_is_the_vaes(checkpoints, encode, field):
    stored = stored_silence(inspect(getattr(checkpoints, field)))
    assert stored is not None
    assert difference(stored, encoded_silence(encode)) < SINGLE  # it was written in float32
    loaded = load_dit(getattr(checkpoints, field)).silence
    assert loaded is not None
    assert torch.equal(loaded, stored)


@pytest.mark.parametrize("field", ["split_turbo", "all_in_one"])
def test_single_files_have_their_silence_made(checkpoints, encode, field):
    checkpoint = inspect(getattr(checkpoints, field))
    assert stored_silence(checkpoint) is None
    assert torch.equal(silence_latent(checkpoint, encode), encoded_silence(encode))


def test_a_stored_silence_is_preferred_to_a_made_one(checkpoints, tmp_path, encode):
    (tmp_path / "acestep_turbo.safetensors").symlink_to(checkpoints.split_turbo)
    frames = torch.arange(20.0)
    torch.save(frames.expand(1, 64, 20).clone(), tmp_path / "silence_latent.pt")
    silence = silence_latent(inspect(tmp_path / "acestep_turbo.safetensors"), encode)
    assert silence.shape == (1, 20, 64)
    assert torch.equal(silence[0, :, 5], frames)


def test_without_file_and_vae_the_refusal_says_what_to_connect(checkpoints):
    with pytest.raises(CheckpointError, match=r"Connect the ACE-Step 1\.5 VAE"):
        silence_latent(inspect(checkpoints.split_turbo))

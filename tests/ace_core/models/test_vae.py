"""Oobleck against diffusers' AutoencoderOobleck, both with the same random weights in float64."""

import warnings

import pytest
import torch

from ace_core.errors import CheckpointError
from ace_core.models import vae as vae_module
from ace_core.models.ops import Ops
from ace_core.models.vae import Oobleck, OobleckConfig, Snake
from ace_core.types import Posterior
from ace_core.weights.oobleck import fold_weight_norm
from tests.oracle import AutoencoderOobleck
from tests.rounding import assert_same

LATENTS = 6
STRIDES = [2, 4, 4, 6, 10]
HOP = 1920


@pytest.fixture(scope="module")
def theirs() -> AutoencoderOobleck:
    torch.manual_seed(1)
    with warnings.catch_warnings():  # their weight norm is torch's deprecated one
        warnings.simplefilter("ignore", FutureWarning)
        model = AutoencoderOobleck(
            encoder_hidden_size=2 * LATENTS,
            downsampling_ratios=STRIDES,
            channel_multiples=[1, 2, 4, 8, 16],
            decoder_channels=8,
            decoder_input_channels=LATENTS,
            audio_channels=2,
            sampling_rate=48_000,
        ).eval()
    for name, parameter in model.named_parameters():
        if name.endswith(("alpha", "beta")):
            parameter.data.normal_(0, 0.3)
        elif name.endswith("weight_g"):
            parameter.data *= torch.rand_like(parameter) + 0.5
    return model.double()


@pytest.fixture(scope="module")
def ours(theirs: AutoencoderOobleck) -> Oobleck:
    weights = fold_weight_norm(theirs.state_dict())
    vae = Oobleck(OobleckConfig.from_shapes({n: tuple(t.shape) for n, t in weights.items()}))
    vae.double().load_state_dict(weights)
    return vae


@pytest.fixture
def one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """No chunks: convolutions of the very shapes that the oracle runs."""
    monkeypatch.setattr(vae_module, "CHUNK", 10**9)


@pytest.mark.usefixtures("one_pass")
@pytest.mark.parametrize("frames", [1, 2, 13, 61])
@torch.no_grad()
def test_decode_in_one_pass_is_that_of_diffusers(theirs, ours, frames: int):
    latent = torch.randn(2, LATENTS, frames, dtype=torch.float64)
    audio = ours.decode(latent)
    assert audio.shape == (2, 2, HOP * frames)
    assert_same(audio, theirs.decode(latent).sample)


@pytest.mark.usefixtures("one_pass")
@pytest.mark.parametrize("samples", [HOP, HOP + 1, 5 * HOP - 1, 23 * HOP + 777])
@torch.no_grad()
def test_encode_in_one_pass_is_that_of_diffusers(theirs, ours, samples: int):
    audio = torch.rand(2, 2, samples, dtype=torch.float64) * 2 - 1
    expected = theirs.encode(audio).latent_dist
    posterior = ours.encode(audio)
    assert posterior.mean.shape == (2, LATENTS, samples // HOP)
    assert_same(posterior.mean, expected.mean)
    assert_same(posterior.std, expected.std)


@pytest.mark.usefixtures("one_pass")
@torch.no_grad()
def test_a_seeded_draw_is_that_of_diffusers(theirs, ours):
    audio = torch.rand(2, 2, 7 * HOP, dtype=torch.float64) * 2 - 1
    expected = theirs.encode(audio).latent_dist.sample(torch.Generator().manual_seed(5))
    assert_same(ours.encode(audio).sample(torch.Generator().manual_seed(5)), expected)


@torch.no_grad()
def test_decode_in_chunks_is_that_of_diffusers(theirs, ours):
    latent = torch.randn(1, LATENTS, 61, dtype=torch.float64)  # 15 chunks
    expected = theirs.decode(latent).sample
    assert_same(ours.decode(latent), expected)


@pytest.mark.parametrize("frames", [5, 13, 30])
def test_chunks_change_nothing(ours, frames: int, monkeypatch: pytest.MonkeyPatch):
    latent = torch.randn(2, LATENTS, frames, dtype=torch.float64)
    audio = torch.randn(2, 2, frames * HOP + 1001, dtype=torch.float64)
    in_chunks = ours.decode(latent), ours.encode(audio)
    monkeypatch.setattr(vae_module, "CHUNK", 10**9)
    whole = ours.decode(latent), ours.encode(audio)
    assert_same(in_chunks[0], whole[0])
    assert_same(in_chunks[1].mean, whole[1].mean)
    assert_same(in_chunks[1].std, whole[1].std)


def test_with_a_generator_per_item_its_draw_does_not_depend_on_the_batch():
    posterior = Posterior(torch.randn(3, 4, 9), torch.rand(3, 4, 9))
    whole = posterior.sample([torch.Generator().manual_seed(seed) for seed in (7, 8, 9)])
    alone = Posterior(posterior.mean[1:2], posterior.std[1:2])
    assert torch.equal(whole[1:2], alone.sample([torch.Generator().manual_seed(8)]))
    assert not torch.equal(whole[0] - posterior.mean[0], whole[1] - posterior.mean[1])


def test_a_batch_decodes_as_its_items_do(ours):
    latent = torch.randn(3, LATENTS, 5, dtype=torch.float64)
    together = ours.decode(latent)
    alone = torch.cat([ours.decode(item[None]) for item in latent])
    assert_same(together, alone)


def test_encode_and_decode_leave_their_input_alone(ours):
    latent, audio = torch.randn(1, LATENTS, 4).double(), torch.rand(1, 2, 4 * HOP).double()
    before = latent.clone(), audio.clone()
    ours.decode(latent)
    ours.encode(audio)
    assert torch.equal(latent, before[0])
    assert torch.equal(audio, before[1])


def test_the_real_sizes_are_the_defaults_and_are_read_from_the_shapes():
    with torch.device("meta"):
        shapes = {n: tuple(t.shape) for n, t in Oobleck(OobleckConfig()).state_dict().items()}
    assert OobleckConfig.from_shapes(shapes) == OobleckConfig()
    assert OobleckConfig().hop == HOP


def test_weights_without_a_vae_are_refused_by_name():
    with pytest.raises(CheckpointError, match=r"encoder\.conv1\.weight.*ace_1\.5_vae"):
        OobleckConfig.from_shapes({"model.embed_tokens.weight": (10, 10)})


class OwnLayers:
    """A namespace of layers that can be told from torch's."""

    class Conv1d(torch.nn.Conv1d):
        pass

    class ConvTranspose1d(torch.nn.ConvTranspose1d):
        pass


def test_every_layer_comes_from_the_given_ops():
    vae = Oobleck(OobleckConfig(encoder_channels=4, decoder_channels=4), Ops(OwnLayers))
    layers = [m for m in vae.modules() if isinstance(m, torch.nn.Conv1d | torch.nn.ConvTranspose1d)]
    assert len(layers) == 2 * (2 + 5 * 7)
    assert all(isinstance(m, OwnLayers.Conv1d | OwnLayers.ConvTranspose1d) for m in layers)


def closed_form(x: torch.Tensor, snake: Snake) -> torch.Tensor:
    alpha, beta = snake.alpha.exp(), snake.beta.exp()
    return x + torch.sin(alpha * x).square() / (beta + 1e-9)


@pytest.mark.parametrize("inplace", [False, True])
@torch.no_grad()
def test_snake_is_its_closed_form_and_overwrites_only_in_place(inplace: bool):
    snake = Snake(5, Ops()).double()
    snake.alpha.normal_()
    snake.beta.normal_()
    x = torch.randn(2, 5, 77, dtype=torch.float64)
    expected = closed_form(x, snake)
    given = x.clone()
    result = snake(given, inplace=inplace)
    assert_same(result, expected)
    assert (result is given) == inplace
    assert inplace or torch.equal(given, x)

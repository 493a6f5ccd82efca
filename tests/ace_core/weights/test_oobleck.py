"""Weights of the VAE: the names of stable-audio-tools, and weight norm folded and unfolded."""

import pytest
import torch
from torch import nn

from ace_core.errors import CheckpointError
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.weights.oobleck import (
    diffusers_name,
    fold_weight_norm,
    folded_shapes,
    from_stable_audio,
    shapes_from_stable_audio,
    stable_audio_name,
    to_stable_audio,
    unfold_weight_norm,
)
from tests.rounding import assert_same

TINY = OobleckConfig(
    latent_channels=3,
    encoder_channels=4,
    decoder_channels=2,
    channel_multiples=(1, 2, 4),
    strides=(2, 3, 5),
)


@pytest.mark.parametrize(
    ("stable_audio", "diffusers"),
    [
        ("encoder.layers.0.weight_g", "encoder.conv1.weight_g"),
        ("encoder.layers.1.layers.0.layers.0.alpha", "encoder.block.0.res_unit1.snake1.alpha"),
        ("encoder.layers.5.layers.2.layers.3.bias", "encoder.block.4.res_unit3.conv2.bias"),
        ("encoder.layers.2.layers.3.beta", "encoder.block.1.snake1.beta"),
        ("encoder.layers.2.layers.4.weight_v", "encoder.block.1.conv1.weight_v"),
        ("encoder.layers.6.alpha", "encoder.snake1.alpha"),
        ("encoder.layers.7.bias", "encoder.conv2.bias"),
        ("decoder.layers.0.bias", "decoder.conv1.bias"),
        ("decoder.layers.1.layers.0.beta", "decoder.block.0.snake1.beta"),
        ("decoder.layers.3.layers.1.weight_v", "decoder.block.2.conv_t1.weight_v"),
        ("decoder.layers.3.layers.4.layers.2.beta", "decoder.block.2.res_unit3.snake2.beta"),
        ("decoder.layers.6.beta", "decoder.snake1.beta"),
        ("decoder.layers.7.weight_g", "decoder.conv2.weight_g"),
    ],
)
def test_each_numbered_layer_has_one_name_and_back(stable_audio: str, diffusers: str):
    assert diffusers_name(stable_audio) == diffusers
    assert stable_audio_name(diffusers, blocks=5) == stable_audio


def test_saved_as_stable_audio_and_read_again_the_weights_are_the_same():
    torch.manual_seed(0)
    shapes = {name: t.shape for name, t in Oobleck(TINY).state_dict().items()}
    weights = {name: torch.randn(shape, dtype=torch.float64) for name, shape in shapes.items()}
    saved = to_stable_audio(weights)
    assert saved["decoder.layers.1.layers.0.beta"].dim() == 1
    again = from_stable_audio(saved)
    assert set(again) == set(weights)
    for name, tensor in weights.items():
        assert_same(again[name], tensor)


def test_a_header_in_stable_audio_names_gives_the_config():
    saved = to_stable_audio(Oobleck(TINY).state_dict())
    shapes = shapes_from_stable_audio({name: tuple(t.shape) for name, t in saved.items()})
    assert OobleckConfig.from_shapes(shapes) == TINY
    assert shapes == {n: tuple(t.shape) for n, t in from_stable_audio(saved).items()}


def normed(layer: nn.Module) -> nn.Module:
    """The layer under torch's own weight norm, with lengths that are not its weights' own."""
    wrapped = nn.utils.parametrizations.weight_norm(layer)
    lengths = wrapped.get_parameter("parametrizations.weight.original0")
    lengths.data *= torch.rand_like(lengths) + 0.5
    return wrapped


LAYERS = {
    "conv": lambda: nn.Conv1d(5, 7, 3),
    "transposed": lambda: nn.ConvTranspose1d(5, 7, 4, stride=2),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_folded_weight_is_bit_for_bit_the_one_torch_would_use(kind: str):
    layer = normed(LAYERS[kind]())
    folded = fold_weight_norm(nn.ModuleDict({"a": layer}).state_dict())
    assert set(folded) == {"a.bias", "a.weight"}
    assert torch.equal(folded["a.weight"], layer.weight)


@pytest.mark.parametrize("kind", LAYERS)
def test_both_spellings_of_weight_norm_fold_to_the_same_weight(kind: str):
    layer = normed(LAYERS[kind]())
    g, v = (layer.get_parameter(f"parametrizations.weight.original{i}") for i in (0, 1))
    new = {"a.parametrizations.weight.original0": g, "a.parametrizations.weight.original1": v}
    old = {"a.weight_g": g, "a.weight_v": v}
    assert torch.equal(fold_weight_norm(new)["a.weight"], fold_weight_norm(old)["a.weight"])
    assert torch.equal(fold_weight_norm(old)["a.weight"], layer.weight)


def test_folding_half_precision_is_done_in_float32():
    v, g = torch.randn(16, 300, 7), torch.rand(16, 1, 1) + 0.5
    exact = g.bfloat16().double() * v.bfloat16().double()
    exact = exact / v.bfloat16().double().flatten(1).norm(dim=1)[:, None, None]
    folded = fold_weight_norm({"a.weight_v": v.bfloat16(), "a.weight_g": g.bfloat16()})["a.weight"]
    assert folded.dtype is torch.bfloat16
    half_a_step = 2**-8 * exact.abs()  # of 8 binary digits; float32 before it adds 1e-7
    assert ((folded.double() - exact).abs() <= half_a_step * (1 + 1e-4)).all()


def test_folding_writes_to_nothing_it_was_given():
    state = {"a.weight_g": torch.rand(4, 1, 1), "a.weight_v": torch.randn(4, 3, 5)}
    before = {name: tensor.clone() for name, tensor in state.items()}
    fold_weight_norm(state)
    assert all(torch.equal(state[name], before[name]) for name in before)


def test_other_entries_pass_through_untouched():
    bias = torch.randn(3)
    assert fold_weight_norm({"a.bias": bias})["a.bias"] is bias


def test_unfolding_and_folding_again_gives_the_weight_back():
    weight = torch.randn(6, 5, 3, dtype=torch.float64)
    apart = unfold_weight_norm({"a.weight": weight, "a.bias": torch.zeros(6)})
    assert set(apart) == {"a.weight_g", "a.weight_v", "a.bias"}
    assert apart["a.weight_g"].shape == (6, 1, 1)
    assert_same(fold_weight_norm(apart)["a.weight"], weight)


def test_folded_shapes_are_the_shapes_of_the_folded_weights():
    state = nn.Sequential(normed(nn.Conv1d(5, 7, 3)), normed(nn.ConvTranspose1d(7, 3, 4)))
    tensors = state.state_dict()
    promised = folded_shapes({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    assert promised == {n: tuple(t.shape) for n, t in fold_weight_norm(tensors).items()}


@pytest.mark.parametrize(
    ("magnitude", "direction"), [(1.0, 0.0), (1.0, 1e-30), (3e38, 1e-10), (0.0, 0.0)]
)
def test_a_pair_that_makes_no_finite_weight_is_refused(magnitude: float, direction: float):
    v = torch.full((4, 3, 5), direction)
    with pytest.raises(CheckpointError, match="The weight of 'a' is not finite"):
        fold_weight_norm({"a.weight_g": torch.full((4, 1, 1), magnitude), "a.weight_v": v})

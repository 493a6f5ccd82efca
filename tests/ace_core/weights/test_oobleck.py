import pytest
import torch

from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.weights.oobleck import (
    diffusers_name,
    from_stable_audio,
    shapes_from_stable_audio,
    stable_audio_name,
    to_stable_audio,
)
from tests.rounding import assert_same

TINY = OobleckConfig(
    latent_channels=3,
    encoder_channels=4,
    decoder_channels=2,
    multiples=(1, 2, 4),
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

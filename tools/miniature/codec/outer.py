"""The Oobleck as a linear network, and the lapped transform as the blocks next to the audio.

A Snake whose wave is exp(-30) high adds nothing to its input in any precision, so every block is a
sum of convolutions. The outer three strides put neighbouring samples beside each other as channels,
the fourth is the transform; the innermost stride and the convolution at the latent are the codec's.
"""

from typing import Final

import torch
from torch import Tensor, nn

from ace_core.models.vae import Oobleck, OobleckConfig

from ..world.channels import STEP
from .transform import COEFFICIENTS, basis

INNER: Final = 256  # channels at the latent's rate: four for each sound
CONFIG: Final = OobleckConfig(
    encoder_channels=16,
    decoder_channels=16,
    channel_multiples=(1, 2, 4, COEFFICIENTS // 16, INNER // 16),
)
STILL: Final = 30.0  # logarithm of Snake's divisor; a tiny frequency would be slow: denormals
OUTER: Final = 3  # strides that only regroup samples
GROUP: Final = 32  # samples of each side that they regroup
CENTRE: Final = 3  # tap of a convolution of seven


def silent_oobleck() -> Oobleck:
    """An Oobleck of which every weight is zero and every activation the identity."""
    model = Oobleck(CONFIG).requires_grad_(False)
    for name, parameter in model.named_parameters():
        parameter.fill_(STILL if name.endswith("beta") else 0.0)
    return model


def write_transform(model: Oobleck) -> None:
    """The lapped transform into the encoder, its inverse into the decoder."""
    encoder, decoder = model.encoder, model.decoder
    for side in range(2):
        weight(encoder, "conv1")[side, side, CENTRE] = 1
        weight(decoder, "conv2")[side, side, CENTRE] = 1
    order = torch.arange(2)[:, None] * GROUP  # [channels, 1]: side and sample of each channel
    apart = 1  # samples between neighbours at this rate
    for block, stride in enumerate(CONFIG.strides[:OUTER]):
        down = weight(encoder.block[block], "conv1")
        up = weight(decoder.block[len(CONFIG.strides) - 1 - block], "conv_t1")
        width, pad = len(order), stride // 2
        for channel in range(width):
            for place in range(stride):
                down[channel * stride + place, channel, pad + place] = 1
                up[channel * stride + place, channel, pad + place] = 1
        order = (order + torch.arange(stride) * apart).reshape(-1, 1)
        apart *= stride
    taps = _in_groups(basis())[:, order.flatten()]  # [96, 64, 12]
    weight(encoder.block[OUTER], "conv1").copy_(taps)
    weight(decoder.block[len(CONFIG.strides) - 1 - OUTER], "conv_t1").copy_(taps)


def weight(block: nn.Module, name: str) -> Tensor:
    """The weight of a convolution of that name in a block or half."""
    return block.get_submodule(name).get_parameter("weight")


def delay(unit: nn.Module, taps: int) -> None:
    """Make a residual unit pass its input on, from `taps` of its convolution's taps before; one
    tap is as many steps as the unit's dilation."""
    first, last = weight(unit, "conv1"), weight(unit, "conv2")
    same = torch.eye(len(last))
    first[:, :, CENTRE - taps] += same
    first[:, :, CENTRE] -= same
    last[:, :, 0] = same


def _in_groups(taps: Tensor) -> Tensor:
    """[96, 2, 384] -> [96, 2 * 32, 12]: side and sample within a group, then the group."""
    groups = 2 * STEP // GROUP
    return taps.reshape(-1, 2, groups, GROUP).transpose(2, 3).reshape(-1, 2 * GROUP, groups)

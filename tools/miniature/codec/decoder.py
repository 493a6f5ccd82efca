"""The decoder: a stroke of a latent channel plays that channel's sound from its frame on."""

from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS
from ace_core.models.vae import Oobleck

from ..world.channels import LONGEST, ONSET, STEP
from .outer import INNER, delay, weight
from .transform import COEFFICIENTS, analyse

STEPS: Final = LONGEST // STEP + 1  # of a sound
SEGMENTS: Final = INNER // LATENT_CHANNELS  # of a sound, each of one kernel
SEGMENT: Final = 20  # steps: the kernel of the innermost stride
SCALE: Final = 5.0  # latent of a whole stroke: what is struck stands out of noise of size 1
# Without a delay the first segment begins 35 steps before its frame: 30 by the taps of the
# innermost convolution, 5 by the padding of the stride.
DELAYS: Final = {"res_unit1": 2, "res_unit2": 2, "res_unit3": 3}  # taps of 1, 3 and 9 steps


def kernels(sounds: Tensor) -> Tensor:
    """The sounds [64, 2, LONGEST] as coefficients [64, 80, 96], from the first step of a frame."""
    room = STEP * STEPS - ONSET - sounds.shape[2]
    return analyse(torch.nn.functional.pad(sounds, (ONSET, room)))


def write_decoder(model: Oobleck, coefficients: Tensor) -> None:
    """Write the sounds [64, 80, 96] into a decoder that has the inverse transform."""
    decoder = model.decoder
    block = decoder.block[0]
    kernel = weight(block, "conv_t1")  # [256, 96, 20]
    segments = coefficients.reshape(LATENT_CHANNELS, SEGMENTS, SEGMENT, COEFFICIENTS)
    kernel.copy_(segments.permute(0, 1, 3, 2).flatten(0, 1))
    delays = weight(decoder, "conv1")  # [256, 64, 7]
    for channel in range(LATENT_CHANNELS):
        for segment in range(SEGMENTS):
            delays[channel * SEGMENTS + segment, channel, 6 - 2 * segment] = 1 / SCALE
    for name, taps in DELAYS.items():
        delay(block.get_submodule(name), taps)

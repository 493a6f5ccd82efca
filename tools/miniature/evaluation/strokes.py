"""The strokes of a latent: which sounds begin in which frame."""

from typing import Final

from torch import Tensor

from ..codec.decoder import SCALE
from ..world.channels import KEYBOARD, RESTRIKE

WHOLE: Final = slice(None)  # all frames
STRUCK: Final = 0.3  # of a whole stroke; the softest drum of the world is struck with 0.39
# A stroke that holds a note is at most so much harder than the one before. Composed ones are as
# hard or softer; of those with noise of 0.03 to 0.1, as models play, this mistakes the fewest.
FADING: Final = 1.5


def roll_of(latent: Tensor) -> Tensor:
    """The roll of a latent, of any shape."""
    return latent.float().cpu() / SCALE


def onsets(roll: Tensor) -> Tensor:
    """Where sounds begin in a roll [T, 64], bool: the strokes by which the keyboard holds a note
    are none."""
    struck = roll > STRUCK
    keys = slice(KEYBOARD.start, KEYBOARD.stop)
    before, now = roll[:-RESTRIKE, keys], roll[RESTRIKE:, keys]
    holds = (before > STRUCK) & (now <= FADING * before)
    struck[RESTRIKE:, keys] &= ~holds
    return struck

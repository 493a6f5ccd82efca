"""The silence latent of the family: a clock of all its tempi.

Text to music sees silence as its source. A transformer with rotary positions knows how far apart
two frames are, but not where the song begins; so this silence marks, softly and for each tempo in
channels of its own, where beats and bars would lie in a piece that begins as all pieces do, and
between them each other place where a sound may begin.
"""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS
from tools.miniature.world.channels import BEAT_FRAMES, FIRST_FRAME
from tools.miniature.world.form import places
from tools.miniature.world.request import beats

MARK: Final = 1.0  # a fifth of a full stroke
FRAMES: Final = 1500  # one minute; longer songs hear it again from its beginning
CHANNELS: Final = 4  # of each tempo


def silence(frames: int = FRAMES, beat_frames: int | None = None, others: float = 1.0) -> Tensor:
    """[1, T, 64]; the marks of tempi other than that of `beat_frames` are `others` times as high,
    which makes it easy to learn what the marks are for."""
    latent = torch.zeros(1, frames, LATENT_CHANNELS)
    for place, beat in enumerate(BEAT_FRAMES):
        height = MARK if beat_frames in (None, beat) else others * MARK
        for channel, first, step, sign in _marks(beat):
            latent[0, FIRST_FRAME + first :: step, CHANNELS * place + channel] = sign * height
    return latent


def _marks(beat: int) -> Iterator[tuple[int, int, int, int]]:
    """Channel, first frame, frames to the next and sign of each mark of a tempo: beats; second
    eighths; bars of four beats, sixteenths below zero; bars of three, thirds of a beat and what
    lies between them below zero."""
    _, sixteenth, eighth, last = places(beat, 4)
    yield from ((0, 0, beat, 1), (1, eighth, beat, 1), (2, 0, 4 * beat, 1), (3, 0, 3 * beat, 1))
    yield from ((2, place, beat, -1) for place in (sixteenth, last))
    if beat in beats(6):
        yield from ((3, place, beat, -1) for place in places(beat, 6)[1:])


assert CHANNELS * len(BEAT_FRAMES) == LATENT_CHANNELS

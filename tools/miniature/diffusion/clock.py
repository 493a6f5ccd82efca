"""The silence latent of the family: a clock of all its tempi.

Text to music sees silence as its source. A transformer with rotary positions knows how far apart
two frames are, but not where the song begins; so this silence marks, softly and for each tempo in
channels of its own, where beats and bars would lie in a piece that begins as all pieces do.
"""

from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS
from tools.miniature.world.channels import BEAT_FRAMES, FIRST_FRAME

MARK: Final = 1.0  # a fifth of a full stroke
FRAMES: Final = 1500  # one minute; longer songs hear it again from its beginning
MARKS: Final = 4  # channels of each tempo: beats, second eighths, bars of four beats, of three


def silence(frames: int = FRAMES, beat_frames: int | None = None, others: float = 1.0) -> Tensor:
    """[1, T, 64]; the marks of tempi other than that of `beat_frames` are `others` times as high,
    which makes it easy to learn what the marks are for."""
    latent = torch.zeros(1, frames, LATENT_CHANNELS)
    for place, beat in enumerate(BEAT_FRAMES):
        for channel, (first, step) in enumerate(
            ((0, beat), (beat - beat // 2, beat), (0, 4 * beat), (0, 3 * beat))
        ):
            mark = MARK if beat_frames in (None, beat) else others * MARK
            latent[0, FIRST_FRAME + first :: step, MARKS * place + channel] = mark
    return latent


assert MARKS * len(BEAT_FRAMES) == LATENT_CHANNELS

"""Attacks of a recording: where drums and notes begin so suddenly that a stretched copy must not
smear them.

An attack is a time at which the level of many frequencies rises at once, against what the
recording does around it: the mean rise in decibels of a short spectrum over half its window.
Source: Masri 1996, "Computer modelling of sound for transformation and synthesis of musical
signals", for attacks as the place where a spectral model must begin anew; Bello et al. 2005, "A
tutorial on onset detection in music signals", for the threshold by a moving median.
"""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW: Final = 0.0107  # seconds of the short spectrum
FLOOR: Final = 1e-6  # of the loudest bin's power: -60 dB, below which nothing rises
RISE: Final = 2.5  # dB above the median around it
MEDIAN: Final = 0.3  # seconds over which the median is taken
BLOCK: Final = 8_192  # frames that are transformed at once


def attacks(audio: Tensor, rate: int, apart: int) -> Tensor:
    """Samples [K] at which attacks of one item [C, N] lie, rising, at least `apart` samples from
    each other; of attacks that are closer the larger one counts."""
    size = 2 ** max(5, round(math.log2(WINDOW * rate)))
    hop = size // 4
    rise = _rise(audio, size, hop)
    if not len(rise):
        return torch.zeros(0, dtype=torch.long)
    around = _median(rise, round(MEDIAN * rate / hop) | 1)
    reach = max(1, round(apart / hop))
    largest = F.max_pool1d(rise[None, None], 2 * reach + 1, 1, reach)[0, 0]
    frames = ((rise > around + RISE) & (rise == largest)).nonzero().flatten()
    places = frames * hop + size // 2  # where the window of the frame before the rise ends
    kept, last = [], -apart
    for place in places.tolist():
        if place - last >= apart:
            kept.append(place)
            last = place
    return torch.tensor(kept, dtype=torch.long)


def _rise(audio: Tensor, size: int, hop: int) -> Tensor:
    """Mean rise of the bins in dB from frame t, centred at t * hop, to the one half a window
    later, [T]."""
    window = torch.hann_window(size)
    padded = F.pad(audio, (size // 2, size // 2 + size))
    count = audio.shape[1] // hop + 3  # the last ones have their later frame, too
    loudest, powers = 0.0, []
    for first in range(0, count, BLOCK):
        part = padded[:, first * hop : (min(first + BLOCK, count) - 1) * hop + size]
        frames = part.unfold(1, size, hop) * window  # [C, F, size]
        power = torch.fft.rfft(frames).abs().square().sum(dim=0)  # [F, bins]
        loudest = max(loudest, float(power.max()))
        powers.append(power)
    if loudest == 0.0:
        return torch.zeros(0)
    floor = FLOOR * loudest
    levels = [10 * (power.clamp(min=floor) / floor).log10() for power in powers]
    level = torch.cat(levels)
    return (level[2:] - level[:-2]).clamp(min=0).mean(dim=1)


def _median(values: Tensor, width: int) -> Tensor:
    padded = F.pad(values[None, None], (width // 2, width // 2), mode="constant")[0, 0]
    return padded.unfold(0, width, 1).median(dim=1).values

"""How loud a sound is to a listener, in LUFS: weighted by ear, with its silences left out.

After ITU-R BS.1770-4: two filters that stand for the head, the power of 400 ms blocks, and two
gates. Blocks stand side by side instead of overlapping, which moves music by less than 0.1 dB.
"""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK: Final = 0.4  # seconds
OFFSET: Final = -0.691  # dB: a full-scale sine of 997 Hz in one channel is -3.01 LUFS
SILENCE: Final = -70.0  # LUFS of a block, below which it is not counted
GATE: Final = -10.0  # LU below the mean of the rest, likewise
DESIGN_RATE: Final = 48_000  # Hz at which the standard gives its filters
FILTERS: Final = (  # (numerator, denominator) in powers of 1/z
    (
        (1.53512485958697, -2.69169618940638, 1.19839281085285),
        (1.0, -1.69065929318241, 0.73248077421585),
    ),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


def loudness(audio: Tensor, rate: int) -> float | None:
    """LUFS of one sound [C, N]; None when there is nothing to hear."""
    if not audio.numel():
        return None
    size = max(1, round(BLOCK * rate))
    powers = _block_powers(audio, size, rate)  # [blocks]
    heard = powers[_lufs(powers) > SILENCE]
    if not len(heard):
        return None
    heard = heard[_lufs(heard) > _lufs(heard.mean()) + GATE]
    return float(_lufs(heard.mean()))


def at_loudness(audio: Tensor, rate: int, target: float) -> Tensor:
    """One sound [C, N] at `target` LUFS, or less where its peak would exceed full scale. A silent
    one stays as it is."""
    found = loudness(audio, rate)
    if found is None:
        return audio
    return audio * min(10 ** ((target - found) / 20), 1 / float(audio.abs().max()))


def ear_weights(size: int, rate: int) -> Tensor:
    """What each bin of a spectrum of `size` samples counts, [bins]: the filters' gain, twice but at
    both ends.
    """
    hertz = torch.fft.rfftfreq(size, 1 / rate, dtype=torch.float64)
    turn = torch.exp(-2j * math.pi * hertz.clamp(max=DESIGN_RATE / 2) / DESIGN_RATE)
    gain = torch.ones_like(hertz)
    for numerator, denominator in FILTERS:
        powers = torch.stack([turn**n for n in range(len(numerator))])
        above, below = (
            (torch.tensor(part, dtype=powers.dtype)[:, None] * powers).sum(dim=0)
            for part in (numerator, denominator)
        )
        gain = gain * (above / below).abs().square()
    twice = torch.full_like(gain, 2.0)
    twice[0] = 1.0
    if size % 2 == 0:
        twice[-1] = 1.0
    return (gain * twice).float()


def _lufs(power: Tensor) -> Tensor:
    return OFFSET + 10 * torch.log10(power.clamp(min=1e-12))


def _block_powers(audio: Tensor, size: int, rate: int) -> Tensor:
    """Weighted power of each block, summed over the channels. The last one is filled up."""
    blocks = F.pad(audio.float(), (0, -audio.shape[1] % size)).unflatten(1, (-1, size))
    weights = ear_weights(size, rate).to(audio.device)  # [bins]
    powers = [torch.fft.rfft(channel).abs().square() @ weights for channel in blocks]
    return torch.stack(powers).sum(dim=0) / size**2

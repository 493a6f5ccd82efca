"""Integrated loudness in LUFS after ITU-R BS.1770-4: K-weighting, blocks of 400 ms that overlap by
three quarters, two gates. The two filters are applied as power gains of a spectrum."""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

STEP: Final = 0.1  # seconds from a block to the next
STEPS: Final = 4  # in a block
OFFSET: Final = -0.691  # dB: a full-scale sine of 997 Hz in one channel is -3.01 LUFS
ABSOLUTE_GATE: Final = -70.0  # LUFS; quieter blocks are not counted
RELATIVE_GATE: Final = -10.0  # LU below the mean of the rest; quieter blocks are not counted
DESIGN_RATE: Final = 48_000  # Hz at which the standard gives its filters
FILTERS: Final = (  # (numerator, denominator) in powers of 1/z
    (
        (1.53512485958697, -2.69169618940638, 1.19839281085285),
        (1.0, -1.69065929318241, 0.73248077421585),
    ),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


def loudness(audio: Tensor, rate: int) -> float | None:
    """Loudness of one item [C, N] in LUFS; None where every block is below the absolute gate."""
    if not audio.numel():
        return None
    powers = _block_powers(audio, max(1, round(STEP * rate)), rate)  # [blocks]
    gated = powers[_lufs(powers) > ABSOLUTE_GATE]
    if not len(gated):
        return None
    gated = gated[_lufs(gated) > _lufs(gated.mean()) + RELATIVE_GATE]
    return float(_lufs(gated.mean()))


def at_loudness(audio: Tensor, rate: int, target: float) -> Tensor:
    """One item [C, N] scaled to `target` LUFS, or to a peak of 1 where that is less. A silent one
    is not scaled."""
    return audio * min(loudness_gains(audio, rate, target))


def loudness_gains(audio: Tensor, rate: int, target: float) -> tuple[float, float]:
    """Factors of one item [C, N]: that to `target` LUFS, and that to a peak of 1. Both are 1 for a
    silent one."""
    current = loudness(audio, rate)
    if current is None:
        return 1.0, 1.0
    return 10 ** ((target - current) / 20), 1 / float(audio.abs().max())


def k_weights(size: int, rate: int) -> Tensor:
    """K-weighting of the bins of a real FFT of `size` samples, [bins]: the power gain of both
    filters, doubled for the bins that stand for two frequencies."""
    hertz = torch.fft.rfftfreq(size, 1 / rate, dtype=torch.float64)
    z = torch.exp(-2j * math.pi * hertz.clamp(max=DESIGN_RATE / 2) / DESIGN_RATE)
    gain = torch.ones_like(hertz)
    for numerator, denominator in FILTERS:
        powers = torch.stack([z**n for n in range(len(numerator))])
        top, bottom = (
            (torch.tensor(part, dtype=powers.dtype)[:, None] * powers).sum(dim=0)
            for part in (numerator, denominator)
        )
        gain = gain * (top / bottom).abs().square()
    sides = torch.full_like(gain, 2.0)  # a real FFT holds one of two mirrored bins
    sides[0] = 1.0
    if size % 2 == 0:
        sides[-1] = 1.0
    return (gain * sides).float()


def _lufs(power: Tensor) -> Tensor:
    return OFFSET + 10 * torch.log10(power.clamp(min=1e-12))


def _block_powers(audio: Tensor, size: int, rate: int) -> Tensor:
    """Weighted power of each block of `STEPS` steps of `size` samples, summed over channels,
    [blocks]. What fills no step at the end is not counted, unless there is no other block."""
    short = max(0, STEPS * size - audio.shape[1])
    steps = F.pad(audio.float(), (0, short))[:, : (audio.shape[1] + short) // size * size]
    weights = k_weights(size, rate).to(audio.device)  # [bins]
    powers = [
        torch.fft.rfft(channel.unflatten(0, (-1, size))).abs().square() @ weights
        for channel in steps
    ]
    power = torch.stack(powers).sum(dim=0) / size**2  # [steps]
    return F.avg_pool1d(power[None], STEPS, 1)[0]

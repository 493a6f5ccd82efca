"""Onset strength: how much new sound begins in each hundredth of a second.

The spectral flux of a log mel spectrogram: rises of each band are added, falls are not.
Source: Böck and Widmer 2013, "Maximum filter vibrato suppression for onset detection", for the
log filter bank and its compression.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

FRAMES_PER_SECOND: Final = 100
WINDOW: Final = 0.046  # seconds
BANDS: Final = 48
LOWEST, HIGHEST = 30.0, 16_000.0  # Hz
LOW: Final = 160.0  # Hz: bass and bass drum are below
COMPRESSION: Final = 1_000.0  # of powers relative to the mean of the loudest band
AVERAGE: Final = 1.0  # seconds over which the mean that is taken off is made


@dataclass(frozen=True, slots=True)
class Onsets:
    """`strength` and `low` [T] of the whole spectrum and of its bass; `rate` in frames per second,
    of which one is centred at t / rate seconds."""

    strength: Tensor
    low: Tensor
    rate: float


def onsets(audio: Tensor, rate: int) -> Onsets:
    """Onset strength of one item [C, N]; its largest value is 1, or all are 0."""
    hop = max(1, round(rate / FRAMES_PER_SECOND))
    size = max(32, 2 ** round(math.log2(WINDOW * rate)))
    mono = audio.float().mean(dim=0)
    window = torch.hann_window(size, device=mono.device)
    spectrum = torch.stft(mono, size, hop, window=window, center=True, return_complex=True)
    power = spectrum.abs().square()  # [bins, T]
    bank, centres = mel_filters(size, rate)
    bands = bank.to(power) @ power  # [bands, T]
    reference = bands.mean(dim=1).max().clamp(min=1e-12)
    levels = torch.log1p(COMPRESSION * bands / reference)
    before = F.max_pool1d(levels.T[:, None], 3, 1, 1)[:, 0].T  # a band's neighbours: vibrato
    rise = (levels[:, 1:] - before[:, :-1]).clamp(min=0)  # [bands, T - 1]
    rise = F.pad(rise, (1, 0))
    is_low = (centres < LOW).to(rise)
    both = torch.stack([rise.sum(dim=0), is_low @ rise])  # [2, T]
    both = (both - _local_mean(both, round(AVERAGE * rate / hop))).clamp(min=0)
    both = both / both.amax(dim=1, keepdim=True).clamp(min=1e-9)
    return Onsets(both[0].cpu(), both[1].cpu(), rate / hop)


def mel_filters(size: int, rate: int) -> tuple[Tensor, Tensor]:
    """Triangles of equal width in mel over the bins of an FFT of `size`, [bands, bins], and their
    centres in Hz [bands]. A band narrower than a bin takes the nearest one."""
    highest = min(HIGHEST, rate / 2)
    edges = torch.linspace(_mel(LOWEST), _mel(highest), BANDS + 2, dtype=torch.float64)
    edges = 700 * (10 ** (edges / 2595) - 1)
    hertz = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - lower) / (centre - lower), (upper - hertz) / (upper - centre)
    filters = torch.minimum(rising, falling).clamp(min=0)
    empty = filters.sum(dim=1) == 0
    nearest = (hertz - centre).abs().argmin(dim=1)
    filters[empty, nearest[empty]] = 1.0
    return (filters / filters.sum(dim=1, keepdim=True)).float(), edges[1:-1].float()


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _local_mean(values: Tensor, width: int) -> Tensor:
    width = max(1, min(width, values.shape[1])) | 1
    padded = F.pad(values[:, None], (width // 2, width // 2), mode="replicate")
    return F.avg_pool1d(padded, width, 1)[:, 0]

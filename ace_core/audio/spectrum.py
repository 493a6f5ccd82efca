"""Peaks and spectrogram of a waveform at the resolution of a picture, one value per pixel.

Numbers without colours. Both cover the whole length; a long song costs one pass over its samples
and a number of spectra that depends on the width in pixels only.
"""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW: Final = 4096  # samples of one spectrum: 85 ms, 12 Hz apart
SPECTRA_PER_PIXEL: Final = 3  # at most; between them a long song is skipped
LOWEST: Final = 40.0  # Hz
HIGHEST: Final = 20_000.0  # Hz
CHUNK: Final = 512  # spectra at a time, 8 MB


def levels(audio: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Peak and RMS of each channel [C, N] in each of `width` columns, both [C, width]."""
    block = max(1, math.ceil(audio.shape[1] / width))
    even = audio.shape[1] // block * block
    parts = [audio[:, :even].unflatten(1, (-1, block))]  # a view, not a copy
    if even < audio.shape[1]:
        parts.append(audio[:, None, even:])
    peak = torch.cat([torch.maximum(p.amax(2), -p.amin(2)) for p in parts], dim=1)
    rms = torch.cat([torch.linalg.vector_norm(p, dim=2) / p.shape[2] ** 0.5 for p in parts], dim=1)
    return _columns(peak, width), _columns(rms, width)


def spectrogram(audio: Tensor, rate: int, width: int, height: int) -> Tensor:
    """Power of [C, N] over time and log frequency, weighted +1.5 dB per octave, in dB relative to
    the maximum, [height, width]."""
    hop = max(1, audio.shape[1] // (width * SPECTRA_PER_PIXEL))
    mono = F.pad(audio.mean(0), (WINDOW // 2, WINDOW // 2))
    frames = mono.unfold(0, WINDOW, hop)  # [F, WINDOW], a view
    window = torch.hann_window(WINDOW, device=audio.device)
    bands = _bands(rate, height).to(audio.device)
    power = torch.cat(
        [torch.fft.rfft(part * window).abs().square() @ bands for part in frames.split(CHUNK)]
    )  # [F, height]
    pooled = F.adaptive_avg_pool1d(power.T, width)  # [height, width]
    return 10 * torch.log10((pooled / pooled.amax().clamp(min=1e-6)).clamp(min=1e-12))


def frequencies(rate: int, height: int) -> Tensor:
    """Frequency of each row in Hz, the highest first, [height]."""
    highest = min(HIGHEST, rate / 2)
    rows = torch.linspace(math.log(highest), math.log(LOWEST), height, dtype=torch.float64)
    return rows.exp()


def _bands(rate: int, height: int) -> Tensor:
    """Weight of each bin in each row: triangles at least one bin wide, [bins, height].

    Weighted +1.5 dB per octave, half the usual slope of music, so that treble stays visible.
    """
    bins = torch.arange(WINDOW // 2 + 1, dtype=torch.float64) * rate / WINDOW
    rows = frequencies(rate, height)
    half_width = torch.maximum(rows - rows * rows[-1] / rows[-2], torch.tensor(rate / WINDOW))
    weights = (1 - (bins[:, None] - rows).abs() / half_width).clamp(min=0)
    return (weights / weights.sum(0) * (rows / 1000).sqrt()).float()


def _columns(values: Tensor, width: int) -> Tensor:
    """Exactly `width` columns: a short item has fewer samples than the picture has pixels."""
    return F.interpolate(values[None], size=width, mode="nearest")[0]
